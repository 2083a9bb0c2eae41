"""Checks of the machine before a command starts: a folder for temporary files, a free port, who can reach it.

The settings and the home are checked elsewhere.
"""

import errno
import os
import socket
import tempfile
from collections.abc import Sequence

from resources.errors import ConfigurationError


def check_temporary_folder() -> None:
    """Raise a ConfigurationError if the folder that TMPDIR, TEMP or TMP names does not exist or cannot be written."""
    for variable in ("TMPDIR", "TEMP", "TMP"):
        named = os.environ.get(variable)
        if not named:
            continue
        if not os.path.isdir(named):
            wrong = "is not a folder" if os.path.exists(named) else "does not exist"
        elif not os.access(named, os.W_OK | os.X_OK):
            wrong = "cannot be written by this user"
        else:
            continue
        raise ConfigurationError(
            f"The folder for temporary files, {named} (from {variable}), {wrong}. Create the folder or unset {variable}."
        )
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise ConfigurationError(
            "No folder for temporary files can be written. Set TMPDIR to a writable folder on a disk with free space."
        ) from error


def check_exposure(host: str, port: int, *, expose: bool) -> str:
    """The warning for a page that other machines can reach; "" if only this machine can.

    Raises ConfigurationError if other machines could reach Dagster's page and `--expose` was not given.
    """
    if is_loopback(host):
        return ""
    if expose:
        return f"Other machines can reach Dagster's page at {host}, port {port}. It has no login and can start runs."
    raise ConfigurationError(
        f"--host {host} would open Dagster's page to other machines. The page has no login: anyone who can reach it can "
        "read previews of the documents and start runs, which may cost money. Leave out --host and use a tunnel (ssh -L), "
        "put a proxy with a login in front of the page, or add --expose if you trust that network."
    )


def check_tokens(host: str, without_token: Sequence[str]) -> None:
    """Raise ConfigurationError if other machines could reach a knowledge base without a token.

    without_token: the settings of the tokens that are empty, one for each knowledge base that has none.
    """
    if not without_token or is_loopback(host):
        return
    raise ConfigurationError(
        f"--host {host} would open the documents to other machines, and {' and '.join(without_token)} is not set: anyone who can "
        "reach it could read them and ask questions that cost money. Set a token of 16 characters or more "
        "(SEEDBANK_SERVICE__TOKEN for a single knowledge base), or leave out --host and use a tunnel (ssh -L). A token crosses "
        "the network unencrypted: "
        "put a proxy with TLS in front of the service."
    )


def check_port(host: str, port: int) -> None:
    """Raise a ConfigurationError with the reason if no server can listen at this address and port."""
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(
            f"--host {host} is not a name or address of this machine ({error}). Leave out --host to listen on this machine only."
        ) from error
    for family, kind, protocol, _, address in places:
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(address)
                trial.listen(1)
            except OSError as error:
                raise ConfigurationError(_port_message(host, port, error)) from error


def _port_message(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use, perhaps by another `seedbank dev` or `seedbank serve`. Stop the program "
            f"that uses it, or choose another port with --port."
        )
    if error.errno == errno.EACCES:
        return f"This user may not use port {port}. Choose a port above 1023 with --port."
    return f"Cannot listen on {host}, port {port}: {error.strerror or error}. Choose an address of this machine with --host."


def is_loopback(host: str) -> bool:
    """Whether a host name or address leads only to loopback addresses, which no other machine can reach."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None) if host else []
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(str(entry[4][0]).split("%")[0]).is_loopback for entry in found)
