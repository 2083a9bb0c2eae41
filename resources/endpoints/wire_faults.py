"""Failures of the connection to an endpoint: names, TLS, certificates and proxies, each with its cause and a remedy.

Retries are in `endpoint`, HTTP statuses in `endpoint_errors`. Addresses, proxies and certificates in the settings and the
environment are checked before anything is sent (`addresses`, `proxies`, `certificates`).

There are two kinds of causes. A lasting one (a certificate, a port that speaks another protocol, a wrong header) is a
WireError at once. A transient one (a name that cannot be resolved, a port that refuses connections) is retried like other
failed requests, and becomes a WireError if that does not help. Both are reported once for the stage, since every other
document would meet the same failure.
"""

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

from resources.endpoints.endpoint_errors import AttemptError
from resources.endpoints.llm import EndpointError, error_text
from resources.errors import ConfigurationError, DocumentError
from resources.wire.addresses import host_of
from resources.wire.certificates import FILE, FOLDER
from resources.wire.guarded_http import WrongReplyError
from resources.wire.proxies import Proxy, proxy_for

CONNECTION = "connection"
# Values of OpenSSL's X509_V_ERR_* (x509_vfy.h).
_EXPIRED, _NOT_YET_VALID = 10, 9
_OTHER_NAME = (62, 64)
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21)
# OpenSSL's reasons if the other side does not speak TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
_CLIENT = ("httpx2", "httpcore2", "anyio")
_AGAIN = "Then run again: only unfinished work is sent."


class WireError(EndpointError):
    """The endpoint cannot be reached with the current settings and environment.

    outcome, detail: for the request ledger. answered: whether the server has answered, which may cost money.
    """

    def __init__(
        self, name: str, cause: str, remedy: str, *, outcome: str = CONNECTION, answered: bool = False
    ) -> None:
        """cause: completes the sentence "NAME cannot be reached: ..."."""
        super().__init__(f"{name} cannot be reached: {cause}.", f"{remedy} {_AGAIN}")
        self.outcome = outcome
        self.detail = cause
        self.answered = answered


class PassingWireError(AttemptError):
    """A transient failure of the connection. whole: the WireError that it becomes if retries do not help."""

    def __init__(self, whole: WireError) -> None:
        super().__init__(whole.outcome, whole.detail)
        self.whole = whole


def wire_fault(name: str, url: str, error: BaseException) -> BaseException | None:
    """The failure of the connection that an error of sending means; None if it is not about the connection.

    name: the endpoint in messages. url: its address. Returns a WireError, a PassingWireError, another AttemptError (which
    is retried), or a ConfigurationError if the installation is broken.
    """
    import httpx2

    chain = list(_causes(error))
    proxy = _proxy(url)
    for cause in chain:
        if isinstance(cause, WrongReplyError):
            return _wrong_reply(name, cause, proxy)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(name, url, cause)
        if isinstance(cause, ssl.SSLError):
            return _no_tls(name, cause, proxy)
        if isinstance(cause, socket.gaierror):
            host = host_of(proxy.url if proxy else url)
            whose = f" of {proxy.shown}" if proxy else ""
            said = (cause.strerror or "no such name").rstrip(".")
            remedy = (
                f"{_setting_of(proxy)} Check that the name is right and that this machine has a network connection."
            )
            return PassingWireError(WireError(name, f"the host name {host}{whose} was not found ({said})", remedy))
        if isinstance(cause, UnicodeError) and ("label" in str(cause) or "idna" in str(cause)):
            return WireError(name, f"{host_of(url)} is not a valid host name ({cause})", _setting_of(proxy))
        if isinstance(cause, ImportError):
            return ConfigurationError(
                f"{name} cannot be reached: a package is missing or broken ({cause}). Run `make setup`, then run again."
            )
    by = f" (by {proxy.shown})" if proxy else ""
    if isinstance(error, httpx2.ProxyError):
        return _by_proxy(name, str(error), proxy)
    if isinstance(error, httpx2.ConnectTimeout):
        cause = f"the connection timed out{by}"
        return PassingWireError(WireError(name, cause, _reachable(proxy), outcome="timeout"))
    if isinstance(error, httpx2.ConnectError):
        said = _said(chain)
        cause = f"{proxy.shown} does not accept connections ({said})" if proxy else f"no server answers there ({said})"
        return PassingWireError(WireError(name, cause, _reachable(proxy)))
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return None
    if proxy and isinstance(error, httpx2.TransportError | OSError):
        return AttemptError(CONNECTION, f"{_said(chain)}{by}")
    if isinstance(error, httpx2.HTTPError | httpx2.InvalidURL) and not isinstance(error, httpx2.TransportError):
        return AttemptError(CONNECTION, f"{_said(chain)}{by}")
    return None


def final_error(failed: AttemptError, error: DocumentError) -> DocumentError:
    """The error to raise after the last attempt. A failure of the connection is not the fault of one document."""
    if isinstance(failed, PassingWireError) and not isinstance(error, EndpointError):
        return failed.whole
    return error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and its chain of causes; of an exception group the first error."""
    found: BaseException | None = error
    while found is not None:
        yield found
        cause = found.__cause__
        if cause is None and type(found).__module__.partition(".")[0] in _CLIENT:
            cause = found.__context__  # the HTTP client does not set __cause__ for errors of TLS
        found = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause


def _proxy(url: str) -> Proxy | None:
    try:
        return proxy_for(url) if url else None
    except ConfigurationError:
        return None  # it was checked when the client was opened; the environment has changed since


def _said(chain: list[BaseException]) -> str:
    """The message of the innermost error."""
    last = chain[-1]
    words = (last.strerror if isinstance(last, OSError) else None) or str(last) or type(last).__name__
    return error_text(words)


def _setting_of(proxy: Proxy | None) -> str:
    return f"Correct {proxy.variable}, or add the host to NO_PROXY." if proxy else "Correct `base_url`."


def _reachable(proxy: Proxy | None) -> str:
    if proxy:
        return f"Check that the proxy is up. If it is not needed, unset {proxy.variable} or add the host to NO_PROXY."
    return "Check that the server is up, that `base_url` has its host and port, and that this machine may connect."


def _wrong_reply(name: str, found: WrongReplyError, proxy: Proxy | None) -> BaseException:
    if found.kind == "wants TLS":
        remedy = "Use https:// in `base_url` instead of http://."
        return WireError(name, f"it speaks TLS, but `base_url` begins with http:// ({found.detail})", remedy)
    if found.kind == "proxy":
        return _by_proxy(name, found.detail, proxy)
    by = f" through {proxy.shown}" if proxy else ""
    cause = f"its reply{by} has Content-Encoding: {error_text(found.detail, 40)}, but cannot be decoded that way"
    if found.status >= 300:
        return AttemptError(f"HTTP {found.status}", cause, found.status)
    remedy = (
        "A gateway or proxy in front of the server decodes replies without removing the header, or uses an encoding that was "
        "not requested. Correct that, or set `base_url` to the server itself."
    )
    return WireError(name, cause, remedy, outcome="encoding", answered=True)


def _by_proxy(name: str, said: str, proxy: Proxy | None) -> BaseException:
    whose = proxy.shown if proxy else "a proxy"
    status = next((int(word) for word in said.split() if word.isdigit()), 0)
    if status == 407:
        variable = proxy.variable if proxy else "HTTPS_PROXY"
        remedy = f"Put them before the proxy's host: {variable}=http://USER:PASSWORD@HOST:PORT."
        return WireError(name, f"{whose} requires a valid user name and password ({said})", remedy)
    error = WireError(name, f"{whose} does not connect to it ({error_text(said)})", _reachable(proxy))
    return PassingWireError(error) if status >= 500 or not status else error


def _certificate(name: str, url: str, error: ssl.SSLCertVerificationError) -> WireError:
    host, code = host_of(url), error.verify_code
    words = error.verify_message.rstrip(".")
    if code in (_EXPIRED, _NOT_YET_VALID):
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        remedy = f"Renew it on the server. If it is valid, set the clock of this machine, which shows {now}."
    elif code in _OTHER_NAME:
        remedy = (
            f"Set `base_url` to a name for which the certificate is valid, or give the server a certificate for {host}."
        )
    elif code in _UNKNOWN_ISSUER:
        given = next((variable for variable in (FILE, FOLDER) if os.environ.get(variable)), "")
        now = f" At present {given} replaces the system's trusted certificates." if given else ""
        remedy = f"Save the certificate of its issuer as a PEM file, and set {FILE} to that file.{now}"
    else:
        remedy = "Correct the server's certificate."
    return WireError(name, f"its certificate is not trusted ({words})", remedy)


def _no_tls(name: str, error: ssl.SSLError, proxy: Proxy | None) -> BaseException:
    reason: str = getattr(error, "reason", None) or ""  # only errors of OpenSSL have it
    words = reason.replace("_", " ").lower() or error_text(str(error))
    if reason in _NO_TLS:
        at = f"{proxy.shown} or the server" if proxy and proxy.url.lower().startswith("https") else "it"
        remedy = "Use http:// instead of https:// in `base_url`, or the port on which the server speaks TLS."
        if proxy:
            remedy += f" {proxy.variable} usually begins with http://, even for servers with TLS."
        return WireError(name, f"{at} does not speak TLS, but the address begins with https:// ({words})", remedy)
    cause = f"the TLS handshake failed ({words})"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        cause = f"it closes the connection during the TLS handshake, and may not speak TLS on this port ({words})"
    return PassingWireError(
        WireError(name, cause, "Check that the server and this machine support a common version of TLS.")
    )
