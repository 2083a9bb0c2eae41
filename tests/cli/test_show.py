"""`seedbank show`: a document's text with its pages and warnings, any other result, and why there is none.

What belongs here: what is printed, and exit statuses. What does not: states and names (tests/session/test_document_result).
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.reports.plain_values import plain_data
from seed_assets.reports.shown_values import lines_of, text_with_pages
from tests.support.pdf_files import Page, lines, pdf
from tests.support.pipelines import World, essay, refusal
from tests.support.seed_process import ROOT
from tests.test_imports import HEAVY, within
from tests.test_imports import modules as all_modules

CORALS = "reefs/corals.txt"
# What a home needs only to compute, for a feature that its settings do not enable, or for requests to a model.
NOT_IN_USE = (
    "numpy",
    "html",
    "cryptography",
    "seed_assets.core.entities.entities",
    "seed_assets.core.entities.resolution",
    "seed_assets.core.extractions",
    "seed_assets.stages.entities",
    "seed_assets.core.examples",
    "seed_assets.stages.examples",
    "seed_assets.core.relationships",
    "seed_assets.core.profiles",
    "seed_assets.core.entity_graph",
    "seed_assets.stages.relationships",
    "seed_assets.stages.profiles",
    "seed_assets.stages.extractions",
    "seed_assets.own_stages",
    "seed_assets.core.prompting.model_stage",
    "resources.endpoints.endpoint",
    "resources.batches.stage_batches",
    "io_managers.sharing.remote",
    "retrieval.passage_features",
    "seed_assets.erasing",
    "seed_assets.doctor",
    "seed_assets.spreading",
    "seed_assets.session.run_handover",
)
# The modules of core that say what decides a result, and the types of results. All others compute, and are imported when they do.
DECLARING = {
    *("clusters.cluster_members", "clusters.cluster_rules", "clusters.cluster_summarizing", "clusters.clusters"),
    *("clusters.corpus_views", "concepts.concepts", "entities.entity_ids", "judging.judging", "judging.revision"),
    *(
        "judging.verdicts",
        "maps.pictures",
        "reading.extracted_text",
        "reading.file_signatures",
        "reading.ocr.languages",
    ),
    *("reading.ocr.picture_reader", "reading.ocr.scanned_page", "reading.page_numbers", "summaries.summarizing"),
    *("text.chunking", "text.text_work", "workers.parser_frames", "workers.parser_pool", "workers.parser_process"),
    *("workers.task_names", "workers.workers_embedder"),
}
BAD = "---\ntitle: [\n---\n\n# Harbours\n\n" + essay("harbours")
# These declare what a model that the settings name decides.
DECLARING_WITH_MODEL = {
    *(
        "clusters.model_cluster_summarizing",
        "concepts.model_concepts",
        "judging.model_judging",
        "judging.model_revising",
    ),
    *("prompting.answer_shapes", "prompting.material", "prompting.model_stage", "prompting.prompts"),
    "prompting.shown_examples",
    "summaries.model_summarizing",
}


def computing(loaded: Iterable[str], *, with_model: bool = False) -> list[str]:
    """The modules of core among these that do not only declare."""
    core = "seed_assets.core."
    modules = {module for module in all_modules() if module.startswith(core)}
    declaring = DECLARING | DECLARING_WITH_MODEL if with_model else DECLARING
    return sorted({name.removeprefix(core) for name in modules & set(loaded)} - declaring)


def show(world: World, *arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["show", *arguments, "--home", str(world.home)])
    assert done.exit_code == status, done.output
    return done.output


def shown_json(world: World, *arguments: str, status: int = 0) -> dict[str, Any]:
    return json.loads(show(world, *arguments, "--json", status=status))


@pytest.mark.slow
def test_a_text_is_printed_with_its_title_encoding_warnings_and_the_marks_of_its_pages(plain_world: World) -> None:
    plain_world.write("bad.md", BAD)
    plain_world.write(
        "paged.pdf", pdf([Page(lines("The harbour at dawn.")), Page(""), Page(lines("The harbour at dusk."))])
    )
    plain_world.seed()

    text = show(plain_world, "bad.md").splitlines()
    assert text[:4] == ["document: bad.md", "stage: extracted_text", "title: Harbours", "encoding: utf-8"]
    assert text[4].startswith("warning: The front matter is not valid YAML")
    assert text[5:8] == ["", "# Harbours", ""]

    paged = show(plain_world, "paged.pdf")
    first, second, third = (paged.index(f"\n--- page {number} ---\n") for number in (1, 2, 3))
    assert first < paged.index("at dawn", first) < second < third < paged.index("at dusk")
    found = shown_json(plain_world, "paged.pdf")
    assert (found["state"], found["failure"]) == ("current", None)
    assert len(found["value"]["page_starts"]) == 3


def test_a_mark_stands_on_a_line_of_its_own_wherever_a_page_begins() -> None:
    value = ExtractedText("one two\n\n| a | b |\n", "", page_starts=(0, 4, 4, 9))
    assert text_with_pages(value) == (
        "--- page 1 ---\none \n--- page 2 ---\n--- page 3 ---\ntwo\n\n--- page 4 ---\n| a | b |\n"
    )
    assert text_with_pages(ExtractedText("no pages", "")) == "no pages"


@pytest.mark.slow
def test_other_results_are_printed_by_their_type(plain_world: World) -> None:
    assert "\ntext: " in show(plain_world, CORALS, "summaries")
    concepts = shown_json(plain_world, CORALS, "concepts")["value"]["concepts"]
    text = shown_json(plain_world, CORALS)["value"]["text"]
    assert concepts
    for concept in concepts:
        assert concept["evidence"] == text[concept["start"] : concept["end"]] != ""
    assert f"    evidence: {concepts[0]['evidence']}\n" in show(plain_world, CORALS, "concepts")
    array = show(plain_world, CORALS, "embeddings").splitlines()[-1]
    shape = shown_json(plain_world, CORALS, "embeddings")["value"]
    assert array == f"array: {shape['shape'][0]} x {shape['shape'][1]} {shape['type']}"
    assert "verdict:\n  decision: " in show(plain_world, CORALS, "judgements")
    assert "placements:\n" in show(plain_world, CORALS, "document_clusters")
    assert "chunks:\n  1.\n" in show(plain_world, CORALS, "chunks")


def test_values_of_any_type_have_lines() -> None:
    value = {
        "name": "a\nb",
        "none": None,
        "empty": [],
        "yes": True,
        "pairs": [["x", 0.25], ["y", 1.0]],
        "long": ["word " * 15, "two\nlines", "word " * 15],
        "items": [{"a": 1}, {"a": []}],
        "vectors": np.zeros((2, 3), np.float32),
    }
    assert list(lines_of(plain_data(value))) == [
        *("name:", "  a", "  b", "none: none", "empty: none", "yes: yes", "pairs: (x, 0.25), (y, 1)"),
        *("long:", f"  - {'word ' * 15}", "  - two", "    lines", f"  - {'word ' * 15}"),
        *("items:", "  1.", "    a: 1", "  2.", "    a: none", "vectors:", "  array: 2 x 3 float32"),
    ]
    assert list(lines_of(plain_data(b"1234"))) == ["bytes: 4"]
    assert list(lines_of(plain_data(["a", "b"]))) == ["a, b"]
    assert list(lines_of(plain_data("one\ntwo"))) == ["one", "two"]


@pytest.mark.slow
def test_what_is_not_current_says_why_and_what_to_do(plain_world: World) -> None:
    world = plain_world
    world.write("reefs/new.txt", essay("anemones"))
    missing = show(world, "reefs/new.txt", status=1)
    assert "It is not computed yet (new document). Run `seedbank seed`." in missing

    world.write("broken.pdf", b"no PDF")
    world.summarizer.failing = {"anemones": refusal()}
    world.seed()
    failed = show(world, "broken.pdf", status=1)
    assert "\nIt failed: " in failed
    assert "\n  -> " in failed
    assert "\nNothing is published." in failed
    found = shown_json(world, "broken.pdf", "summaries", status=1)
    assert (found["state"], found["value"], found["failure"]["stage"]) == ("blocked", None, "extracted_text")
    blocked = show(world, "broken.pdf", "summaries", status=1)
    assert "The stage extracted_text, which comes before it, failed: " in blocked

    world.write(CORALS, essay("polyps"))
    stale = show(world, CORALS)
    assert "It is stale (source" in stale
    assert "What is published now is shown below." in stale
    assert "corals" in stale
    assert "polyps" not in stale


def test_what_is_published_is_shown_when_the_corpus_is_gone(plain_world: World) -> None:
    """A home may be all that is left of a corpus, for example a backup on another machine."""
    (plain_world.corpus / CORALS).unlink()
    assert "The document is not in the corpus any more" in show(plain_world, CORALS)
    shutil.rmtree(plain_world.corpus)
    gone = show(plain_world, CORALS)
    assert "Whether it is current is not known. There is no corpus folder" in gone
    assert "corals" in gone
    assert shown_json(plain_world, CORALS, "concepts")["state"] == "unknown"


@pytest.mark.integration
@pytest.mark.parametrize("with_model", [False, True])
@pytest.mark.parametrize(
    "command", [["explain", CORALS], ["plan"], ["status"], ["seed", "--stages", "extracted_text"], ["show", "clusters"]]
)
def test_what_only_looks_imports_nothing_that_computes(
    plain_world: World, command: list[str], with_model: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage that is declared in the module that computes makes each of these commands slower, for everybody."""
    if command[0] in ("plan", "seed"):
        command = [*command, "--corpus", str(plain_world.corpus)]
    if with_model:
        for name, value in (("PROVIDER", "openai"), ("MODEL", "writer-1"), ("API_KEY", "a-key")):
            monkeypatch.setenv(f"SEEDBANK_LLM__{name}", value)
    program = (
        f"import sys\nfrom cli.main import app\ntry:\n    app({[*command, '--home', str(plain_world.home)]!r})\n"
        "except SystemExit as end:\n    assert not end.code\nprint(','.join(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = done.stdout.splitlines()[-1].split(",")
    counting = {"tokenizers"} if with_model else set[str]()  # a plan counts the tokens of prompts
    assert not {name.partition(".")[0] for name in loaded} & {*HEAVY, "dagster", "numpy"} - counting
    assert computing(loaded, with_model=with_model) == []


def test_unknown_names_are_usage_errors_with_the_nearest_names(plain_world: World) -> None:
    assert "Did you mean reefs/corals.txt" in show(plain_world, "corals.txt", status=2)
    assert "Did you mean summaries?" in show(plain_world, CORALS, "summary", status=2)


@pytest.mark.slow
def test_nothing_that_steers_a_terminal_is_printed(plain_world: World) -> None:
    plain_world.write("evil.md", "# Title \x1b]0;owned\x07\n\nThe \x1b[31mtides\x1b[0m turn \u202eevil\u202c here.\n")
    plain_world.seed()
    for arguments in (("evil.md",), ("evil.md", "summaries"), ("evil.md", "chunks"), ("evil.md", "chunks", "--json")):
        assert not {*show(plain_world, *arguments)} & {*"\x1b\x07\u202e\u202c"}


def test_nothing_is_written_to_the_store(plain_world: World) -> None:
    show(plain_world, CORALS)
    files = {path: path.read_bytes() for path in (plain_world.home / "store").rglob("*") if path.is_file()}
    for stage in ("extracted_text", "concepts", "document_clusters"):
        show(plain_world, CORALS, stage)
    assert {path: path.read_bytes() for path in (plain_world.home / "store").rglob("*") if path.is_file()} == files


@pytest.mark.integration
def test_a_process_imports_neither_dagster_nor_lancedb_nor_what_is_not_in_use_and_may_lose_its_reader(
    plain_world: World,
) -> None:
    """Importing the two takes seconds, and what is not in use half of the command; `| head` is how people look at a text."""
    plain_world.write("long.txt", "\n\n".join(f"The {number}th tide turned at the café." for number in range(20_000)))
    for number in range(3):
        plain_world.write(f"more/{number}.txt", essay(f"tides {number}"))
    plain_world.seed()
    commands = (["show", CORALS], ["show", CORALS, "summaries"], ["explain", CORALS, "summaries"])
    program = (
        "import sys\nfrom cli.main import app\n"
        f"for command in {commands!r}:\n"
        f"    app([*command, '--home', {str(plain_world.home)!r}], standalone_mode=False)\n"
        "print(','.join(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.splitlines()[-1].split(",")
    assert not {name.partition(".")[0] for name in loaded} & {*HEAVY, "dagster"}
    assert [name for name in loaded if within(name, *NOT_IN_USE)] == []
    assert computing(loaded) == []

    line = f"PYTHONIOENCODING=ascii {sys.executable} -m cli.main show long.txt --home {plain_world.home} | head -n 8"
    head = subprocess.run(["sh", "-c", line], capture_output=True, text=True, cwd=ROOT)
    assert (head.returncode, head.stderr) == (0, "")
    assert head.stdout.splitlines()[-1] == "The 1th tide turned at the caf\\xe9."
