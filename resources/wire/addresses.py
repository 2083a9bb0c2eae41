"""Checks the URLs of servers, and shows them without secrets. It imports only the standard library, for fast commands."""

import ipaddress
import re
from collections.abc import Collection

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_FOUR_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){3}")
_MOST_PORT = 65_535
# The part before the host and the part after a question mark may contain a password or a key.
_USER = re.compile(r"//.*@")
_QUERY = re.compile(r"\?.*", re.DOTALL)
# The resolver refuses longer names, and labels longer than 63 characters (RFC 1035), with an unclear error.
_LONGEST_NAME, _LONGEST_PART = 253, 63


def wrong_address(text: str, schemes: Collection[str]) -> str:
    """What is wrong with an address, as a clause; "" if it is valid. schemes: the allowed schemes.

    The clause contains no part of the address except its host and port, which are not secret.
    """
    begins = " or ".join(f"{scheme}://" for scheme in schemes)
    if any(character.isspace() for character in text):
        return "an address must not contain spaces or line ends"
    if any(not character.isprintable() for character in text):
        return "it contains an invisible character"
    found = _SCHEME.match(text)
    if found is None or found[1].lower() not in schemes:
        return f"an address must begin with {begins}"
    rest = re.split(r"[/?#\\]", text[found.end() :], maxsplit=1)[0]
    if text[found.end() + len(rest) :].startswith("\\"):
        return "it contains \\ where an address has /"
    user, at, host = rest.rpartition("@")
    if at and "@" in user:
        return "an @ in a user name or password must be written as %40"
    return _wrong_host(host)


def host_of(text: str) -> str:
    """The host of a valid address, in lower case and without brackets."""
    found = _SCHEME.match(text)
    rest = re.split(r"[/?#]", text[found.end() if found else 0 :], maxsplit=1)[0].rpartition("@")[2]
    return (rest[1:].partition("]")[0] if rest.startswith("[") else rest.partition(":")[0]).lower()


def shown_address(text: str) -> str:
    """A valid or invalid address without the parts that may be a user name, a password or a key."""
    return _QUERY.sub("?***", _USER.sub("//***@", text))


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address is a loopback address of this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong_host(host: str) -> str:
    if host.startswith("["):
        name, closed, port = host[1:].partition("]")
        if not closed:
            return "the ] after an IPv6 address is missing, as in http://[::1]:8000"
        if not _is_number(name, 6):
            return f"[{name}] is not an IPv6 address"
        if port and not port.startswith(":"):
            return "only : and the port may follow the ] of an IPv6 address"
        return _wrong_port(port)
    if host.count(":") > 1:
        return "an IPv6 address must be in brackets, as in http://[::1]:8000"
    name, colon, port = host.partition(":")
    if not name:
        return "the host name is missing"
    return _wrong_name(name) or _wrong_port(colon + port)


def _wrong_name(name: str) -> str:
    if _FOUR_NUMBERS.fullmatch(name):
        return "" if _is_number(name, 4) else f"{name} is no IPv4 address"
    if not name.isascii():
        # Imported only for names that are not ASCII.
        import idna

        try:
            name = idna.encode(name.lower()).decode()
        except idna.IDNAError:
            return f"{name} can be no host's name"
    parts = name.removesuffix(".").split(".")
    whole = len(name) <= _LONGEST_NAME and all(0 < len(part) <= _LONGEST_PART for part in parts)
    return "" if whole and _NAME.fullmatch(name) else f"{name[:60]} can be no host's name"


def _wrong_port(port: str) -> str:
    """What is wrong with a port. port: with its colon, or "" if there is none."""
    digits = port[1:]
    if port and not digits:
        return "the port after the colon is missing"
    if port and not (digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) <= _MOST_PORT and len(digits) <= 5):
        # A password that was not escaped looks like a port.
        return "the port must be a number from 1 to 65535"
    return ""


def _is_number(name: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(name).version == version and "%" not in name
    except ValueError:
        return False
