"""Proxies from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (upper or lower case): which one an address uses.

Only the variable that applies to an address is checked, so that a wrong value in another one, or in one that NO_PROXY
excludes, does no harm. NO_PROXY is a list, separated by commas or spaces, of host names (which include their subdomains), IP
addresses and networks such as 10.0.0.0/8, each with or without a port, or `*` for everything.
"""

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import urlsplit

from resources.errors import ConfigurationError
from resources.wire.addresses import host_of, shown_address, wrong_address

SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}
_SYSTEM = "the system's settings"
_SOCKS_PACKAGE = "socksio"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy. variable: the variable that names it, as spelled. url: may contain a password, so use `shown` in messages."""

    variable: str
    url: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The proxy and its variable, for messages."""
        return f"the proxy {shown_address(self.url)} (from {self.variable})"


def proxy_for(url: str, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for an address; None if it is reached directly. environment: the variables; by default of this process.

    Raises ConfigurationError, which names the variable, if the proxy cannot be used.
    """
    found = _named(url, os.environ if environment is None else environment)
    if found is None:
        return None
    remedy = f"Correct {found.variable}, unset it, or add {host_of(url)} to NO_PROXY."
    if wrong := wrong_address(found.url, SCHEMES):
        raise ConfigurationError(f"{found.variable} = {shown_address(found.url)!r} is not a proxy: {wrong}. {remedy}")
    if found.url.lower().startswith("socks") and find_spec(_SOCKS_PACKAGE) is None:
        raise ConfigurationError(
            f"{found.variable} = {shown_address(found.url)!r} is a SOCKS proxy, but the package {_SOCKS_PACKAGE} that it needs "
            f"is not installed. Install it (python -m pip install {_SOCKS_PACKAGE}). Or: {remedy}"
        )
    return found


def _named(url: str, environment: Mapping[str, str]) -> Proxy | None:
    named = _variables(environment)
    no_proxy = named.pop("no", None)
    if not named and environment is os.environ:
        # The proxy settings of macOS and Windows.
        import urllib.request

        named = {scheme: Proxy(_SYSTEM, found) for scheme, found in urllib.request.getproxies().items()}
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    found = named.get(scheme) or named.get("all")
    port = parts.port or _PORTS.get(scheme, 0)
    if found is None or (no_proxy and _is_excepted(host_of(url), port, no_proxy.url)):
        return None
    return found if "://" in found.url else Proxy(found.variable, f"http://{found.url}")


def _variables(environment: Mapping[str, str]) -> dict[str, Proxy]:
    """The variables by scheme, "all" or "no". A variable in lower case takes precedence, even if it is empty."""
    found: dict[str, Proxy] = {}
    for name, value in sorted(environment.items()):  # upper case first
        kind, proxy, rest = name.lower().rpartition("_proxy")
        if not proxy or rest or (kind == "http" and not name.islower() and "REQUEST_METHOD" in environment):
            continue  # under CGI a visitor can set HTTP_PROXY
        if value:
            found[kind] = Proxy(name, value)
        elif name.islower():
            found.pop(kind, None)
    return found


def _is_excepted(host: str, port: int, no_proxy: str) -> bool:
    return any(_covers(name, at, host, port) for name, at in _exceptions(no_proxy))


def _exceptions(no_proxy: str) -> Iterator[tuple[str, str]]:
    """Each exception as (host name, IP address or network; port or "")."""
    for entry in filter(None, re.split(r"[,\s]+", no_proxy.lower())):
        name = entry.partition("://")[2] or entry
        bracketed = re.fullmatch(r"\[(.*)\](?::([0-9]+))?", name)
        if bracketed:
            yield bracketed[1], bracketed[2] or ""
        elif name.count(":") == 1:
            yield name.partition(":")[0], name.partition(":")[2]
        else:
            yield name, ""


def _covers(name: str, at: str, host: str, port: int) -> bool:
    if at and at != str(port):
        return False
    if name == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
    except ValueError:
        suffix = name.removeprefix("*").lstrip(".").rstrip(".")
        host = host.rstrip(".")
        return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))
