"""The project as a user installs it: its archives, and an environment with nothing of it but the wheel.

What belongs here: building, installing, and running programs there. What does not: what they have to show (tests/seedbank).
"""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resources.wire.guarded_http import FORBIDDING
from tests.support.seed_process import ROOT

_PATIENCE_SECONDS = 600
# Of the variables of the tests themselves, only what finds programs and libraries: a user has no others.
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Archives:
    """The two files that are distributed."""

    source: Path
    wheel: Path


def build_archives(folder: Path) -> Archives:
    """Build the source archive, and from its contents the wheel, as `python -m build` and installers do."""
    source = folder / _built("sdist", ROOT, folder)
    with tarfile.open(source) as archive:
        archive.extractall(folder / "source", filter="data")
    (unpacked,) = (folder / "source").iterdir()
    return Archives(source, folder / _built("wheel", unpacked, folder))


def _built(kind: str, root: Path, folder: Path) -> str:
    """Build in a process of its own: a build backend works in the directory that it is started in."""
    program = f"from hatchling import build; print(build.build_{kind}({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the installed wheel. programs: the folder of its programs."""

    programs: Path
    home: Path

    def environment(self, **variables: str) -> dict[str, str]:
        """The variables of a user who has activated the environment."""
        own = {name: os.environ[name] for name in _KEPT if name in os.environ}
        path = f"{self.programs}{os.pathsep}{own.get('PATH', '')}"
        return {**own, "HOME": str(self.home), "PATH": path, FORBIDDING: "loopback", **variables}

    def command(self, *words: str) -> list[str]:
        """A command line in the environment, which has only the programs of the wheel itself and Python."""
        program = self.programs / words[0]
        return [str(program), *words[1:]] if program.exists() else [str(self.programs / "python"), "-m", *words]

    def run(self, *words: str, folder: Path, variables: Mapping[str, str] | None = None) -> str:
        """Run a program in a folder to its end, and return what it has printed. It must succeed."""
        done = self.attempt(*words, folder=folder, variables=variables)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def attempt(
        self, *words: str, folder: Path, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in a folder to its end."""
        return subprocess.run(
            self.command(*words),
            cwd=folder,
            env=self.environment(**(variables or {})),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )


def install(wheel: Path, folder: Path) -> Installed:
    """Make an environment with the wheel. Its dependencies are those of the environment of the tests, without the project there.

    The path file makes their modules importable; path files beside these modules, such as that of the project's editable install,
    are not read.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--no-deps", "--offline"]
    subprocess.run([*uv, "--python", str(programs / "python"), str(wheel)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "lib" / version / "site-packages" / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(programs, folder)
