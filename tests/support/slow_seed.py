"""`seedbank`, with a summarizer that takes its time and an embedder that counts: `python -m tests.support.slow_seed seed ...`

What belongs here: parts that are real but for a pause and a count. What does not: any other difference from the command.

SLOW_SEED_SECONDS: how long a summary takes. SLOW_SEED_BEGUN: a file that gets a line for each summary that is begun.
SLOW_SEED_GATE: a file for which every summary waits but the first SLOW_SEED_FREE ones, so that a test can act at a moment
that does not pass by itself. SLOW_SEED_EMBEDDED: a file that gets a line for each request for embeddings, the number of its
texts.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cli.main import main
from io_managers.store.fingerprint import Part
from resources.endpoints.llm import RequestCosts
from resources.models.embedder import Embedder, WordLlamaEmbedder
from resources.settings.config import Settings
from seed_assets.core.summaries.summarizing import Summarizer, Summary
from seed_assets.graph.pipeline import Pipeline
from seed_assets.memo.reuse import Reuse
from seed_assets.session import session
from seed_assets.wiring import build_pipeline

SECONDS = "SLOW_SEED_SECONDS"
BEGUN = "SLOW_SEED_BEGUN"
GATE = "SLOW_SEED_GATE"
FREE = "SLOW_SEED_FREE"
EMBEDDED = "SLOW_SEED_EMBEDDED"
_POLL_SECONDS = 0.02


class SlowSummarizer:
    """A summarizer behind a pause and a gate; what it says, and its identity, are those of the one behind it."""

    def __init__(self, summarizer: Summarizer) -> None:
        self._summarizer = summarizer
        self._seconds = float(os.environ.get(SECONDS, "0"))
        self._begun = _path(BEGUN)
        self._gate = _path(GATE)
        self._free = int(os.environ.get(FREE, "0"))

    @property
    def identity(self) -> Mapping[str, Part]:
        """That of the summarizer behind it."""
        return self._summarizer.identity

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """As the summarizer behind it, later."""
        if self._begun is not None:
            _add_line(self._begun, title)
        self._free -= 1
        if self._gate is not None and self._free < 0:
            while not self._gate.exists():
                await asyncio.sleep(_POLL_SECONDS)
        await asyncio.sleep(self._seconds)
        return await self._summarizer.summarize(text, title, reuse)


class CountingEmbedder:
    """An embedder that writes down how many texts it was asked for."""

    def __init__(self, embedder: Embedder, counts: Path) -> None:
        self._embedder = embedder
        self._counts = counts

    @property
    def identity(self) -> Mapping[str, Part]:
        """That of the embedder behind it."""
        return self._embedder.identity

    @property
    def dimensions(self) -> int:
        """That of the embedder behind it."""
        return self._embedder.dimensions

    @property
    def batch(self) -> int:
        """That of the embedder behind it."""
        return self._embedder.batch

    async def embed(self, texts: Sequence[str], costs: RequestCosts) -> NDArray[np.float32]:
        """As the embedder behind it."""
        _add_line(self._counts, str(len(texts)))
        return await self._embedder.embed(texts, costs)


def _path(variable: str) -> Path | None:
    return Path(os.environ[variable]) if variable in os.environ else None


def _add_line(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


def slowed(settings: Settings) -> Pipeline:
    """The pipeline of these settings with the parts that the environment asks for."""
    pipeline = build_pipeline(settings)
    if SECONDS in os.environ or GATE in os.environ:
        pipeline = pipeline.with_resources(summarizer=SlowSummarizer(pipeline.resources["summarizer"]))
    if EMBEDDED in os.environ:
        embedder = CountingEmbedder(WordLlamaEmbedder(), Path(os.environ[EMBEDDED]))
        pipeline = pipeline.with_resources(embedder=embedder)
    return pipeline


if __name__ == "__main__":
    session.build_pipeline = slowed
    main()
