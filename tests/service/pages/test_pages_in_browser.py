"""The pages in a browser: answers that stream, the keyboard, a phone, the policy on scripts, and what axe-core finds.

Chromium has to be installed (`apt-get install chromium`); otherwise these tests are skipped. Playwright only controls it.
"""

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import uvicorn
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from seed_assets.session.session import Session
from service.access import rules
from service.app import build_service
from service.bases import Base
from tests.service.pages.test_entity_pages import ON, TEXTS, turn_on
from tests.support.asking import CountingAnswerer, TextFinder
from tests.support.http_service import free_port
from tests.support.pipelines import World
from tests.support.served import base_over

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

CORALS, TOKEN = "reefs/corals.txt", "a-token-of-the-tests"
SENTENCE = "Of corals the note 0.0 says that it was seen before noon and written down with care."
PHONE, DESK = ViewportSize(width=360, height=740), ViewportSize(width=1_280, height=900)
PAGES = (
    "/",
    "/page/documents",
    f"/page/documents/{CORALS}",
    f"/page/text/{CORALS}?start=0&end=40",
    "/page/clusters",
    "/page/clusters/topic/1",
    "/page/money",
    "/page/ingestions",
    "/page/conversations",
    "/page/none",
)


@dataclass
class Site:
    """A running service. said: what pages wrote to the browser's console, errors of the policy on scripts among it."""

    address: str
    base: Base
    answerer: CountingAnswerer
    said: list[str] = field(default_factory=list[str])

    def open(self, browser: Browser, path: str = "/", *, scripts: bool = True) -> Page:
        """A page in a context of its own. scripts: whether JavaScript is switched on."""
        page = browser.new_context(viewport=DESK, java_script_enabled=scripts).new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.goto(f"{self.address}{path}")
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=[*flags, "--disable-component-update"])
        yield found
        found.close()


@contextmanager
def running(world: World, token: str = "") -> Iterator[Site]:
    """A service in a thread of this process."""
    answerer = CountingAnswerer()
    base = base_over(world.home, world.corpus, TextFinder({CORALS: SENTENCE}), answerer, token=token)
    with world.session() as session:
        base.session = Session(session.settings, session.pipeline)
    port = free_port()
    app = build_service([base], lambda one: rules(one.token, "127.0.0.1", (), loopback=True))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield Site(f"http://127.0.0.1:{port}", base, answerer)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def site(plain_world: World) -> Iterator[Site]:
    with running(plain_world) as found:
        yield found
        assert not found.said, "a page broke its policy, or a script failed"


def test_an_answer_streams_into_the_page_and_its_source_opens_at_the_place(site: Site, browser: Browser) -> None:
    page = site.open(browser)
    page.fill("#question", "Where are corals seen?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#turn-1 .sources")
    assert page.input_value("#question") == ""
    assert page.inner_text("#turn-1 .answer").startswith(SENTENCE)
    assert page.get_attribute("#conversation", "value")
    assert page.inner_text("#conversations li a") == "Where are corals seen?"
    page.fill("#question", "When are corals seen?")
    page.click("#ask-form button")
    page.wait_for_selector("#turn-2 .sources")
    page.click("#turn-2 .answer .cite")
    page.wait_for_selector("mark#place")
    assert page.inner_text("mark") == SENTENCE
    box = page.locator("mark").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < DESK["height"]
    (conversation,) = site.base.asker.sessions.conversations()
    assert conversation.turns == 2


def test_a_failure_comes_into_the_page_and_the_next_question_is_answered(site: Site, browser: Browser) -> None:
    page = site.open(browser)
    site.answerer.failure = RuntimeError("a fault of the service")
    page.fill("#question", "Where are corals seen?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn .problem")
    site.answerer.failure = None
    page.fill("#question", "When are corals seen?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#turn-1 .sources")


def test_everything_is_asked_and_read_without_javascript(site: Site, browser: Browser) -> None:
    page = site.open(browser, scripts=False)
    page.fill("#question", "Where are corals seen?")
    page.click("#ask-form button")
    assert "/page/conversations/" in page.url
    assert page.inner_text(".answer").startswith(SENTENCE)
    page.click("text=Documents")
    page.fill("#name", "fish")
    page.click("button:has-text('Filter')")
    assert page.locator(".documents > li").count() == 1
    page.click("nav >> text=Ingest")
    page.click("text=Start an ingestion")
    page.click("text=Cancel")
    assert "cancelled" in page.inner_text("#ingestion")


def test_the_pages_are_used_with_the_keyboard(site: Site, browser: Browser) -> None:
    page = site.open(browser)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    box = page.locator(".skip").bounding_box()
    assert box is not None
    assert box["x"] >= 0, "it is seen as soon as it has the focus"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "question"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.type("Where are corals seen?")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_selector("#turn-1 .sources")


def test_a_list_is_filtered_while_one_types(site: Site, browser: Browser) -> None:
    page = site.open(browser, "/page/documents")
    page.evaluate("window.same = true")
    page.type("#name", "fish")
    page.wait_for_selector(".documents > li:only-child")
    page.fill("#name", "")
    page.select_option("#state", "failed")
    page.wait_for_selector("text=No document fits")
    assert page.evaluate("window.same"), "the page was not loaded again"


def test_an_ingestion_is_followed_while_it_works(site: Site, browser: Browser) -> None:
    requested = site.base.requests.request()
    assert requested is not None
    page = site.open(browser, f"/page/ingestions/{requested.ingestion_id}")
    assert page.inner_text("#ingestion .badge") == "requested"
    page.focus("#cancel")
    site.base.requests.record(msgspec.structs.replace(requested, state="running"))
    page.wait_for_selector("#ingestion .badge.running")
    assert page.evaluate("document.activeElement.id") == "cancel", "who uses the keyboard keeps the place"
    site.base.requests.record(msgspec.structs.replace(requested, state="succeeded", ended=1.0))
    page.wait_for_selector("#ingestion .badge.succeeded")


def test_one_logs_in_and_out_with_a_form(plain_world: World, browser: Browser) -> None:
    with running(plain_world, TOKEN) as site:
        page = site.open(browser, "/page/money?days=7")
        page.fill("#token", TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Money')")
        assert page.url.endswith("/page/money?days=7")
        (cookie,) = page.context.cookies()
        assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Strict")
        page.click("text=Log out")
        page.wait_for_selector("#token")


def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_phone(site: Site, browser: Browser) -> None:
    page = site.open(browser)
    page.fill("#question", "Where are corals seen?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#turn-1 .sources")
    found: list[str] = []
    _look(page, "an answer", found)
    for path in PAGES:
        page.goto(f"{site.address}{path}")
        _look(page, path, found)
    site.said.clear()  # the page that does not exist is an error of the network
    assert not found


def test_a_graph_can_be_read_and_walked_with_the_keyboard_on_a_phone_and_at_night(
    tmp_path: Path, own_environment: None, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    turn_on(monkeypatch, **ON)
    world = World(tmp_path, plain=True)
    world.settings = {"entities": ON}
    for name, text in TEXTS.items():
        world.write(name, text)
    with ThreadPoolExecutor() as apart:  # Playwright's event loop runs in this thread
        assert apart.submit(world.seed).result().failed() == set()
    found: list[str] = []
    with running(world) as site:
        page = site.open(browser, "/page/entities?name=Weber")
        page.click("main .rows a")
        page.wait_for_selector("svg.graph")
        _look(page, "an entity", found)
        # The name of a node that has the focus is shown, and the node leads to its page.
        page.focus("svg.graph a:not(.middle)")
        assert page.evaluate("getComputedStyle(document.activeElement.querySelector('text')).visibility") == "visible"
        before = page.url
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: url != before)
        page.goto(f"{site.address}/page/graph/weber.txt")
        _look(page, "a graph of a document", found)
        page.goto(f"{site.address}/page/entities")
        _look(page, "the list of entities", found)
        assert not site.said, "a page broke its policy, or a script failed"
    assert not found


def _look(page: Page, name: str, found: list[str]) -> None:
    """Note what is wrong with a page, on a phone and on a desk, light and dark."""
    page.evaluate(AXE_SCRIPT)
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name} is wider than {size['width']}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            # In the dark only the colours differ.
            options = {"resultTypes": ["violations"]} | ({"runOnly": ["color-contrast"]} if scheme == "dark" else {})
            for fault in page.evaluate("options => axe.run(options)", options)["violations"]:
                if fault["impact"] in ("serious", "critical"):
                    nodes = "; ".join(node["html"][:200] for node in fault["nodes"][:3])
                    found.append(f"{name}, {size['width']}, {scheme}: {fault['id']}: {nodes}")
