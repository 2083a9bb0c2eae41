"""Who sees the pages: logging in with the token, and forms that only the service's own pages may send."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from service.pages import login
from tests.support.asking import CountingAnswerer, TextFinder
from tests.support.html_content import shown
from tests.support.pipelines import World
from tests.support.served import Served, base_over, client_of, served

TOKEN = "a-token-of-the-tests"
TOKENS = {"bread": "the-token-of-bread", "rails": "the-token-of-rails"}
OWN = {"Origin": "http://127.0.0.1:8000"}
PAGES = ("/", "/page/documents", "/page/clusters", "/page/money", "/page/ingestions", "/page/conversations")


@pytest.fixture
def closed(plain_world: World) -> Iterator[Served]:
    """A service that other machines can reach, with a token."""
    with served(plain_world.home, plain_world.corpus, TOKEN, loopback=False) as found:
        yield found


def enter(client: TestClient, token: str, root: str = "", following: str = "") -> int:
    data = {"token": token, "next": following or f"{root}/"}
    return client.post(f"{root}/page/login", data=data, headers=OWN).status_code


@pytest.mark.parametrize("path", [*PAGES, "/page/text/reefs/fish.txt?start=1&end=9", "/page/nothing"])
def test_without_the_token_every_page_leads_to_the_form_and_back(closed: Served, path: str) -> None:
    found = closed.client.get(path, follow_redirects=False)
    assert found.status_code == 303
    where = urlsplit(found.headers["location"])
    assert where.path == "/page/login"
    assert parse_qs(where.query)["next"] == [path]
    form = shown(closed.client.get(found.headers["location"]))
    assert form.tree.xpath("//input[@name='next']/@value") == [path]
    assert "Documents" not in form.words("//header")[0]
    part = closed.client.get(path, headers={"HX-Request": "true"}, follow_redirects=False)
    assert (part.status_code, part.headers["hx-redirect"]) == (401, found.headers["location"])


def test_the_token_opens_the_pages_and_a_wrong_one_does_not(closed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.pages.login_pages._WRONG_SECONDS", 0)
    assert enter(closed.client, "not-the-token-at-all") == 401
    assert closed.client.get("/", follow_redirects=False).status_code == 303
    entered = closed.client.post("/page/login", data={"token": TOKEN, "next": "/page/money"}, headers=OWN)
    assert entered.url.path == "/page/money"
    for path in PAGES:
        assert closed.client.get(path, follow_redirects=False).status_code == 200
    left = closed.client.post("/page/logout", headers={**OWN, "Content-Type": "application/x-www-form-urlencoded"})
    assert left.url.path == "/page/login"
    assert closed.client.get("/", follow_redirects=False).status_code == 303


def test_no_script_reads_the_cookie_and_no_other_site_sends_it(closed: Served) -> None:
    for origin, secure in (("http://127.0.0.1:8000", False), ("https://127.0.0.1:8000", True)):
        found = closed.client.post(
            "/page/login", data={"token": TOKEN}, headers={"Origin": origin}, follow_redirects=False
        )
        cookie = found.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert ("Secure" in cookie) == secure
        assert TOKEN not in cookie


def test_the_cookie_opens_no_route_of_programs(closed: Served) -> None:
    """A form of another site cannot carry the cookie, but a fault in a browser may; so it opens as little as possible."""
    enter(closed.client, TOKEN)
    assert closed.client.get("/documents").status_code == 401
    assert closed.client.post("/ask", json={"question": "Who?"}, headers=OWN).status_code == 401
    assert closed.client.get("/page/money", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_cookie_ends_with_its_time_and_with_the_token(closed: Served) -> None:
    until = str(int(time.time()) + 60)
    good = f"{until}.{login._code(TOKEN, until)}"
    for value, status in (
        (good, 200),
        (f"{int(until) + 1}{good.removeprefix(until)}", 303),
        (f"1.{login._code(TOKEN, '1')}", 303),
        (f"{until}.{login._code('another-token-of-16', until)}", 303),
        (f"{until}.", 303),
        ("x", 303),
        ("9" * 5_000 + ".x", 303),
    ):
        closed.client.cookies.clear()
        found = closed.client.get("/", headers={"Cookie": f"seedbank={value}"}, follow_redirects=False)
        assert found.status_code == status, value[:80]


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/page/../../x\n", "evil", "/openapi.json", ""],
)
def test_after_logging_in_one_is_on_a_page_of_this_knowledge_base(closed: Served, elsewhere: str) -> None:
    data = {"token": TOKEN, "next": elsewhere}
    found = closed.client.post("/page/login", data=data, headers=OWN, follow_redirects=False)
    assert found.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_changes_nothing(service: Served, headers: dict[str, str]) -> None:
    conversation = service.base.asker.sessions.begin()
    for path in ("/page/ask", "/page/ingestions", f"/page/conversations/{conversation}/delete", "/page/logout"):
        found = service.client.post(path, data={"question": "Who?"}, headers=headers)
        assert found.status_code == 403, path
    assert service.base.asker.sessions.has(conversation)
    assert not service.base.requests.newest()
    assert not service.answerer.asked


def test_a_page_of_another_knowledge_base_is_not_reached(
    seeded_plain_world: World, own_environment: None, tmp_path: Path
) -> None:
    bases = []
    for name, token in TOKENS.items():
        world = seeded_plain_world.copy_to(tmp_path / name)
        bases.append(base_over(world.home, world.corpus, TextFinder({}), CountingAnswerer(), name, token))
    with client_of(bases, loopback=False) as client:
        first = client.get("/bread/page/money", follow_redirects=False)
        assert first.headers["location"].startswith("/bread/page/login?next=%2Fbread%2Fpage%2Fmoney")
        enter(client, TOKENS["bread"], "/bread")
        page = shown(client.get("/bread/page/documents"))
        assert page.status == 200
        assert all(link.startswith("/bread/") for link in page.links("//body") if link.startswith("/"))
        assert client.get("/rails/page/documents", follow_redirects=False).status_code == 303
        value = client.cookies.get("seedbank", path="/bread/")
        forged = client.get("/rails/", headers={"Cookie": f"seedbank={value}"}, follow_redirects=False)
        assert forged.status_code == 303


def test_the_pages_are_not_reached_under_the_name_of_another_site(service: Served) -> None:
    """DNS rebinding, as for the API."""
    for path in (*PAGES, "/page/login", "/page/static/page.css"):
        assert service.client.get(path, headers={"Host": "evil.example"}).status_code == 421
