"""Corpora as people have them: each fault is named with a remedy, costs no other document anything, and loses nothing."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from resources.corpus.corpus import Corpus, SourceFile, document_id
from resources.home.home import Home
from tests.support import seed_process
from tests.support.pipelines import TABLES, UnprivilegedCorpus, World, essay

ROOT = Path(__file__).resolve().parents[2]
MB = 1 << 20


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that an unprivileged user may use, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.mark.integration
def test_every_kind_of_bad_file_is_named_and_stops_no_other(public_folder: Path, own_environment: None) -> None:
    """One seed over all of them; what is no document is skipped, and a home inside the corpus is none of it."""
    world = World(public_folder)
    world.home = world.corpus / "state"
    world.corpus_reader = UnprivilegedCorpus(world.corpus, world.home / "corpus.index", 64 * MB)
    world.write("state/readme.md", "No document: it is in the home.")
    world.write("good.md", essay("the good one"))
    (world.corpus / "same.md").symlink_to("good.md")
    world.write(
        "latin.txt", "Größere Gärten brauchen häufiger Wasser, sagt Frau Müller über ihre Bäume.".encode("cp1252")
    )
    world.write("wide.txt", "Written by an editor that likes wide characters.".encode("utf-16"))
    world.write("empty.txt", b"")
    world.write("binary.txt", bytes(range(256)) * 8)
    world.write("locked.txt", "Nobody may read this yet.").chmod(0)
    os.truncate(world.write("huge.txt", b""), 200 * MB)
    world.write("caf\u00e9.md", "Composed.")
    world.write("cafe\u0301.md", "Decomposed.")
    world.write("nai\u0308f.md", "Decomposed, and alone.")
    world.write("x.md/inside.txt", "In a folder that is called like a document.")
    (public_folder / "secret.md").write_text("Outside.")
    for name, target in {
        "out.md": "../secret.md",
        "loop.md": "loop.md",
        "nowhere.md": "nothing",
        "dir.md": "x.md",
    }.items():
        (world.corpus / name).symlink_to(target)
    os.mkfifo(world.corpus / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(world.corpus / "socket.txt"))

    first = world.seed()

    good = {"good.md", "same.md", "latin.txt", "wide.txt", "naïf.md", "x.md/inside.txt"}
    assert first.report.exit_code == 1
    reported = {failure.document: (failure.stage, failure.reason) for failure in first.report.failures}
    assert set(reported) == {"empty.txt", "binary.txt", "locked.txt", "huge.txt", "café.md"}
    assert {stage for stage, _ in reported.values()} == {"extracted_text"}
    for name, reason in (
        ("empty.txt", "the file is empty"),
        ("binary.txt", "binary, not text"),
        ("locked.txt", "Permission denied"),
        ("huge.txt", "200.0 MB, more than the 64 allowed"),
        ("café.md", r"2 files have this name after Unicode normalisation: 'cafe\u0301.md', 'caf\xe9.md'"),
    ):
        assert reason in reported[name][1], reported[name]
    assert all(failure.remedy for failure in first.report.failures)
    assert first.report.skipped.total == 7  # four links, a pipe, a socket, the home
    for table in TABLES:
        assert world.documents_in(table) == good
    encodings = {row["document_id"]: row["encoding"] for row in world.rows("documents")}
    assert [encodings[name] for name in ("good.md", "latin.txt", "wide.txt")] == ["utf-8", "windows-1252", "utf-16-le"]

    again = world.seed()
    assert (again.report.exit_code, again.report.runs, again.calls) == (1, [], {})
    assert {failure.document for failure in again.report.failures} == set(reported)

    (world.corpus / "locked.txt").chmod(0o644)
    (world.corpus / "cafe\u0301.md").unlink()
    for name in ("empty.txt", "binary.txt", "huge.txt"):
        (world.corpus / name).unlink()
    fixed = world.seed()
    assert (fixed.report.exit_code, fixed.report.failures) == (0, [])
    assert fixed.calls["extracted_text"] == 2
    assert world.documents_in("documents") == {*good, "locked.txt", "café.md"}
    assert set(world.plan().documents) == {*good, "locked.txt", "café.md"}


class RestlessCorpus(Corpus):
    """A corpus in which a file goes and another changes, each just before it is read."""

    def read(self, source: SourceFile) -> bytes:
        """As Corpus."""
        if source.document_id == "goes.md" and (Path(str(self.root)) / source.relative).exists():
            (Path(str(self.root)) / source.relative).unlink()
        elif source.document_id == "changes.md":
            (Path(str(self.root)) / source.relative).write_text(essay("what it became meanwhile"))
        return super().read(source)


@pytest.mark.integration
def test_files_that_go_or_change_during_the_run_fail_alone_and_the_next_run_takes_note(
    tmp_path: Path, own_environment: None
) -> None:
    world = World(tmp_path)
    for name in ("changes.md", "goes.md", "stays.md"):
        world.write(name, essay(name))
    world.corpus_reader = RestlessCorpus(world.corpus, world.home / "corpus.index", MB)

    first = world.seed()

    assert first.report.exit_code == 1
    reported = {failure.document: failure.reason for failure in first.report.failures}
    assert reported == {
        "goes.md": "the file was deleted during the run.",
        "changes.md": "the file was changed during the run.",
    }
    for table in TABLES:
        assert world.documents_in(table) == {"stays.md"}

    world.corpus_reader = None
    second = world.seed()
    assert (second.report.exit_code, second.report.failures) == (0, [])
    assert second.calls["extracted_text"] == 1
    for table in TABLES:
        assert world.documents_in(table) == {"changes.md", "stays.md"}
    (row,) = [row for row in world.rows("documents") if row["document_id"] == "changes.md"]
    assert "what it became meanwhile" in row["summary"]
    assert world.seed().report.runs == []


def test_a_corpus_that_is_missing_or_empty_is_refused_and_binds_no_home(tmp_path: Path, own_environment: None) -> None:
    """A home bound to a mistyped folder would refuse the right one."""
    home, right = tmp_path / "home", tmp_path / "right"
    (tmp_path / "empty").mkdir()
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "picture.gif").write_bytes(b"")
    for name, reported in (
        ("missing", "There is no corpus folder"),
        ("empty", "holds no documents (it is empty)"),
        ("others", "holds no documents (1 file skipped: 1 .gif)"),
        ("others/picture.gif", "is not a folder"),
    ):
        done = CliRunner().invoke(app, ["seed", "--corpus", str(tmp_path / name), "--home", str(home)])
        assert (done.exit_code, done.stdout) == (2, "")
        assert reported in done.stderr
        assert str(tmp_path / name) in done.stderr
    assert Home(home).bound_corpus() is None
    right.mkdir()
    Home(home).bind(right)

    done = CliRunner().invoke(app, ["seed", "--corpus", str(home), "--home", str(home)])
    assert done.exit_code == 2
    assert "both the corpus and the home" in done.stderr
    done = CliRunner().invoke(app, ["seed", "--corpus", "~nobody-of-this-name", "--home", str(home)])
    assert done.exit_code == 2
    assert "the user or its home folder does not exist" in done.stderr


# Each with a word that is found in it alone.
WORST_NAMES = (
    " blank at both ends .md",
    "a,b,,c.md",
    'quo\'te "double" `back` $(echo).md',
    "three...dots....md",
    "wait...txt",
    "per%cent%2C.md",
    "new\nline\r\n.md",
    "tab\t null\x01 red\x1b[31m.md",
    "CON.txt",
    "dir./trailing dot.md",
    "-dash.md",
    "--help.md",
    "# hash; semi|pipe&amp?.md",
    "[x].md",
    "[/bold] :coffee:.md",
    "🌱 👩\u200d🌾.md",
    "\u202ertl\u200f שלום.md",
    unicodedata.normalize("NFC", "é composed.md"),
    unicodedata.normalize("NFD", "ü decomposed.md"),
    "back\\slash {brace} =@.md",
    "n" * 247 + ".md",
    "\u2028line\u2029paragraph\u0085.md",
    "a..b.MD",
    os.fsdecode(b"latin\xe9\xff.txt"),
    "deep/" * 40 + "x.md",
    "-,%...[x]'\"\n é.md",
)
WORST_OF_ALL = WORST_NAMES[-1]


@pytest.mark.integration
def test_documents_of_any_name_are_seeded_searched_and_materialized(tmp_path: Path, own_environment: None) -> None:
    """The names go through Dagster's tags and ranges, SQL, LanceDB's filters, the terminal and JSON."""
    corpus, home = tmp_path / "corpus", tmp_path / "home"
    for number, name in enumerate(WORST_NAMES):
        path = corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# Note\n\nOnly the word {_word(number)} tells this note from others of its kind.\n")
    ids = {document_id(name): _word(number) for number, name in enumerate(WORST_NAMES)}

    seeded = seed_process.seed(home, corpus)

    assert seeded.status == 0, seeded.printed()
    assert seeded.report["failures"] == []
    for rows in seed_process.rows(home).values():
        if "document_id" in rows.column_names:
            assert set(rows["document_id"].to_pylist()) == set(ids)
    assert _status(home) == {name: {"current"} for name in ids}
    for document in map(document_id, ("[/bold] :coffee:.md", WORST_OF_ALL)):
        arguments = ["search", ids[document], "--limit", "1", "--home", str(home)]
        (hit,) = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
        assert hit["document"] == document
        assert f"  {document}  characters" in CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments).stdout

    # Dagster's own command, for one document alone.
    (corpus / WORST_OF_ALL).write_text("# Note\n\nIt says something else by now.\n")
    assert "stale" in _status(home)[document_id(WORST_OF_ALL)]
    selected = ["--select", "extracted_text", "--partition", document_id(WORST_OF_ALL)]
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "seed_assets.definitions", *selected],
        cwd=ROOT,
        env={**os.environ, "SEEDBANK_HOME": str(home), "SEEDBANK_CORPUS": str(corpus)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    states = json.loads(CliRunner().invoke(app, ["status", "--json", "--home", str(home)]).stdout)["documents"]
    assert [states[document_id(WORST_OF_ALL)][stage] for stage in ("extracted_text", "chunks")] == ["current", "stale"]

    # And gone again, tables included.
    for name in WORST_NAMES[1:]:
        (corpus / name).unlink()
    removed = seed_process.seed(home, corpus, "--allow-removals")
    assert removed.status == 0, removed.printed()
    for rows in seed_process.rows(home).values():
        if "document_id" in rows.column_names:
            assert set(rows["document_id"].to_pylist()) == {WORST_NAMES[0]}
    assert seed_process.query(
        home / "store" / "store.db",
        "SELECT DISTINCT partition FROM refs WHERE partition NOT IN ('', 'topic', 'concept')",
    ) == [(WORST_NAMES[0],)]


def _word(number: int) -> str:
    return "marked" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:03d}")


def _status(home: Path) -> dict[str, set[str]]:
    done = CliRunner().invoke(app, ["status", "--json", "--home", str(home)])
    return {name: set(states.values()) for name, states in json.loads(done.stdout)["documents"].items()}
