"""`seedbank show` of clusters, categories, lists and whole documents, in each form.

What belongs here: names, forms, exit statuses, and that nothing of a document is markup. What does not: single results
(test_show), and what overviews hold (tests/reports).
"""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from seed_assets.reports.page import Paragraph
from seed_assets.reports.published_results import PublishedResults
from seed_assets.reports.shown_results import find_shown
from tests.support.pipelines import World, essay
from tests.support.seed_process import ROOT
from tests.test_imports import HEAVY

pytestmark = pytest.mark.slow

CORALS = "reefs/corals.txt"
FORMS = ("text", "md", "json", "html")


def show(world: World, *arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["show", *arguments, "--home", str(world.home)])
    assert done.exit_code == status, done.output
    return done.output


def shown(world: World, *arguments: str) -> Any:
    return json.loads(show(world, *arguments, "--format", "json"))


@pytest.fixture(scope="module")
def seeded(seeded_plain_world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A home with two clusters of a field, seeded once."""
    world = seeded_plain_world.copy_to(tmp_path_factory.mktemp("clustered"))
    for number in range(3):
        for subject in ("harbours", "orchards"):
            world.write(
                f"{subject}/{number}.md",
                f"---\nsubject: {subject}\n---\n\n# {subject.title()} {number}\n\n{essay(subject)}",
            )
    world.settings["clusters"] = {"types": ["topic", "concept", "field:subject"]}
    world.seed()
    return world


@pytest.fixture
def clustered(seeded: World, tmp_path: Path, own_environment: None) -> World:
    """A copy of that home for one test."""
    copy = seeded.copy_to(tmp_path)
    copy.settings |= seeded.settings
    return copy


def test_a_cluster_is_shown_with_its_members_summary_and_verdict(clustered: World) -> None:
    listed = shown(clustered, "clusters")
    types = {one["cluster_type"]: one["clusters"] for one in listed["value"]}
    assert len(types["field:subject"]) == 2
    first = types["field:subject"][0]["cluster"]

    found = shown(clustered, first)
    assert (found["kind"], found["value"]["cluster"]) == ("cluster", first)
    members = [one["document"] for one in found["value"]["members"]]
    assert members == [f"{members[0].partition('/')[0]}/{number}.md" for number in range(3)]
    assert found["value"]["summary"]
    assert {claim["document"] for claim in found["value"]["verdict"]["claims"]} <= {*members, ""}
    text = show(clustered, first)
    assert text.startswith(f"{first}: ")
    for part in (*members, "Summary\n-------", "Verdict\n-------", "Members\n-------"):
        assert part in text


def test_a_document_is_shown_with_everything_that_was_made_of_it(clustered: World) -> None:
    found = shown(clustered, "harbours/0.md", "overview")["value"]
    text = shown(clustered, "harbours/0.md", "extracted_text")["value"]["text"]
    assert (found["title"], found["characters"]) == ("Harbours 0", len(text))
    assert found["summary"] == shown(clustered, "harbours/0.md", "judgements")["value"]["summary"]
    for concept in found["concepts"]:
        assert concept["evidence"] == text[concept["start"] : concept["end"]] != ""
        assert " ".join(concept["evidence"].split()) in concept["context"]
    for claim in found["verdict"]["claims"]:
        if claim["passage"]:
            assert claim["passage"] == text[claim["start"] : claim["end"]]
    assert {one["cluster_type"] for one in found["clusters"]} == {"topic", "concept", "field:subject"}
    printed = show(clustered, str(clustered.corpus / "harbours/0.md"), "overview")
    for part in ("document: harbours/0.md", "Summary\n", "Verdict\n", "Concepts\n", "Clusters\n", "field:subject/"):
        assert part in printed
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.slow
def test_concepts_are_counted_over_all_documents(clustered: World) -> None:
    found = shown(clustered, "concepts")["value"]
    documents = {one["concept"]: one["documents"] for one in found}
    counted: dict[str, int] = {}
    for document in clustered.plan().documents:
        for concept in shown(clustered, document, "concepts")["value"]["concepts"]:
            counted[concept["name"]] = counted.get(concept["name"], 0) + 1
    assert documents == counted
    assert [one["documents"] for one in found] == sorted(documents.values(), reverse=True)
    short = show(clustered, "concepts", "--limit", "1")
    assert f"{len(found) - 1} more concepts: `--limit 0`" in short
    assert "more concept" not in show(clustered, "concepts", "--limit", "0")


def test_categories_are_listed_and_shown(clustered: World) -> None:
    listed = shown(clustered, "categories")["value"]
    for one in listed:
        found = shown(clustered, one["category"])["value"]
        assert (found["name"], len(found["documents"]), found["concepts"]) == (
            one["name"],
            one["documents"],
            one["concepts"],
        )
    assert show(clustered, "categories").startswith("Categories\n")


def test_an_unknown_cluster_is_a_usage_error_with_the_nearest_names(clustered: World) -> None:
    assert "There is no cluster 'field:subject/99'. Did you mean field:subject/" in show(
        clustered, "field:subject/99", status=2
    )
    assert "`seedbank show categories` lists" in show(clustered, "category/99", status=2)
    assert "leave out 'summaries'" in show(clustered, "clusters", "summaries", status=2)
    assert "exclude each other" in show(clustered, "clusters", "--json", "--format", "md", status=2)


@pytest.mark.slow
def test_a_document_below_a_folder_with_the_name_of_a_cluster_type_or_a_list_is_found(clustered: World) -> None:
    """`topic/3` is a cluster and `topic/3.md` a document: neither may hide the other."""
    for name in ("topic/1.md", "clusters/notes.md", "concepts.md"):
        clustered.write(name, essay(name))
    clustered.seed()
    for name in ("topic/1.md", "clusters/notes.md", "concepts.md", "./concepts.md"):
        assert shown(clustered, name)["document"] == name.removeprefix("./")
    assert shown(clustered, "concepts")["kind"] == "concepts"
    # A document always has a suffix. Whatever else were a document, could be named by its path.
    refused = show(clustered, "./clusters", status=2)
    assert "There is no document './clusters'" in refused


def notes(world: World, name: str, part: str = "") -> list[str]:
    with world.session() as session:
        found = find_shown(session, name, part, 0)
        assert found is not None
        assert [
            block.text for block in found.page.blocks[: len(found.notes)] if isinstance(block, Paragraph)
        ] == found.notes
        return found.notes


def test_what_is_not_current_is_said_first(clustered: World) -> None:
    with clustered.session() as session:
        cluster = next(iter(PublishedResults(session).clusters("field:subject")))
    every = [(name, "") for name in ("clusters", "categories", "concepts", cluster)] + [("harbours/0.md", "overview")]
    assert [notes(clustered, *one) for one in every] == [[]] * len(every)

    clustered.raise_version("cluster_summaries")
    assert notes(clustered, cluster)[0].startswith("cluster_summaries is stale (version: 1 -> 1+)")
    clustered.write("harbours/0.md", essay("lighthouses"))
    assert notes(clustered, "harbours/0.md", "overview")[0].startswith("extracted_text is stale (source")
    assert notes(clustered, "concepts") == ["1 result of concepts is not current; run `seedbank seed`."]
    (clustered.corpus / "harbours/0.md").unlink()
    assert "not in the corpus any more" in notes(clustered, "harbours/0.md", "overview")[0]
    shutil.rmtree(clustered.corpus)
    assert [len(notes(clustered, *one)) for one in every] == [1] * len(every)
    assert "There is no corpus folder" in notes(clustered, cluster)[0]


EVIL = "<img src=x onerror=alert(1)> [a](javascript:b) `c` | **d** \x1b]0;owned\x07 \u202egnp.exe"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.slow
def test_nothing_of_a_document_is_markup_or_steers_a_terminal(plain_world: World, form: str) -> None:
    """Whatever is in a file may reach the page of a browser, or a site that renders Markdown."""
    plain_world.write("evil.md", f"# Evil {EVIL}\n\nThe harbour {EVIL} is closed. {essay('harbours')}")
    plain_world.seed()
    for arguments in (("evil.md",), ("evil.md", "overview"), ("evil.md", "summaries"), ("concepts",), ("clusters",)):
        output = show(plain_world, *arguments, "--format", form)
        assert not {*output} & {*"\x1b\x07\u202e"}, arguments
        if form == "html":
            tags = Tags()
            tags.feed(output)
            assert not {name for name, _ in tags.found} & {"img", "script", "a", "b", "strong", "code"}, arguments
            assert not [
                attributes for _, attributes in tags.found if {"href", "src", "style", "onerror"} & {*attributes}
            ]
        if form == "md" and arguments == ("evil.md", "overview"):
            assert not re.search(r"(?<!\\)(<img|\[a\]\(|`c`|\*\*d)", output)
            assert r"\[a\](javascript:b) \`c\` \| \*\*d\*\*" in output


def test_a_web_page_loads_nothing_and_runs_nothing(plain_world: World) -> None:
    page = show(plain_world, CORALS, "overview", "--format", "html")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; style-src &#39;sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"https?://|url\(|@import", page)


@pytest.mark.integration
def test_overviews_import_neither_dagster_nor_lancedb(plain_world: World) -> None:
    """Importing them takes seconds."""
    program = (
        "import sys\nfrom cli.main import app\n"
        f"for line in ([{CORALS!r}, 'overview'], ['clusters'], ['concepts'], ['categories', '--format', 'html']):\n"
        f"    app(['show', *line, '--home', {str(plain_world.home)!r}], standalone_mode=False)\n"
        "print(','.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert not {*done.stdout.splitlines()[-1].split(",")} & {*HEAVY, "dagster"}
