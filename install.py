"""Installs a lock file and this project into the environment of the Python that runs it; the Makefile calls it.

What belongs here: which program installs, and from which package index. What does not: what is installed (pyproject.toml and the
lock files).

uv takes a quarter of pip's time. It is used if it is on PATH or in the environment, or if pip can install it. If uv fails, pip
installs the same file. Both check every package against the hash in the lock. uv does not read pip's configuration, so the
settings for package indexes are passed to it.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
OWN_UV = Path(sys.executable).with_name("uv")
LOCKED = ("--no-deps", "--require-hashes", "-r")
PROJECT = ("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
# An option of pip, the environment variable that sets the same for uv, and the separator that uv expects between values.
_INDEX_OPTIONS = (
    ("index-url", "UV_DEFAULT_INDEX", " "),
    ("extra-index-url", "UV_INDEX", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    ("no-index", "UV_NO_INDEX", " "),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("cert", "SSL_CERT_FILE", " "),
    ("client-cert", "SSL_CLIENT_CERT", " "),
    ("proxy", "ALL_PROXY", " "),
)
# The sections of pip's configuration. A later section overrides an earlier one, as in pip.
_SECTIONS = ("global", "install", ":env:")


def main(lock: Path) -> int:
    """Install everything. Returns the exit status of the program that failed, or 0."""
    uv = find_uv()
    if uv and install_with_uv(uv, lock):
        return 0
    found = "uv could not install it; its reason is above" if uv else "uv is not on PATH, and pip cannot install uv"
    print(f"{lock.name}: {found}. pip installs the same now, which takes some minutes.", flush=True)
    done = subprocess.run([*PIP, "install", "--quiet", *LOCKED, str(lock)], check=False).returncode
    return done or subprocess.run([*PIP, "install", "--quiet", *PROJECT], check=False).returncode


def install_with_uv(uv: str, lock: Path) -> bool:
    """Install with uv. Returns whether it installed both the lock file and the project."""
    environment = uv_environment(pip_config())
    # Bytecode is compiled, as pip does: otherwise, if Python may not write it later, each command would compile everything again.
    command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--compile-bytecode"]
    return all(
        subprocess.run([*command, *what], env=environment, check=False).returncode == 0
        for what in ((*LOCKED, str(lock)), PROJECT)
    )


def find_uv() -> str | None:
    """Return a uv that runs. If there is none, pip installs it into the environment of this Python; None if that fails."""
    for found in (shutil.which("uv"), str(OWN_UV)):
        if found and _runs(found):
            return found
    with tempfile.TemporaryDirectory() as directory:
        pinned = Path(directory) / "uv.txt"
        pinned.write_text(pinned_in(ROOT / "requirements-dev.lock", "uv"))
        command = [*PIP, "install", "--only-binary", ":all:", *LOCKED, str(pinned)]
        subprocess.run(command, capture_output=True, check=False)
    return str(OWN_UV) if _runs(str(OWN_UV)) else None


def pinned_in(lock: Path, name: str) -> str:
    """Return the lines of one package in a lock file: its release and its hashes."""
    lines = lock.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = next(number for number in range(start, len(lines)) if not lines[number].endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def pip_config() -> str:
    """Return pip's configuration, from its files and the environment, as pip prints it."""
    return subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False).stdout


def uv_environment(pip_config: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for uv, from what `pip config list` prints. A variable that is already set stays."""
    options: dict[str, str] = {}
    for section in _SECTIONS:
        for line in pip_config.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                options[name.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    given = {
        variable: between.join(options[name].split()) for name, variable, between in _INDEX_OPTIONS if name in options
    }
    # pip looks in all indexes for a file with the right hash. By default, uv stops at the first index that knows the package.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **given, **environment}


def _runs(program: str) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
