"""Dagster's own tests of event logs, run against its storages and ours: `make conformance`.

The tests come from the source distributions of the installed releases, by pip from the configured index, and lie
in the user's cache. Exit status 1 where a test passes for Dagster's storage and not for ours, 2 where they do not run.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = {"dagster": "dagster_tests", "dagster-postgres": "dagster_postgres_tests"}
PAIRS = [("TestSqliteStock", "TestSqliteBatched"), ("TestPostgresStock", "TestPostgresBatched")]
OUTCOMES = ("passed", "failed", "skipped")


def unpacked() -> Path:
    """The folder with the tests of the installed releases, which are fetched where they are not there yet."""
    releases = {package: f"{package}=={version(package)}" for package in PACKAGES}
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "seedbank", "conformance")
    tests = cache / "_".join(releases.values())
    if tests.exists():
        return tests
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        made = Path(temporary, "made")
        for package, release in releases.items():
            fetched = Path(temporary, package)
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--no-binary", ":all:", "--dest", str(fetched), release], check=True)
            with tarfile.open(next(fetched.glob("*.tar.gz"))) as archive:
                for member in archive.getmembers():
                    _root, _, path = member.name.partition("/")
                    # the package itself is the installed one
                    if path.startswith(f"{PACKAGES[package]}/"):
                        archive.extract(member.replace(name=path), made, filter="data")
        made.rename(tests)
    return tests


def outcomes(tests: Path, storage: str) -> dict[str, str]:
    """What became of each test of one class of storages.py, by the test's name."""
    with tempfile.TemporaryDirectory() as work:
        report = Path(work, "report.xml")
        pytest = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", work, "-p", "no:cacheprovider"]
        pytest += [
            "-p",
            "tests.event_log.conformance.stand_ins",
            "-W",
            "ignore",
            "--tb",
            "short",
            f"--junitxml={report}",
        ]
        paths = os.pathsep.join([str(tests), str(HERE.parent.parent)])
        ran = subprocess.run(
            [*pytest, f"{HERE / 'storages.py'}::{storage}"], cwd=work, env={**os.environ, "PYTHONPATH": paths}
        )
        if ran.returncode not in (0, 1):
            sys.exit(2)
        found: dict[str, str] = {}
        for case in ET.parse(report).iter("testcase"):
            parts = {part.tag for part in case}
            outcome = "failed" if parts & {"failure", "error"} else "skipped" if "skipped" in parts else "passed"
            found[case.attrib["name"]] = outcome
        return found


def main() -> int:
    """Run all four; the exit status."""
    tests = unpacked()
    results = {storage: outcomes(tests, storage) for pair in PAIRS for storage in pair}
    print(f"\n{'':20}" + "".join(f"{outcome:>9}" for outcome in OUTCOMES))
    for storage, found in results.items():
        counts = [sum(found[name] == outcome for name in found) for outcome in OUTCOMES]
        print(f"{storage.removeprefix('Test'):20}" + "".join(f"{count:9}" for count in counts))
    worse = [
        f"{ours}::{name}"
        for theirs, ours in PAIRS
        for name, outcome in results[theirs].items()
        if outcome == "passed" and results[ours].get(name) != "passed"
    ]
    for name in worse:
        print(f"passes for Dagster's storage only: {name}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
