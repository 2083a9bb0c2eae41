"""What is wrong with the environment or the wire: named once, with its cause and remedy, and never blamed on a stage."""

import gzip
import logging
import os
import re
import socket
import ssl
import zlib
from pathlib import Path
from typing import Any

import pytest

from io_managers.store.request_ledger import ANSWERED
from resources.endpoints.llm import EndpointError, PermanentLLMError
from resources.endpoints.wire_faults import WireError, wire_fault
from resources.errors import ConfigurationError
from resources.models import model_clients
from resources.wire.proxies import proxy_for
from tests.support.model_corpus import asking, plant
from tests.support.model_faults import DropBeforeReply, always
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld
from tests.support.seed_process import seed, seedbank
from tests.support.wire_server import ANSWER, CERTIFICATES, WireServer, answering, forwarding, reply, saying

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
DEAD = 9  # a port at which nobody listens


@pytest.fixture(autouse=True)
def bare_environment(own_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy and no certificates of the one who runs the tests."""
    for name in list(os.environ):
        if name.upper() in VARIABLES:
            monkeypatch.delenv(name)


def failure(tmp_path: Path, url: str, error: type[Exception] = EndpointError, **llm: Any) -> Any:
    """The error of asking there, and how many attempts were made and kept account of."""
    with ModelWorld(tmp_path, base_url=url, timeout_seconds=20, **llm) as world:
        with pytest.raises(error) as raised:
            world.ask()
        assert "stage" not in str(raised.value)
        return raised.value, world.attempts()


# --- what the environment says


PROXIES = {
    "socks5://127.0.0.1:1": "socksio",
    "socks5h://127.0.0.1:1": "socksio",
    "socks4://127.0.0.1:1": "begin with",
    "ftp://127.0.0.1:1": "begin with",
    "http://127.0.0.1:port": "port",
    "http://127.0.0.1:99999": "port",
    "127.0.0.1:port": "port",
    "http://": "host name is missing",
    "http://::1:3128": "brackets",
    "http://me:secret@127.0.0.1:99999": "port",
    "http://a b:80": "spaces",
}


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "Http_Proxy"])
@pytest.mark.parametrize(("value", "word"), PROXIES.items(), ids=str)
def test_a_proxy_that_cannot_be_used_is_named_before_anything_is_sent(
    value: str, word: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was an ImportError, a ValueError or an InvalidURL of each document, and called a fault of the stage's code."""
    monkeypatch.setenv(variable, value)
    with ModelServer() as server:
        error, attempts = failure(tmp_path, f"{server.url}/v1", ConfigurationError)
        assert server.calls == attempts == []
    assert variable in str(error)
    assert word in str(error)
    assert "NO_PROXY" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "no_proxy", ["127.0.0.1", "*", "localhost,127.0.0.1", "10.0.0.0/8 127.0.0.0/8", "127.0.0.1:PORT"]
)
def test_what_is_excepted_from_proxies_is_not_in_the_way_of_a_wrong_one(
    no_proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop's proxy for the world must not be needed for a model on the laptop."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with ModelServer() as server, ModelWorld(tmp_path, server.url) as world:
        monkeypatch.setenv("no_proxy", no_proxy.replace("PORT", server.url.rpartition(":")[2]))
        assert world.ask()


HOME = "http://127.0.0.1:8000"
RULES: list[tuple[str, dict[str, str], str]] = [
    (HOME, {}, ""),
    (HOME, {"HTTP_PROXY": "http://p:1"}, "HTTP_PROXY"),
    (HOME, {"HTTP_PROXY": "p:1"}, "HTTP_PROXY"),
    (HOME, {"HTTP_PROXY": "http://p:1", "http_proxy": "http://q:1"}, "http_proxy"),
    (HOME, {"HTTP_PROXY": "http://p:1", "http_proxy": ""}, ""),
    (HOME, {"HTTPS_PROXY": "http://p:1"}, ""),
    (HOME, {"ALL_PROXY": "http://p:1", "HTTP_PROXY": "http://q:1"}, "HTTP_PROXY"),
    (HOME, {"ALL_PROXY": "http://p:1"}, "ALL_PROXY"),
    (HOME, {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, ""),
    (HOME, {"HTTP_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "HTTP_PROXY"),
    (HOME, {"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1:9000"}, "HTTP_PROXY"),
    (HOME, {"HTTP_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1:8000"}, ""),
    ("https://api.example.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, ""),
    ("https://api.example.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example.com"}, ""),
    ("https://api.example.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.example.com"}, ""),
    ("https://api.example.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "API.Example.COM:443"}, ""),
    ("https://notexample.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "HTTPS_PROXY"),
    ("http://[::1]:8000", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "::1"}, ""),
    ("http://[::1]:8000", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "[::1]:8000"}, ""),
    ("http://[fe80::9]:8000", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "fe80::/10"}, ""),
    (HOME, {"HTTP_PROXY": "http://p:1", "NO_PROXY": " , ,nonsense/99,"}, "HTTP_PROXY"),
]


@pytest.mark.parametrize(("url", "environment", "variable"), RULES, ids=str)
def test_which_variable_holds_for_an_address(url: str, environment: dict[str, str], variable: str) -> None:
    found = proxy_for(url, environment)
    assert (found.variable if found else "") == variable
    assert "://" in (found.url if found else "://")


def test_a_proxy_is_asked_and_named_where_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its name, people look for the fault at a server that was never asked."""
    with ModelServer() as server:
        with WireServer(forwarding) as proxy, ModelWorld(tmp_path / "through", server.url) as world:
            monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@127.0.0.1:{proxy.port}")
            assert world.ask()
            assert len(server.calls) == len(proxy.requests) == 1
            assert b"proxy-authorization" in proxy.requests[0].lower()
        with ModelWorld(tmp_path / "dead", server.url) as world:
            with pytest.raises(EndpointError) as raised:
                world.ask()
            assert world.outcomes() == ["connection"] * 4
        assert len(server.calls) == 1
    said = str(raised.value)
    assert f"127.0.0.1:{proxy.port} (from HTTP_PROXY)" in said
    assert "NO_PROXY" in said
    assert "secret" not in said


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_says_so_once(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the refusal of a document it would be remembered."""
    refusing = answering("proxy-authenticate: Basic", body=b"", status="407 Proxy Authentication Required")
    with WireServer(refusing) as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://127.0.0.1:{proxy.port}")
        error, attempts = failure(tmp_path, f"{scheme}://127.0.0.1:{DEAD}/v1")
    assert f"{scheme.upper()}_PROXY" in error.remedy
    assert "USER:PASSWORD" in error.remedy
    assert [attempt.outcome for attempt in attempts] == ["connection"]


def test_what_drops_behind_a_proxy_names_the_proxy_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{")) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"127.0.0.1:{proxy.port}")
        with ModelWorld(tmp_path, f"http://127.0.0.1:{DEAD}") as world:
            with pytest.raises(Exception, match="from ALL_PROXY"):
                world.ask()
            assert all("ALL_PROXY" in attempt.detail for attempt in world.attempts())


def test_an_https_server_is_reached_through_no_proxy_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:port")
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "own.pem"))
    with (
        WireServer(answering(), certificate="own") as server,
        ModelWorld(tmp_path, base_url=f"https://127.0.0.1:{server.port}") as world,
    ):
        assert world.ask() == "Bread."


def _bad_files(folder: Path) -> dict[str, str]:
    empty, text, inside = folder / "empty.pem", folder / "text.pem", folder / "cut.pem"
    empty.write_bytes(b"")
    text.write_text("certificates")
    inside.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    return {str(folder / "none.pem"): "No such file", str(folder): "folder", str(empty): "empty", str(text): "PEM"} | {
        str(inside): "PEM"
    }


@pytest.mark.parametrize("case", range(5))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_file_of_certificates_that_cannot_be_used_is_named(
    scheme: str, case: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, word = list(_bad_files(tmp_path).items())[case]
    monkeypatch.setenv("SSL_CERT_FILE", value)
    error, attempts = failure(tmp_path, f"{scheme}://127.0.0.1:{DEAD}/v1", ConfigurationError)
    assert attempts == []
    assert f"SSL_CERT_FILE = {value!r}" in str(error)
    assert word in str(error)


@pytest.mark.parametrize(("name", "word"), [("none", "No such file"), ("empty", "openssl rehash"), ("a.pem", "Not a")])
def test_a_folder_of_certificates_that_cannot_be_used_is_named(
    name: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL says nothing of a folder that is not there, and then trusts nobody."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / name))
    error, _ = failure(tmp_path, f"http://127.0.0.1:{DEAD}/v1", ConfigurationError)
    assert "SSL_CERT_DIR" in str(error)
    assert word in str(error)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "own.pem"))  # counts alone where both are set
    failure(tmp_path, f"http://127.0.0.1:{DEAD}/v1")


def test_a_key_log_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "other.pem"))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "no" / "keys"))
    from resources.wire.certificates import _read

    _read.cache_clear()
    error, _ = failure(tmp_path, f"http://127.0.0.1:{DEAD}/v1", ConfigurationError)
    assert "SSLKEYLOGFILE" in str(error)


# --- what the wire says


CERTIFICATE_FAULTS = {
    "own": ("", "self-signed", "SSL_CERT_FILE"),
    "expired": ("expired", "expired", "clock"),
    "other": ("other", "not valid for|mismatch", "`base_url`"),
}


@pytest.mark.parametrize("certificate", CERTIFICATE_FAULTS)
def test_a_certificate_that_is_not_trusted_is_said_once_with_the_reason(
    certificate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, words, remedy = CERTIFICATE_FAULTS[certificate]
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / f"{trusted}.pem"))
    with WireServer(answering(), certificate=certificate) as server:
        error, attempts = failure(tmp_path, f"https://127.0.0.1:{server.port}/v1")
        assert server.requests == []
    assert re.search(words, error.reason)
    assert remedy in error.remedy
    assert [attempt.outcome for attempt in attempts] == ["connection"], "asking again does not help"


def test_a_port_without_tls_differs_from_one_with(tmp_path: Path) -> None:
    with WireServer(answering()) as server:
        error, attempts = failure(tmp_path, f"https://127.0.0.1:{server.port}/v1")
    assert "does not speak TLS" in error.reason
    assert "http://" in error.remedy
    assert len(attempts) == 1


WANTING_TLS = (
    "<title>400 The plain HTTP request was sent to HTTPS port</title>",
    "Client sent an HTTP request to an HTTPS server.\n",
    "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
)


@pytest.mark.parametrize("words", ["", *WANTING_TLS])
def test_and_one_with_tls_from_one_without(words: str, tmp_path: Path) -> None:
    """Servers hang up, or answer 400, which as a document's refusal would be remembered."""
    saying_so = answering(body=words.encode(), status="400 Bad Request")
    with WireServer(saying_so, certificate="" if words else "own") as server:
        error, attempts = failure(tmp_path, f"http://127.0.0.1:{server.port}/v1")
    assert "speaks TLS" in error.reason
    assert "https://" in error.remedy
    assert len(attempts) == 1


def test_a_server_that_only_hangs_up_is_asked_again_as_before(tmp_path: Path) -> None:
    """Looking whether it speaks TLS must not turn a passing fault into a lasting one."""
    with (
        ModelServer(lambda call, earlier: None if earlier else DropBeforeReply()) as server,
        ModelWorld(tmp_path, server.url) as world,
    ):
        assert world.ask()
        assert world.outcomes() == ["connection", ANSWERED]
        assert len(server.calls) == 2


BODY = b'{"choices": [{"message": {"content": "hello"}}]}'
ENCODED = {
    "gzip-plain": ("gzip", BODY),
    "gzip-garbage": ("gzip", b"\0\1garbage" * 30),
    "deflate-plain": ("deflate", BODY),
    "deflate-gzip": ("deflate", gzip.compress(BODY)),
    "twice": ("gzip, gzip", gzip.compress(BODY)),
    "br": ("br", b"\x8b\x05\x80hello\x03" * 9),
    "zstd": ("zstd", b"\x28\xb5\x2f\xfd\x04\x00garbage" * 9),
    "compress": ("compress", b"\x1f\x9d\x90garbage" * 9),
}


@pytest.mark.parametrize("case", ENCODED)
@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_body_that_is_not_what_its_header_says_is_said_once(case: str, provider: str, tmp_path: Path) -> None:
    """A gateway that unpacks and leaves the header does so with every reply, and each is paid for."""
    encoding, body = ENCODED[case]
    with WireServer(answering(f"Content-Encoding: {encoding}", body=body)) as server:
        error, attempts = failure(tmp_path, f"http://127.0.0.1:{server.port}", provider=provider)
        assert len(server.requests) == 1
    assert f"Content-Encoding: {encoding}" in error.reason
    assert "gateway" in error.remedy
    assert [attempt.outcome for attempt in attempts] == ["encoding"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "x-raw", "identity"])
def test_a_body_that_can_be_read_is_read(encoding: str, tmp_path: Path) -> None:
    import json

    plain = json.dumps(ANSWER).encode()
    packed = {"gzip": gzip.compress(plain), "deflate": zlib.compress(plain)}.get(encoding, plain)
    with (
        WireServer(answering(f"Content-Encoding: {encoding}", body=packed)) as server,
        ModelWorld(tmp_path, base_url=f"http://127.0.0.1:{server.port}") as world,
    ):
        assert world.ask() == "Bread."


def test_an_error_page_that_cannot_be_unpacked_is_still_its_status(tmp_path: Path) -> None:
    broken = answering("Content-Encoding: gzip", body=b"bad gateway", status="502 Bad Gateway")
    with WireServer(broken) as server, ModelWorld(tmp_path, base_url=f"http://127.0.0.1:{server.port}") as world:
        with pytest.raises(Exception, match="HTTP 502"):
            world.ask()
        assert world.outcomes() == ["HTTP 502"] * 4


@pytest.mark.parametrize("charset", ["undefined", "hex", "rot13", "idna", "no-such", ""])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
def test_a_charset_that_gives_no_text_harms_nothing(status: str, charset: str, tmp_path: Path) -> None:
    """Python knows codecs that turn bytes into bytes, or into an error, and a header can name them."""
    body = None if status == "200 OK" else b"model \xff not loaded"
    with (
        WireServer(answering(f"content-type: text/plain; charset={charset}", body=body, status=status)) as server,
        ModelWorld(tmp_path, base_url=f"http://127.0.0.1:{server.port}") as world,
    ):
        if body is None:
            assert world.ask() == "Bread."
        else:
            with pytest.raises(PermanentLLMError, match="not loaded"):
                world.ask()


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "models.example was not found"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "Temporary failure"),
    ],
    ids=["no-name", "for-now"],
)
def test_a_name_that_is_not_found_is_tried_again_and_then_said_once(
    error: socket.gaierror, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_name(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    monkeypatch.setenv("SEEDBANK_MODEL_REQUESTS", "")
    found, attempts = failure(tmp_path, "http://models.example/v1")
    assert isinstance(found, WireError)
    assert word in found.reason
    assert "`base_url`" in found.remedy
    assert [attempt.outcome for attempt in attempts] == ["connection"] * 4


def test_a_port_without_a_listener_is_reported_once(tmp_path: Path) -> None:
    found, attempts = failure(tmp_path, f"http://127.0.0.1:{DEAD}/v1")
    assert "no server answers there (Connect" in found.reason
    assert len(attempts) == 4


def test_what_is_no_fault_of_the_wire_is_left_alone() -> None:
    for error in (ValueError("x"), OSError(28, "No space left on device"), TimeoutError(), KeyError("x")):
        assert wire_fault("m", "http://h", error) is None
    assert isinstance(wire_fault("m", "http://h", ImportError("no h2")), ConfigurationError)
    fault = wire_fault("m", "http://h", UnicodeError("label empty or too long"))
    assert isinstance(fault, WireError)
    odd = ssl.SSLError(1, "[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version")
    assert "the TLS handshake failed" in str(wire_fault("m", "https://h", odd))


# --- a key in the open


@pytest.mark.parametrize("provider", ["openai", "ollama"])
@pytest.mark.parametrize(
    "where",
    [
        {"api_key": "sk-secret"},
        {"base_url": "http://me:sk-secret@models.example/v1"},
        {"base_url": "HTTP://models.example/v1?api-key=sk-secret"},
        {"base_url": "http://models.example/v1?api-version=1&code=sk-secret"},
    ],
    ids=["key", "user", "query", "code"],
)
def test_a_key_that_goes_out_in_the_open_is_said_once_before_it_does(
    where: dict[str, Any],
    provider: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(model_clients, "_warned", set())
    with (
        caplog.at_level(logging.WARNING),
        ModelWorld(tmp_path, "http://models.example", provider=provider, **where) as world,
    ):
        for _ in range(2):
            world.model().endpoint.check_ready(priced=False)
        world.model("another").endpoint.check_ready(priced=False)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "http://models.example" in said
    assert "without encryption" in said
    assert "sk-secret" not in said


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://127.0.0.1:1", "sk"),
        ("http://localhost:1", "sk"),
        ("http://[::1]:1", "sk"),
        ("https://models.example", "sk"),
        ("http://models.example", ""),
        ("http://models.example/v1?api-version=2024-10-21", ""),
        ("https://me:secret@models.example", ""),
        ("http://me:secret@127.0.0.1:1", ""),
    ],
)
def test_nothing_is_said_where_no_key_is_in_the_open(
    url: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(model_clients, "_warned", set())
    with caplog.at_level(logging.WARNING), ModelWorld(tmp_path, url, api_key=key) as world:
        world.model().endpoint.check_ready(priced=False)
    assert caplog.records == []


# --- whole seeds


SEEDS: dict[str, dict[str, str]] = {
    "socks": {"ALL_PROXY": "socks5://127.0.0.1:1"},
    "proxy": {"http_proxy": "http://127.0.0.1:port"},
    "certificates": {"SSL_CERT_FILE": "/no/such/file.pem"},
}


@pytest.mark.integration
@pytest.mark.parametrize("case", SEEDS)
def test_a_seed_in_a_wrong_environment_ends_before_it_begins_and_says_why_once(case: str, tmp_path: Path) -> None:
    """Forty documents said the same forty times, and that the stage's version was to be raised."""
    corpus, home = plant(tmp_path / "corpus", 12, short=True), tmp_path / "home"
    ((variable, value),) = SEEDS[case].items()
    with ModelServer(dimensions=64) as server:
        environment = asking(server.url, CLUSTERS__SMALLEST="20")
        done = seed(home, corpus, environment=environment | {variable: value})
        assert done.status == 2, done.printed()
        assert done.errors.count(variable) >= 1
        assert done.errors.count(value) == 1
        assert "Traceback" not in done.errors
        assert "version" not in done.errors
        assert server.calls == []
        after = seed(home, corpus, environment=environment)
        assert after.status == 0, after.printed()


@pytest.mark.integration
def test_a_seed_whose_server_lies_about_its_encoding_says_so_once_a_stage(tmp_path: Path) -> None:
    corpus, home = plant(tmp_path / "corpus", 12, short=True), tmp_path / "home"
    with WireServer(answering("Content-Encoding: gzip")) as server:
        url = f"http://127.0.0.1:{server.port}"
        done = seed(home, corpus, environment=asking(url, CLUSTERS__SMALLEST="20", LLM__IN_FLIGHT="2"))
        assert done.status == 1
        assert len(server.requests) <= 2 * 2 + 16
    report = done.report
    assert {failure["document"] for failure in report["failures"]} == {None}
    stages = [failure["stage"] for failure in report["failures"]]
    assert sorted(stages) == sorted(set(stages))
    assert all("Content-Encoding: gzip" in failure["reason"] for failure in report["failures"])
    assert "version" not in done.output
    # What needs nobody is done.
    assert report["stages"]["chunks"]["computed"] == 12
    with ModelServer(dimensions=64) as server:
        after = seed(home, corpus, environment=asking(server.url, CLUSTERS__SMALLEST="20"))
        assert after.status == 0, after.printed()


@pytest.mark.integration
def test_a_key_in_the_open_is_said_on_the_error_stream_alone(tmp_path: Path) -> None:
    corpus, home = plant(tmp_path / "corpus", 3), tmp_path / "home"
    environment = asking("http://models.example", EMBEDDINGS__PROVIDER="wordllama", CLUSTERS__SMALLEST="20")
    for arguments in ((), ("--json",)):
        done = seedbank(home, "seed", "--corpus", str(corpus), *arguments, environment=environment)
        assert done.errors.count("without encryption") == 1
        assert "without encryption" not in done.output
    plan = seedbank(home, "plan", environment=environment)
    assert "without encryption" not in plan.errors + plan.output


def test_a_reply_is_whole(tmp_path: Path) -> None:
    """The servers of these tests answer rightly where nothing is wrong."""
    with WireServer(answering()) as server, ModelWorld(tmp_path, base_url=f"http://127.0.0.1:{server.port}") as world:
        assert world.ask() == "Bread."
    assert reply(b"x").endswith(b"\r\n\r\nx")
    with ModelServer(always(None)) as other:
        assert other.calls == []
