"""The report on a knowledge base: what is in it, that it is whole in one file, and that nothing of a document is markup.

What belongs here: the page and the command. What does not: overviews of single documents and clusters
(tests/cli/test_show_overviews).
"""

import base64
import datetime as dt
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from io_managers.store.request_ledger import Attempt, Saving
from seed_assets.core.clusters.clusters import Cluster, Clustering, Placement
from seed_assets.core.maps.pictures import MapPlace, MapPlaces
from seed_assets.reports.knowledge_report import knowledge_report
from seed_assets.reports.report_map import HEIGHT, WIDTH, report_map
from seed_assets.reports.report_page import report_page
from tests.support.pipelines import World, essay, refusal
from tests.support.seed_process import ROOT

pytestmark = pytest.mark.slow

EVIL = '"><img src=https://evil.example/x onerror=alert(1)></script></style><script>alert(2)</script>\x1b[31m\u202e'
NOW = dt.datetime(2026, 5, 17, 12, 30, tzinfo=dt.UTC)


class Markup(HTMLParser):
    """The tags of a page, and its style sheets and scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, list[str]] = {"style": [], "script": [], "title": []}
        self._within = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in self.inline:
            self.inline[self._within].append(data)

    def named(self, attribute: str) -> list[str]:
        return [value for _, own in self.tags if (value := own.get(attribute)) is not None]


@pytest.fixture(scope="module")
def seeded(seeded_plain_world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A home with a cluster, an outlier, a failure, a document with dangerous names in it, and costs."""
    world = seeded_plain_world.copy_to(tmp_path_factory.mktemp("reported"))
    world.write("evil.md", f"# Evil {EVIL}\n\nThe harbour {EVIL} is closed. {essay('harbours')}")
    world.write("broken.pdf", b"no PDF")
    world.write("refused.txt", essay("sleepers"))
    world.summarizer.failing = {"sleepers": refusal("the model refused <b>it</b>.")}
    world.seed()
    with world.session() as session:
        requests = session.store.requests
        requests.record(
            Attempt("key", "summaries", "writer-1", "answered", input_tokens=1_200, output_tokens=34, usd=0.5)
        )
        requests.record(Attempt("other", "summaries", "writer-1", "timeout", usd=0.0))
        requests.save([Saving("summaries", "writer-1", 7, 6, 500, 60, 1.25)])
    return world


@pytest.fixture
def world(seeded: World, tmp_path: Path, own_environment: None) -> World:
    return seeded.copy_to(tmp_path)


def page_of(world: World) -> str:
    with world.session() as session:
        return report_page(knowledge_report(session, NOW))


def report(world: World, *arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["report", *arguments, "--home", str(world.home)])
    assert done.exit_code == status, done.output
    return done.output


def test_the_page_is_whole_and_runs_only_its_own_script(world: World) -> None:
    """It is sent to others and opened without a network; and texts of documents are not trusted."""
    page = page_of(world)
    markup = Markup(page)
    ((policy,),) = [[own["content"] for tag, own in markup.tags if own.get("http-equiv") == "Content-Security-Policy"]]
    assert policy is not None
    for kind in ("style", "script"):
        (text,) = markup.inline[kind]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "base-uri 'none'; form-action 'none'" in policy
    assert "unsafe" not in policy
    assert not {"img", "link", "iframe", "object", "base", "form"} & {tag for tag, _ in markup.tags}
    assert markup.named("src") == []
    assert not [name for _, own in markup.tags for name in own if name.startswith("on") or name == "style"]
    assert not {*page} & {"\x1b", "\u202e"}
    assert "&lt;img src=https://evil.example/x onerror=alert(1)&gt;" in page


def test_every_link_leads_to_a_part_of_the_page(world: World) -> None:
    markup = Markup(page_of(world))
    ids = markup.named("id")
    assert len(ids) == len(set(ids))
    links = markup.named("href")
    assert len(links) > 10
    assert [link for link in links if link.removeprefix("#") not in ids] == []


def test_documents_stand_in_their_clusters_with_summaries_and_verdicts(world: World) -> None:
    page = page_of(world)
    with world.session() as session:
        found = knowledge_report(session, NOW)
    assert "Written by Seedbank on 2026-05-17 12:30 UTC." in page
    first = found.types[0]
    assert (first.cluster_type, len(first.clusters) > 0) == ("topic", True)
    sections = page.split('<section class="cluster')[1:]
    for cluster, section in zip(first.clusters, sections, strict=False):
        assert f'id="{cluster.cluster}"' in section
        for member in cluster.members:
            assert f'id="d{found.numbers[member.document]}"' in section
    for name, one in found.documents.items():
        assert page.count(f'id="d{found.numbers[name]}"') == 1
        assert bool(one.summary) == (name != "refused.txt")
        if "<" not in one.summary:
            assert one.summary in page


def test_failures_and_money_are_reported(world: World) -> None:
    page = page_of(world)
    with world.session() as session:
        found = knowledge_report(session, NOW)
    assert {(one.unit, one.stage) for one in found.failures} == {
        ("broken.pdf", "extracted_text"),
        ("refused.txt", "summaries"),
    }
    assert "the model refused &lt;b&gt;it&lt;/b&gt;." in page
    assert all(one.remedy for one in found.failures)
    (cost,) = found.costs
    assert (cost.requests, cost.wasted) == (2, 1)
    assert (cost.input_tokens, cost.output_tokens, cost.spent) == (1_200, 34, "0.5000")
    assert (cost.reused, cost.saved_requests, cost.saved) == (7, 6, "1.25")
    assert '<td class="number">1,200</td>' in page


def test_the_map_has_each_document_once_with_its_name(world: World) -> None:
    page = page_of(world)
    with world.session() as session:
        found = knowledge_report(session, NOW)
    drawn = found.types[0].map
    assert drawn is not None
    dots = [dot for group in drawn.groups for dot in group.dots]
    assert sorted(dot.document for dot in dots) == sorted(found.documents)
    assert all(0 < dot.x < WIDTH and 0 < dot.y < HEIGHT for dot in dots)
    label = next(dot.label for dot in dots if dot.document == "reefs/corals.txt")
    assert "reefs/corals.txt" in label
    assert page.count("<circle ") == sum(len(g.dots) for t in found.types if t.map for g in t.map.groups)


def test_titles_on_a_map_do_not_cover_each_other() -> None:
    documents = [f"{number}.md" for number in range(40)]
    clusters = tuple(Cluster(f"topic/{n + 1}", tuple(documents[4 * n : 4 * n + 4])) for n in range(10))
    placements = {name: Placement(one.cluster_id, 1.0) for one in clusters for name in one.members}
    found = Clustering("topic", clusters, placements, 11, 40)
    places = MapPlaces({name: MapPlace(0.001 * n - 0.02, -0.9 + n / 40, "") for n, name in enumerate(documents)})
    drawn = report_map(
        places, found, dict.fromkeys(documents, ""), {c.cluster_id: "a long title of words" for c in clusters}
    )
    assert drawn is not None
    assert [group.colour for group in drawn.groups] == list(range(10))
    lines = sorted(title.y for title in drawn.titles)
    assert len(lines) > 3
    assert all(after - before >= 20 for before, after in pairwise(lines))
    assert report_map(None, found, {}, {}) is None


def test_a_report_is_written_where_it_is_asked_for(world: World, tmp_path: Path) -> None:
    said = report(world)
    assert f"{world.home / 'report.html'}: " in said
    assert (world.home / "report.html").read_text().startswith("<!DOCTYPE html>")
    elsewhere = tmp_path / "new folder" / "r.html"
    assert "is no folder, so r.html cannot be written there" in report(world, "-o", str(elsewhere), status=2)
    elsewhere.parent.mkdir()
    told = json.loads(report(world, "--output", str(elsewhere), "--json"))
    assert told["bytes"] == elsewhere.stat().st_size
    assert told["documents"] == 8
    printed = report(world, "-o", "-")
    assert printed.startswith("<!DOCTYPE html>")
    assert len(Markup(printed).tags) == len(Markup(elsewhere.read_text()).tags)


def test_a_report_is_no_document_of_the_corpus(world: World) -> None:
    """The next seed would read it, and the one after that its report on itself."""
    assert "would read it as a document" in report(world, "-o", str(world.corpus / "r.html"), status=2)
    assert "is a folder. Name a file in it" in report(world, "-o", str(world.corpus), status=2)
    assert not (world.corpus / "r.html").exists()


def test_a_report_is_written_without_the_corpus(world: World) -> None:
    """A home may be all that is left, for example a backup on another machine."""
    shutil.rmtree(world.corpus)
    page = page_of(world)
    assert "Whether this is current is not known. There is no corpus folder" in page
    assert "reefs/corals.txt" in page


def test_the_sample_in_the_docs_is_written_by_the_present_templates() -> None:
    sample = Markup((ROOT / "docs/report-sample.html").read_text())
    templates = ROOT / "seed_assets/reports/templates"
    assert sample.inline["style"] == [(templates / "page.css").read_text()]
    assert sample.inline["script"] == [(templates / "report.js").read_text()]
    assert len(re.findall(r"class=\"document\"", (ROOT / "docs/report-sample.html").read_text())) == 37
