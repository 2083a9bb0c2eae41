"""The certificates that this process trusts, from SSL_CERT_FILE and SSL_CERT_DIR or from the system.

This module also checks these variables. Connections are opened in `guarded_http`; failures of a server's certificate are
explained in `wire_faults`.
"""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

FILE, FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
# Other variables that OpenSSL reads and that can cause a failure.
_OTHERS = ("SSLKEYLOGFILE", "OPENSSL_CONF", "OPENSSL_MODULES")
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_REMEDY = "Correct it, or unset it to use the system's trusted certificates."


def trusted() -> "ssl.SSLContext":
    """The TLS context with the trusted certificates. Raises ConfigurationError, which names the unusable variable.

    It is cached per setting: reading it takes 40 ms (measured), and each stage opens a client.
    """
    return _read(os.environ.get(FILE, ""), os.environ.get(FOLDER, ""))


@lru_cache(maxsize=4)
def _read(file: str, folder: str) -> "ssl.SSLContext":
    import httpx2

    if file and (wrong := _wrong_file(Path(file))):
        raise ConfigurationError(f"{FILE} = {file!r}: {wrong}. {_REMEDY}")
    if folder and not file and (wrong := _wrong_folders(folder)):
        raise ConfigurationError(f"{FOLDER} = {folder!r}: {wrong}. {_REMEDY}")
    try:
        return httpx2.create_ssl_context()
    except OSError as error:  # SSLError is a subclass
        named = f"{FILE} = {file!r}: " if file else ""
        others = ", ".join(name for name in (FILE, FOLDER, *_OTHERS) if os.environ.get(name)) or "the system's store"
        raise ConfigurationError(
            f"{named}the trusted certificates cannot be read: {error}. Check that the file or folder in {others} is right and "
            "readable; certificates must be in the PEM format."
        ) from error


def _wrong_file(path: Path) -> str:
    try:
        if path.is_dir():
            return f"it is a folder, but must be a file with certificates (for a folder, use {FOLDER})"
        content = path.read_bytes()
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    if b"-----BEGIN" not in content:
        return "the file is empty" if not content else "the file holds no certificate in PEM"
    return ""


def _wrong_folders(folders: str) -> str:
    problems: list[str] = []
    for folder in folders.split(os.pathsep):
        try:
            if any(_HASHED.fullmatch(name) for name in os.listdir(folder)):
                return ""
        except OSError as error:
            problems.append(f"the folder cannot be read: {error.strerror}")
        else:
            problems.append("the folder holds no certificate under a name that `openssl rehash` gives")
    return problems[0]
