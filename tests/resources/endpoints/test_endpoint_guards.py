"""What no request to a model may do, whatever is answered: leave where it is forbidden, go elsewhere, tell the key."""

import traceback
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from resources.endpoints.llm import EndpointError
from resources.errors import ConfigurationError, DocumentError
from resources.wire.guarded_http import FORBIDDING
from tests.support.model_answers import Call, Reply
from tests.support.model_faults import Fault, Status, always
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

KEY = "sk-nobody-may-read-this-0123456789"


@dataclass(frozen=True, slots=True)
class Echo(Fault):
    """A reply that tells the client its own key."""

    status: int
    body: str = '{"error": {"message": "Incorrect key: KEY"}}'
    location: str = ""

    def reply(self, call: Call, reply: Reply) -> Reply:
        key = call.headers["authorization"].removeprefix("Bearer ")
        headers = {"location": self.location.replace("KEY", key)} if self.location else {}
        return Reply(self.body.replace("KEY", key).encode(), self.status, headers=headers)


def test_requests_can_be_forbidden_altogether(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FORBIDDING, "forbid")
    with ModelServer() as server, ModelWorld(tmp_path, server.url) as world:
        with pytest.raises(ConfigurationError, match=f"{FORBIDDING}=forbid"):
            world.run(world.say("A text."))
        assert server.calls == []
        assert world.attempts() == []


@pytest.mark.parametrize(
    "address", ["http://192.0.2.1", "http://localhost.invalid", "http://127.0.0.1.invalid", "http://2130706433.invalid"]
)
def test_only_this_machine_may_be_asked_where_the_rule_says_so(address: str, tmp_path: Path) -> None:
    """The tests' own rule: a mistake in a test must not send a document anywhere."""
    with ModelWorld(tmp_path, address) as world:
        with pytest.raises(ConfigurationError, match=f"{FORBIDDING}=loopback"):
            world.run(world.say("A text."))
        assert world.attempts() == []


def test_this_machine_may_be_asked_by_its_name_as_well(tmp_path: Path) -> None:
    with ModelServer() as server, ModelWorld(tmp_path, server.url.replace("127.0.0.1", "localhost")) as world:
        assert world.run(world.say("A text about bread."))
        assert len(server.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_reported_and_not_followed(status: int, tmp_path: Path) -> None:
    """The text of a document goes to the address that was configured, and nowhere else."""
    with ModelServer() as other:
        target = f"{other.url}/v1/chat/completions"
        with (
            ModelServer(always(Status(status, headers={"location": target}))) as server,
            ModelWorld(tmp_path, server.url) as world,
        ):
            for _ in range(2):
                with pytest.raises(EndpointError, match=target):
                    world.run(world.say("A text."))
            assert len(server.calls) == 1
        assert other.calls == []


_ECHOES = {
    "400": Echo(400),
    "401": Echo(401),
    "500": Echo(500),
    "500-long": Echo(500, "KEY " * 200),
    "redirect": Echo(302, location="http://127.0.0.1:9/?key=KEY"),
    "html": Echo(200, "<html>You are KEY</html>"),
    "error-in-200": Echo(200, '{"error": {"message": "Incorrect key: KEY"}}'),
    "refusal": Echo(200, '{"choices": [{"message": {"refusal": "I do not serve KEY"}}]}'),
}


@pytest.mark.parametrize("fault", _ECHOES.values(), ids=_ECHOES)
def test_a_key_that_the_server_says_aloud_is_in_no_account_and_no_reply(fault: Echo, tmp_path: Path) -> None:
    """They stay on the disk for years, and are shown to everybody who asks why something failed."""
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url, api_key=KEY) as world:
        with pytest.raises(DocumentError):
            world.ask()
        assert server.calls[0].headers["authorization"] == f"Bearer {KEY}"
        assert all(attempt.detail for attempt in world.attempts())
        written = world.written("requests", "actions")
    assert "***" in written
    assert KEY not in written


@pytest.mark.parametrize("fault", _ECHOES.values(), ids=_ECHOES)
def test_nor_is_it_in_an_error_or_a_remembered_failure(fault: Echo, tmp_path: Path) -> None:
    """Errors go to pages and logs."""
    with ModelServer(always(fault)) as server, ModelWorld(tmp_path, server.url, api_key=KEY) as world:
        with pytest.raises(DocumentError) as raised:
            world.ask()
        assert KEY not in world.written("failures")
    assert KEY not in f"{raised.value} {raised.value.reason} {raised.value.remedy}"


def test_nor_where_ollama_is_asked_by_a_key(tmp_path: Path) -> None:
    with (
        ModelServer(always(Echo(401))) as server,
        ModelWorld(tmp_path, server.url, provider="ollama", api_key=KEY) as world,
    ):
        with pytest.raises(EndpointError) as raised:
            world.ask()
        assert server.calls[0].headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in world.written("requests", "failures", "actions")
    assert KEY not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("around", ["{}\n", " {} ", "{}\r\n"])
def test_a_key_that_was_read_with_the_end_of_its_line_is_the_key(around: str, tmp_path: Path) -> None:
    """It was refused as an illegal header, and the message contained it."""
    with ModelServer() as server, ModelWorld(tmp_path, server.url, api_key=around.format(KEY)) as world:
        assert world.ask()
        assert server.calls[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("inside", ["\n", "\r\nx-other: 1", "\0", "\x7f", "é", "\u2028", "钥"])
def test_an_impossible_key_is_neither_sent_nor_shown(inside: str, tmp_path: Path) -> None:
    with ModelServer() as server, ModelWorld(tmp_path, server.url, api_key=f"{KEY}{inside}{KEY}") as world:
        with pytest.raises(ConfigurationError, match="Copy it once more") as raised:
            world.ask()
        assert server.calls == []
        assert KEY not in world.written("requests", "failures", "actions")
    assert KEY not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/a%20b%2Fc/v1", "/v1?api-version=1&x=%2F"])
def test_the_address_is_asked_as_it_was_written(path: str, tmp_path: Path) -> None:
    """Behind a gateway the path and what follows the question mark say who is meant."""
    asked: list[str] = []

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}{path}"
            with ModelWorld(tmp_path, base_url=url) as world, pytest.raises(DocumentError):
                world.ask()
        finally:
            server.shutdown()
            thread.join()
    own, question, query = path.partition("?")
    assert asked[0] == f"{own.rstrip('/')}/chat/completions{question}{query}"


@pytest.mark.parametrize("status", [400, 401])
def test_a_traceback_does_not_show_the_key_either(status: int, tmp_path: Path) -> None:
    """A page or a log that shows how an error came about shows its causes' words."""
    with (
        ModelServer(always(Echo(status))) as server,
        ModelWorld(tmp_path, server.url, api_key=KEY) as world,
        pytest.raises(DocumentError) as raised,
    ):
        world.ask()
    assert KEY not in "".join(traceback.format_exception(raised.value))
