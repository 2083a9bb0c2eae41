"""What no request to a model may do, whatever is answered: leave where it is forbidden, go elsewhere, tell the key."""

import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest

from resources.errors import ConfigurationError, DocumentError
from resources.guarded_http import FORBIDDING
from resources.llm import EndpointError
from tests.model_answers import Call, Reply
from tests.model_faults import Fault, Status, always
from tests.model_server import ModelServer
from tests.model_world import ModelWorld

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
def test_a_redirect_is_told_and_not_followed(status: int, tmp_path: Path) -> None:
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
    """They stay on the disk for years, and are shown to whoever asks why something failed."""
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
