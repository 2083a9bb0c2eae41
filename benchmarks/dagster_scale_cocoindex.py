"""Measures CocoIndex on the same folder: six memoized functions per document, with results that are declared as files.

What belongs here: the installation of CocoIndex in an environment of its own, its program and its update. What does not: what it
is compared with.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.dagster_scale_processes import Finished, run

RELEASE = "1.0.26"

# The function of a whole document is memoized too, as CocoIndex's documentation advises: for a file that did not change, none of
# the six functions is called. Their work is trivial, so only the look-ups are measured.
_PROGRAM = """
import os
import pathlib

import cocoindex as coco
from cocoindex.connectors import localfs
from cocoindex.resources.file import FileLike, PatternFilePathMatcher


@coco.fn(memo=True)
async def extracted_text(file: FileLike) -> str:
    return await file.read_text()


@coco.fn(memo=True)
async def chunks(text: str) -> list[str]:
    return text.split("\\n\\n")


@coco.fn(memo=True)
async def embeddings(pieces: list[str]) -> list[float]:
    return [float(len(piece)) for piece in pieces]


@coco.fn(memo=True)
async def summaries(text: str) -> str:
    return text[:200]


@coco.fn(memo=True)
async def concepts(text: str) -> list[str]:
    return text.split()[:15]


@coco.fn(memo=True)
async def row(summary: str, words: list[str], vectors: list[float]) -> str:
    return f"{summary}\\n{words}\\n{vectors}\\n"


@coco.fn(memo=True)
async def document(file: FileLike, results: pathlib.Path) -> None:
    text = await extracted_text(file)
    vectors = await embeddings(await chunks(text))
    made = await row(await summaries(text), await concepts(text), vectors)
    localfs.declare_file(results / f"{file.file_path.path.name}.txt", made, create_parent_dirs=True)


@coco.fn
async def main(corpus: pathlib.Path, results: pathlib.Path) -> None:
    wanted = PatternFilePathMatcher(included_patterns=["**/*.md"])
    files = localfs.walk_dir(corpus, recursive=True, path_matcher=wanted)
    await coco.mount_each(document, files.items(), results)


app = coco.App(
    coco.AppConfig(name="benchmark"),
    main,
    corpus=pathlib.Path(os.environ["CORPUS"]),
    results=pathlib.Path(os.environ["RESULTS"]),
)
"""


@contextmanager
def cocoindex(python: Path | None) -> Iterator[Path | str]:
    """Return CocoIndex's command, beside `python` or in an environment made for it; or the reason why there is none."""
    with tempfile.TemporaryDirectory(prefix="seedbank-cocoindex-") as directory:
        try:
            if python is None:
                run([sys.executable, "-m", "venv", directory])
                python = Path(directory) / "bin" / "python"
                run([python, "-m", "pip", "install", "--quiet", f"cocoindex=={RELEASE}"])
            run([python, "-c", f"import cocoindex; assert cocoindex.__version__ == '{RELEASE}'"])
        except (OSError, SystemExit) as error:
            yield f"CocoIndex {RELEASE} is not installed: {str(error).strip().splitlines()[-1]}"
        else:
            yield python.with_name("cocoindex")


def updates(command: Path | str, corpus: Path, documents: int, rounds: int) -> list[Finished]:
    """Measure updates with nothing changed, after a first one that does everything. command: the result of `cocoindex`."""
    if isinstance(command, str):
        raise SystemExit(command)
    with tempfile.TemporaryDirectory(prefix="seedbank-cocoindex-") as directory:
        place = Path(directory)
        (place / "main.py").write_text(_PROGRAM)
        (place / "results").mkdir()
        environment: dict[str, Any] = {
            "CORPUS": str(corpus),
            "RESULTS": str(place / "results"),
            "COCOINDEX_DB": str(place / "state"),
        }
        run([command, "update", place / "main.py"], environment)
        finished = [run([command, "update", place / "main.py"], environment) for _ in range(rounds)]
        for update in finished:
            if f"{documents} unchanged" not in update.output:
                raise SystemExit(f"CocoIndex was to find {documents} documents unchanged, and said:\n{update.output}")
        return finished
