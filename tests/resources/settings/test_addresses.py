"""Addresses in the settings: a wrong one ends every command with its setting's name, before anything is asked."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import app
from resources.errors import ConfigurationError
from resources.models.model_clients import ModelClients
from resources.settings.config import PROJECT_ROOT, load_settings
from resources.wire.addresses import host_of, is_loopback, shown_address, wrong_address
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

HTTP = ("http", "https")
# What is wrong -> the word of the message that says so.
WRONG = {
    "http://127.0.0.1:99999/v1": "port",
    "http://127.0.0.1:0/v1": "port",
    "http://127.0.0.1:port/v1": "port",
    "http://127.0.0.1:80 80/v1": "spaces",
    "http://127.0.0.1:/v1": "port",
    "http://127.0.0.1:８０/v1": "port",
    "::1:8000": "begin with",
    "[::1:8000": "begin with",
    "http://::1:8000": "brackets",
    "http://[::1:8000": "]",
    "http://[::1]8000": "]",
    "http://[12345::1]:80": "IPv6",
    "127.0.0.1:8000/v1": "begin with",
    "localhost:8000": "begin with",
    "//127.0.0.1": "begin with",
    "http:/127.0.0.1": "begin with",
    "ftp://127.0.0.1/v1": "begin with",
    "file:///etc/passwd": "begin with",
    "http://": "host name is missing",
    "http:///v1": "host name is missing",
    "http://:8000/v1": "host name is missing",
    "http://?x": "host name is missing",
    "http://a..b/v1": "host's name",
    "http://127.0.0.1.900/v1": "",
    "http://300.0.0.1/v1": "IPv4",
    f"http://{'a' * 64}.example/v1": "host's name",
    "http://exa%20mple/v1": "host's name",
    " http://127.0.0.1": "spaces",
    "http://127.0.0.1/v1\n": "spaces",
    "http://127.0.0.1/\x00": "invisible",
    "http://127.0.0.1/\u200b": "invisible",
    "http://127.0.0.1\\v1": "\\",
    "http://me:p@ss@127.0.0.1": "%40",
    "http://☃.example": "host's name",
}
RIGHT = (
    "http://127.0.0.1:8000/v1",
    "HTTPS://Models.Example:443",
    "http://[::1]:8000/v1",
    "https://me:secret@models.example/a%20b?api-version=1",
    "http://model_server:1/v1",
    "http://bücher.example",
    "http://models.example./v1",
)
del WRONG["http://127.0.0.1.900/v1"]


@pytest.mark.parametrize(("address", "word"), WRONG.items(), ids=ascii)
def test_what_is_wrong_with_an_address_is_said(address: str, word: str) -> None:
    assert word in wrong_address(address, HTTP)


@pytest.mark.parametrize("address", RIGHT, ids=ascii)
def test_a_right_address_is_taken_as_the_client_reads_it(address: str) -> None:
    assert wrong_address(address, HTTP) == ""
    assert httpx2.URL(address).host == host_of(address)


@given(st.text(alphabet="ab1.:[]@/?#%\\-_ é\n0", max_size=24))
def test_whatever_is_taken_can_be_asked(rest: str) -> None:
    """What the check lets through and the client refuses would end as a fault of the stage's code."""
    address = f"http://{rest}"
    if not wrong_address(address, HTTP):
        url = httpx2.URL(address)
        assert url.host == host_of(address) or not url.host.isascii()
        assert url.port is None or 0 < url.port < 65_536
        url.host.encode("idna")  # as the resolver does


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True),
        ("models.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("192.168.0.1", False),
        ("localhost.example", False),
        ("models.example", False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_an_address_is_shown_without_its_secrets() -> None:
    for secret in ("http://me:pa/ss@h/v1", "http://me:pass@h:port", "h?key=pass", "redis://:pa@ss@h"):
        assert "pa" not in shown_address(secret).replace("port", "")
        assert "h" in shown_address(secret)


SETTINGS = {
    "llm.base_url": {"SEEDBANK_LLM__BASE_URL": "ADDRESS"},
    "embeddings.base_url": {"SEEDBANK_EMBEDDINGS__BASE_URL": "ADDRESS"},
    "OPENAI_BASE_URL": {
        "OPENAI_BASE_URL": "ADDRESS",
        "SEEDBANK_LLM__PROVIDER": "openai",
        "SEEDBANK_LLM__MODEL": "m",
    },
    "limits.redis_url": {"SEEDBANK_LIMITS__REDIS_URL": "ADDRESS"},
}
COMMANDS = {
    "plan": ["plan"],
    "status": ["status"],
    "search": ["search", "bread"],
    "seed": ["seed"],
    "check": ["check"],
    "dev": ["dev"],
    "cache": ["cache", "stats"],
    "judge": ["judge", "calibrate", "labels.csv"],
    "trim": ["history", "trim"],
}


def printed_by(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, *command: str) -> tuple[int, str]:
    """Exit status and everything that a command prints."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, list(command))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_command_ends_at_a_wrong_address(
    setting: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback of an HTTP client, after minutes of work, names neither the setting nor what is wrong with it."""
    monkeypatch.setenv("SEEDBANK_HOME", str(tmp_path))
    address = "redis://h:99999" if setting == "limits.redis_url" else "http://127.0.0.1:99999"
    environment = {name: value.replace("ADDRESS", address) for name, value in SETTINGS[setting].items()}
    status, printed = printed_by(environment, monkeypatch, *COMMANDS[command])
    assert status == 2, printed
    assert setting in printed
    assert "port" in printed
    assert "Traceback" not in printed
    assert not list(tmp_path.iterdir()), "nothing was begun"


@pytest.mark.parametrize("setting", [name for name in SETTINGS if name != "limits.redis_url"])
@pytest.mark.parametrize("address", WRONG, ids=ascii)
def test_every_wrong_address_is_refused_wherever_it_stands(
    setting: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "\0" in address:
        pytest.skip("no variable can hold it")
    for name, value in SETTINGS[setting].items():
        monkeypatch.setenv(name, value.replace("ADDRESS", address))
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    assert setting in str(raised.value)
    assert "p@ss" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:6379",
        "redis://",
        "redis://h:99999/0",
        "redis://h:port",
        "redis://::1:6379",
        "redis://h/zero",
        "http://h:6379",
        "redis:// h",
        "unix://socket",
        "unix:///a b",
    ],
)
def test_an_address_that_is_none_of_redis_is_refused_and_not_shown(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It often holds a password, so it is not repeated."""
    monkeypatch.setenv("SEEDBANK_LIMITS__REDIS_URL", address)
    with pytest.raises(ConfigurationError, match=r"limits\.redis_url \(SEEDBANK_LIMITS__REDIS_URL\): ") as raised:
        load_settings()
    assert address not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    ["redis://h", "rediss://:p@h:6380/2?socket_timeout=1", "redis://[::1]:6379", "unix:///run/redis.sock?db=1"],
)
def test_a_right_address_of_redis_is_taken(address: str) -> None:
    assert load_settings({"limits": {"redis_url": address}}).limits.redis_url.get_secret_value() == address


def test_the_address_of_openai_counts_where_it_is_used_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another program's variable: who asks no model, or another server, is not held up by it."""
    monkeypatch.setenv("OPENAI_BASE_URL", "::1:8000")
    load_settings()
    load_settings({"llm": {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1/v1"}})
    load_settings({"llm": {"provider": "ollama", "model": "m"}})
    with pytest.raises(ConfigurationError, match="OPENAI_BASE_URL"):
        load_settings({"embeddings": {"provider": "openai", "model": "m", "dimensions": 3}})


@pytest.mark.integration
def test_a_wrong_address_costs_no_import_of_dagster_or_a_client(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom typer.testing import CliRunner\nfrom cli.main import app\n"
        f"done = CliRunner().invoke(app, ['plan', '--home', {str(tmp_path)!r}])\nassert done.exit_code == 2, done.output\n"
        "print(','.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    environment = {"SEEDBANK_LLM__BASE_URL": "http://h:99999", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT_ROOT, check=True, env=environment
    )
    assert not {"dagster", "lancedb", "httpx2", "openai", "idna"} & set(done.stdout.strip().splitlines()[-1].split(","))


# As written in the file or the environment -> as it is sent.
KEPT_ALIVE = {
    "-1": -1,
    "300": 300,
    "0": 0,
    "+5": 5,
    "1.5": 1.5,
    "5m": "5m",
    "1h30m": "1h30m",
    "-1m": "-1m",
    "500ms": "500ms",
    " 10m ": "10m",
}


@pytest.mark.slow
@pytest.mark.parametrize(("written", "sent"), KEPT_ALIVE.items(), ids=repr)
@pytest.mark.parametrize("section", ["llm", "embeddings"])
def test_ollama_is_sent_a_number_as_a_number_and_a_duration_in_words(
    section: str, written: str, sent: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses "-1" and "300" with `time: missing unit in duration`."""
    monkeypatch.setenv(f"SEEDBANK_{section.upper()}__KEEP_ALIVE", written)
    with ModelServer() as server, ModelWorld(tmp_path, server.url, provider="ollama") as world:
        if section == "llm":
            world.ask()
        else:
            world.run(world.embedder().embed(["A text."], world.reuse().costs))
        (call,) = server.calls
    assert json.dumps(call.body["keep_alive"]) == json.dumps(sent)


@pytest.mark.parametrize("written", [-1, 0, 300, 2.5, "-1", "24h"])
def test_it_may_be_a_number_in_the_file_too(written: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seedbank.toml").write_text(f"[llm]\nkeep_alive = {json.dumps(written)}\n")
    monkeypatch.setenv("SEEDBANK_CONFIG", str(tmp_path / "seedbank.toml"))
    kept = load_settings().llm.keep_alive
    assert kept == (-1 if written == "-1" else written)


@pytest.mark.parametrize("written", ["", "for ever", "1d", "10 m", "m", "nan", "inf", "1e300", "99999999999", "true"])
def test_what_ollama_would_refuse_or_take_for_another_time_is_refused_here(written: str) -> None:
    with pytest.raises(ConfigurationError, match=r"llm\.keep_alive"):
        load_settings({"llm": {"keep_alive": written}})
    with pytest.raises(ConfigurationError, match=r"llm\.keep_alive"):
        load_settings({"llm": {"keep_alive": True}})


def test_what_is_said_of_a_setting_does_not_make_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """`plan` and `status` must not need a server to say what they know."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert ModelClients(load_settings({"llm": {"provider": "openai", "model": "m"}})).chat().endpoint.name
