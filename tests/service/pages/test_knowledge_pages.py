"""The pages on what the knowledge base holds: documents, clusters, money and ingestions; and what holds for every page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from io_managers.store.request_ledger import Attempt, Saving
from resources.ingestions.ingestion_requests import IngestionFailure, IngestionRun
from seed_assets.session.session import Session
from service.pages.static_files import VENDORED, static_bytes
from tests.conftest import DOCUMENTS
from tests.support.html_content import Shown, shown
from tests.support.pipelines import World, essay
from tests.support.served import Served, served

pytestmark = pytest.mark.slow

OWN = {"Origin": "http://127.0.0.1:8000", "Content-Type": "application/x-www-form-urlencoded"}
PAGES = (
    "/",
    "/page/documents",
    "/page/clusters",
    "/page/money",
    "/page/ingestions",
    "/page/conversations",
    "/page/none",
)
UNWANTED = re.compile(r"\|\s*safe|autoescape|<style|\sstyle=|\son\w+=|hx-on|hx-vals=.js|<script(?![^>]*\ssrc=)")
TEMPLATES = Path(__file__).resolve().parents[3] / "service" / "pages" / "templates"


@pytest.fixture
def broken(plain_world: World) -> Iterator[Served]:
    """A service over a home with a document that cannot be read, one with a strange name, and one that is not seeded yet."""
    (plain_world.corpus / "bad.pdf").write_bytes(b"no PDF")
    plain_world.write("odd/a b?#&é<i>.md", essay("oddities"))
    plain_world.seed()
    plain_world.write("new.md", essay("news"))
    with as_seeded(plain_world) as found:
        yield found


@contextmanager
def as_seeded(world: World) -> Iterator[Served]:
    """A service that has the pipeline with which a world was seeded, so that nothing is stale."""
    with served(world.home, world.corpus) as found, world.session() as session:
        found.base.session = Session(session.settings, session.pipeline)
        yield found


def listed(page: Shown) -> list[str]:
    """The documents in the list of a page."""
    return [link.removeprefix("/page/documents/") for link in page.links("//ul[contains(@class, 'documents')]")]


def test_documents_are_listed_with_the_state_of_each_stage(plain_world: World) -> None:
    with as_seeded(plain_world) as service:
        page = shown(service.client.get("/page/documents"))
    assert listed(page) == sorted(DOCUMENTS)
    assert page.words("//ul[contains(@class, 'documents')]/li[1]//span[contains(@class, 'badge')]") == ["current"]
    stages = page.words("//ul[contains(@class, 'documents')]/li[1]//ul[@class='stages']/li")
    assert {"extracted_text: current", "summaries: current", "lance_chunks: current"} <= {*stages}


def test_documents_are_found_by_name_and_by_state(broken: Served) -> None:
    def found(**query: str) -> list[str]:
        return listed(shown(broken.client.get("/page/documents", params=query)))

    assert found(name="CORAL") == ["reefs/corals.txt"]
    assert found(state="missing") == ["new.md"]
    assert found(state="failed") == ["bad.pdf"]
    assert found(name="coral", state="failed") == []
    assert len(found(state="no such state")) == len(DOCUMENTS) + 3
    assert found(after="reefs/corals.txt") == ["reefs/fish.txt"]


def test_a_part_of_the_list_is_sent_to_a_page_that_filters(service: Served) -> None:
    part = service.client.get("/page/documents", params={"name": "fish"}, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "reefs/fish.txt" in part.text
    assert "reefs/corals.txt" not in part.text


def test_a_failure_is_shown_with_its_reason_and_its_remedy(broken: Served) -> None:
    failure = broken.base.session.plan().stages["extracted_text"].failures["bad.pdf"]
    assert failure.remedy
    for path in ("/page/documents?state=failed", "/page/documents/bad.pdf"):
        page = shown(broken.client.get(path))
        assert f"extracted_text: {failure.reason}" in page.text
        assert failure.remedy in page.text


def test_a_long_list_has_further_pages(service: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.pages.document_list.document_list.__defaults__", ("", "", "", 4))
    seen: list[str] = []
    address = "/page/documents?name=s"
    while address:
        page = shown(service.client.get(address))
        links = page.links("//ul[contains(@class, 'documents')]")
        assert len(links) <= 4
        seen += links
        address = next(iter(page.tree.xpath("//a[text()='Next page']/@href")), "")
    assert seen == [f"/page/documents/{one}" for one in sorted(DOCUMENTS) if "s" in one]


def test_a_document_is_shown_with_what_was_made_of_it(service: Served) -> None:
    service.finder.documents = {"reefs/fish.txt": "Fish live in reefs."}
    service.ask("Which fish live in reefs?")
    page = shown(service.client.get("/page/documents/reefs/fish.txt"))
    for heading in ("Summary", "Claims", "Concepts", "Clusters", "Text", "State by stage"):
        assert heading in page.words("//h2")
    assert page.words("//section[@aria-labelledby='questions']//a") == ["Which fish live in reefs?"]
    claims = page.links("//section[@aria-labelledby='claims']")
    assert claims
    place = shown(service.client.get(claims[0]))
    assert place.words("//mark")[0] in page.text
    assert "has changed" not in place.text


def test_a_document_of_any_name_can_be_opened(broken: Served) -> None:
    found = shown(broken.client.get("/page/documents", params={"name": "odd"}))
    (address,) = found.links("//ul[contains(@class, 'documents')]")
    page = shown(broken.client.get(address))
    assert page.status == 200
    assert "a b?#&é<i>.md" in page.text
    assert shown(broken.client.get(page.tree.xpath("//a[@class='button']/@href")[0])).status == 200


@pytest.mark.slow
def test_a_long_text_is_shown_in_parts_and_a_place_in_the_right_one(plain_world: World) -> None:
    text = "\n\n".join(f"Paragraph {number} of the long text, which has some more words." for number in range(1_500))
    plain_world.write("long.txt", text)
    plain_world.seed()
    with served(plain_world.home, plain_world.corpus) as service:
        first = shown(service.client.get("/page/text/long.txt"))
        assert "Part 1 of 4" in first.text
        assert "Paragraph 0 " in first.text
        assert "Paragraph 1499 " not in first.text
        assert "Part 2 of 4" in shown(service.client.get(first.links("//p[@class='actions']")[0])).text
        at = text.index("Paragraph 1499")
        last = shown(service.client.get("/page/text/long.txt", params={"start": at, "end": at + 14}))
        assert last.words("//mark") == ["Paragraph 1499"]
        assert "Part 4 of 4" in last.text
        assert "has changed" in shown(service.client.get(f"/page/text/long.txt?start={at}&end={10 * at}")).text


@pytest.mark.parametrize(
    "path",
    [
        *("/page/none", "/page/documents/none.md", "/page/documents/%2e%2e/%2e%2e/etc/passwd", "/page/documents/a%00b"),
        *("/page/text/none.md", "/page/text/reefs/fish.txt?part=99", "/page/text/reefs/fish.txt?start=x&end=1"),
        *("/page/text/reefs/fish.txt?part=-1", "/page/text/reefs/fish.txt?part=" + "9" * 5_000),
        *("/page/clusters/topic/999", "/page/clusters?type=none", "/page/ingestions/none", "/page/conversations/none"),
        *("/page/static/none.js", "/page/static/..%2f..%2fapp.py", "/page/documents/" + "x" * 4_000),
    ],
)
def test_what_does_not_exist_has_a_friendly_page(service: Served, path: str) -> None:
    page = shown(service.client.get(path))
    assert page.status == 404
    assert page.words("//h1") == ["There is no such thing"]
    assert {"/", "/page/documents"} <= {*page.links()}


def test_clusters_are_shown_with_a_map_that_names_every_document(service: Served) -> None:
    page = shown(service.client.get("/page/clusters"))
    named = page.tree.xpath("//*[local-name()='circle']/*[local-name()='title']/text()")
    assert {label.split("\n")[1] for label in named} == {*DOCUMENTS}
    cards = page.links("//li[contains(@class, 'card')]//h2")
    assert cards
    one = shown(service.client.get(cards[0]))
    assert {link.removeprefix("/page/documents/") for link in one.links("//section[@aria-labelledby='members']")} < {
        *DOCUMENTS
    }
    assert "/page/clusters?type=concept" in page.links("//nav[@aria-label='Cluster types']")


def test_clusters_are_shown_without_a_map_until_it_is_drawn(service: Served) -> None:
    service.base.session.store.refs.drop("corpus_map", ["topic"])
    page = shown(service.client.get("/page/clusters"))
    assert page.words("//li[contains(@class, 'card')]//h2")
    assert not page.tree.xpath("//*[local-name()='circle']")


def test_money_is_shown_by_stage_and_model(service: Served) -> None:
    assert "No model was asked" in shown(service.client.get("/page/money")).text
    requests = service.base.session.store.requests
    for outcome, usd in (("answered", 0.25), ("no JSON", 0.125), ("timeout", None)):
        requests.record(Attempt("key", "summaries", "gpt", outcome, "", 1.5, 1_000, 100, usd))
    requests.save([Saving("summaries", "gpt", 3, 3, 3_000, 300, 0.75)])
    requests._database.write(requests.put(Attempt("key", "chunks", "other", "answered"))).result()
    page = shown(service.client.get("/page/money?days=7"))
    (account,) = (one for one in service.base.session.store.account.accounts() if one.stage == "summaries")
    assert account.hit_rate is not None
    rate = f"{account.hit_rate:.0%}"
    assert page.words("//tbody/tr[th='summaries']/*") == [
        *("summaries", "gpt", "3", "3,000", "300", "$0.3750 + 1 unpriced", "$0.1250", "3", rate, "$0.7500", "1.50 s"),
        "1 no JSON, 1 timeout",
    ]
    assert "$0.3750 spent, without 1 request of unknown price" in page.text
    assert "$0.1250 of the money spent gave no usable answer" in page.text
    assert "$0.7500 saved by reuse" in page.text


def test_an_ingestion_is_started_followed_and_cancelled(broken: Served) -> None:
    page = shown(broken.client.post("/page/ingestions", headers=OWN, content="verify=yes"))
    (ingestion,) = broken.base.requests.newest()
    assert ingestion.verify
    assert "seedbank dev" in page.text, "no daemon takes it up, and the page says what to do"
    assert "7 of 9 documents up to date" in page.text
    assert {"new.md", "bad.pdf"} <= {one.removeprefix("/page/documents/") for one in page.links()}
    address = f"/page/ingestions/{ingestion.ingestion_id}"
    assert address in shown(broken.client.get("/page/ingestions")).links()
    failure = IngestionFailure("bad.pdf", "extracted_text", "It is <b>bad</b>.", "Correct the file.")
    run = IngestionRun("1", "seed_documents", "STARTED", steps_done=2)
    broken.base.requests.record(
        msgspec.structs.replace(ingestion, state="running", runs=(run,), failures=(failure,), failed=1)
    )
    part = broken.client.get(address, headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert 'hx-trigger="every' in part
    for words in ("running", "seed_documents", "2 steps done", "It is &lt;b&gt;bad&lt;/b&gt;.", "Correct the file."):
        assert words in part
    assert "cancelling" in shown(broken.client.post(f"{address}/cancel", headers=OWN)).text
    ended = broken.base.requests.get(ingestion.ingestion_id)
    assert ended is not None
    broken.base.requests.record(msgspec.structs.replace(ended, state="cancelled", ended=1.0))
    last = broken.client.get(address, headers={"HX-Request": "true"}).text
    assert "hx-trigger" not in last, "the page asks no more"
    assert shown(broken.client.post("/page/ingestions/none/cancel", headers=OWN)).status == 404


def test_every_page_loads_and_sends_only_to_its_own_service(service: Served) -> None:
    for path in PAGES:
        found = service.client.get(path)
        policy = dict(part.split(" ", 1) for part in found.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert {policy[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {"'self'"}
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        # With no-referrer, a browser would send its forms without their origin.
        assert found.headers["referrer-policy"] == "same-origin"
        assert found.headers["cache-control"] == "no-store"
        page = shown(found)
        for address in page.tree.xpath("//@src | //@href | //@action | //@*[starts-with(name(), 'hx-get')]"):
            assert not urlsplit(address).netloc
        for file in page.tree.xpath("//script/@src | //link/@href"):
            assert service.client.get(file).status_code == 200
        assert page.tree.xpath("//html/@lang") == ["en"]
        assert page.tree.xpath("//a[@class='skip']/@href") == ["#main"]


def test_no_template_has_markup_that_the_policy_or_the_escaping_would_let_pass() -> None:
    """A policy without inline scripts is of use only if no page needs one, and escaping only if no text is exempted from it."""
    for template in TEMPLATES.iterdir():
        text = template.read_text()
        assert not re.search(
            r"\|\s*safe|autoescape|<style|\sstyle=|\son\w+=|hx-on|hx-vals=.js|<script(?![^>]*\ssrc=)", text
        ), template


def test_htmx_is_as_it_was_published() -> None:
    for name, digest in VENDORED.items():
        assert sha256(static_bytes(name)).hexdigest() == digest
    assert static_bytes("htmx.LICENSE").startswith(b"Zero-Clause BSD")


def test_a_file_that_has_not_changed_is_not_sent_again(service: Served) -> None:
    first = service.client.get("/page/static/page.css")
    again = service.client.get("/page/static/page.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_pages_are_measured_by_their_routes(service: Served) -> None:
    """A label by path would grow without bounds."""
    service.client.get("/page/documents/reefs/fish.txt")
    figures = service.client.get("/metrics").text
    assert 'route="/page/documents/{document:path}"' in figures
    assert "fish" not in figures


def test_the_description_of_the_api_has_no_pages(service: Served) -> None:
    assert not [path for path in service.client.get("/openapi.json").json()["paths"] if path.startswith("/page")]
