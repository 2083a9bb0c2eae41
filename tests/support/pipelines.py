"""What the tests of seeding are made with: a small corpus and home, a pipeline that counts, and parts that misbehave.

What belongs here: real implementations of the project's seams, each scripted by its test and counting its calls. What
does not: assertions.
"""

import asyncio
import functools
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from io_managers.store.store import Store
from resources.corpus.corpus import Corpus, Scan
from resources.endpoints.llm import RequestCosts, Usage
from resources.errors import DocumentError
from resources.home.home import Home
from resources.settings.config import Settings, load_settings
from resources.tables.lance import LanceTables
from seed_assets.core.concepts.concepts import Concept, Concepts
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.engine.runner import RunOptions
from seed_assets.graph.pipeline import Pipeline
from seed_assets.memo.reuse import Reuse
from seed_assets.planning.plan import Plan
from seed_assets.seeding.seed_report import SeedReport
from seed_assets.seeding.seeding import SeedOptions, seed
from seed_assets.session import session as sessions
from seed_assets.session.session import Session
from seed_assets.wiring import build_pipeline

SOURCES = ("extracted_text", "chunks", "embeddings", "summaries", "concepts", "judgements")
SINKS = ("lance_documents", "lance_chunks", "lance_concepts", "lance_judgements")
TABLES = ("documents", "chunks", "concepts", "judgements")
# What is made of documents one by one, and where they are placed in the corpus.
ALONE = (*SOURCES, *SINKS)
PLACING = ("document_clusters", "lance_document_clusters")
EVERY_STAGE = (*ALONE, *PLACING)
# Once for a cluster type, for a cluster, or for the corpus.
OF_CORPUS = (
    "clusters",
    "cluster_summaries",
    "cluster_judgements",
    "lance_clusters",
    "corpus_map",
    "categories",
    "lance_categories",
)
DIMENSIONS = 8


def essay(subject: str, paragraphs: int = 3) -> str:
    """A text about a subject, in paragraphs of some 700 characters, no two of them equal; each is a chunk."""
    return "\n\n".join(
        " ".join(
            f"Of {subject} the note {paragraph}.{line} says that it was seen before noon and written down with care."
            for line in range(8)
        )
        for paragraph in range(paragraphs)
    )


class CountingEmbedder:
    """Vectors made of a text's bytes; `texts` are all that it was given."""

    dimensions = DIMENSIONS
    batch = 1000

    def __init__(self) -> None:
        self.texts: list[str] = []

    @property
    def identity(self) -> Mapping[str, str | int | float | bool]:
        """Always the same one."""
        return {"provider": "test", "version": "1"}

    async def embed(self, texts: Sequence[str], costs: RequestCosts) -> NDArray[np.float32]:
        """See resources.models.embedder.Embedder."""
        self.texts += texts
        rows = np.array([[sum(text.encode()[place::DIMENSIONS]) for place in range(DIMENSIONS)] for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@dataclass
class CountingSummarizer:
    """The first words of a text. `texts` are all that it was given.

    failing: a text that holds this word -> the error for it. usd: what each call costs. numbered: no two summaries are
    equal, as with a model.
    """

    words: int = 12
    usd: float = 0.0
    numbered: bool = False
    failing: dict[str, Exception] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    @property
    def identity(self) -> Mapping[str, str | int | float | bool]:
        """Only the number of words decides its summaries."""
        return {"method": "first words", "words": self.words}

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """See seed_assets.core.summaries.summarizing.Summarizer."""
        self.texts.append(text)
        if self.usd:
            reuse.costs.charge(Usage(requests=1, input_tokens=100, output_tokens=10, usd=self.usd))
        await asyncio.sleep(0)
        for word, error in self.failing.items():
            if word in text:
                raise error
        words = " ".join(text.split()[: self.words])
        return Summary(f"{words} ({len(self.texts)})" if self.numbered else words)


@dataclass
class CountingExtractor:
    """The three longest words of a text."""

    texts: list[str] = field(default_factory=list)

    @property
    def identity(self) -> Mapping[str, str | int | float | bool]:
        """Always the same one."""
        return {"method": "longest words"}

    async def extract(self, text: str, title: str, reuse: Reuse) -> Concepts:
        """See seed_assets.core.concepts.concepts.ConceptExtractor."""
        self.texts.append(text)
        written: dict[str, str] = {}
        for word in text.split():
            written.setdefault(word.casefold(), word)
        names = sorted(written, key=lambda name: (-len(name), name))[:3]
        places = [(name, text.index(written[name])) for name in names]
        return Concepts(
            tuple(
                Concept(name, 1.0 - i / 10, text.casefold().count(name), at, at + len(written[name]))
                for i, (name, at) in enumerate(places)
            )
        )


class BrokenTables(LanceTables):
    """Tables of which some cannot be written."""

    def __init__(self, directory: Path, broken: Mapping[str, Exception]) -> None:
        super().__init__(directory)
        self._broken = broken

    def write(self, table: str, rows: Any, owners: Sequence[str]) -> str:
        """As LanceTables, or the error that the test has in store for this table."""
        if table in self._broken:
            raise self._broken[table]
        return super().write(table, rows, owners)

    def maintain(self, table: str, work: Callable[[Any], object]) -> str:
        """As LanceTables, or the error for `index of TABLE`."""
        if f"index of {table}" in self._broken:
            raise self._broken[f"index of {table}"]
        return super().maintain(table, work)

    def delete_rows(self, table: str, owners: Sequence[str]) -> str | None:
        """As LanceTables, or the error for `removal from TABLE`."""
        if f"removal from {table}" in self._broken:
            raise self._broken[f"removal from {table}"]
        return super().delete_rows(table, owners)


class UnprivilegedCorpus(Corpus):
    """A corpus that is read without the rights of root, even if root runs the tests."""

    def scan(self, *, verify: bool = False) -> Scan:
        """As Corpus."""
        with unprivileged():
            return super().scan(verify=verify)


@contextmanager
def unprivileged() -> Iterator[None]:
    """No rights of root inside."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


class PartlyReplacedSession(Session):
    """A session in which a test has put other parts in place."""

    def __init__(
        self, settings: Settings, pipeline: Pipeline, tables: LanceTables | None = None, corpus: Corpus | None = None
    ) -> None:
        super().__init__(settings, pipeline)
        self._tables = tables
        self._corpus = corpus

    @property
    def tables(self) -> LanceTables:
        """The test's, or the home's."""
        return self._tables or super().tables

    @cached_property
    def corpus(self) -> Corpus:
        """The test's, or the settings'."""
        return self._corpus or Session.corpus.func(self)


@dataclass(frozen=True)
class Seeded:
    """What one seed did. calls: of each stage's own function, whatever the report says of it; none if never called.
    corpus_calls: the same of stages that depend on other documents than their own.
    """

    report: SeedReport
    calls: dict[str, int]
    corpus_calls: dict[str, int]
    embedded: list[str]

    @property
    def computed(self) -> dict[str, int]:
        """As `calls`, how many documents the report says were computed; those with none are left out."""
        stages = self.report.stages.items()
        return {name: stage.computed for name, stage in stages if stage.computed and name not in (*OF_CORPUS, *PLACING)}

    def failed(self) -> set[tuple[str, str]]:
        """(document, stage) of each failure in the report."""
        return {(failure.document, failure.stage) for failure in self.report.failures}


class World:
    """A corpus and a home below one folder, seeded as often as a test says.

    What changes the pipeline is set before a seed: `settings` by name, `resources` by name, and `change`, the last word.
    """

    def __init__(self, folder: Path, *, plain: bool = False) -> None:
        """plain: seed without Dagster and other processes (see plain_runs)."""
        self.corpus = folder / "corpus"
        self.home = folder / "home"
        self._plain = plain
        self._order: list[str] = []
        self.settings: dict[str, Any] = {}
        self.summarizer = CountingSummarizer()
        self.change: Callable[[Pipeline], Pipeline] = lambda pipeline: pipeline
        self.tables: LanceTables | None = None
        self.corpus_reader: Corpus | None = None
        self.embedder = CountingEmbedder()

    def copy_to(self, folder: Path) -> "World":
        """The same corpus and home in another place."""
        copy = World(folder, plain=self._plain)
        copy._order = list(self._order)
        shutil.copytree(self.corpus, copy.corpus)
        shutil.copytree(self.home, copy.home)
        Home(copy.home).bind(copy.corpus, rebind=True)
        return copy

    def write(self, name: str, content: str | bytes) -> Path:
        """Put a document into the corpus."""
        path = self.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def raise_version(self, *stages: str) -> None:
        """Raise the version of these stages, as somebody does who has changed their code."""
        before = self.change

        def change(pipeline: Pipeline) -> Pipeline:
            pipeline = before(pipeline)
            for name in stages:
                stage = pipeline.stages[name]
                pipeline = pipeline.with_stage(replace(stage, version=f"{stage.version}+"))
            return pipeline

        self.change = change

    def seed(self, options: SeedOptions | None = None, **run_options: Any) -> Seeded:
        """Seed once; run_options are those of RunOptions."""
        calls: Counter[str] = Counter()
        embedded_before = len(self.embedder.texts)
        options = options or SeedOptions()
        if run_options:
            options = replace(options, run=RunOptions(**run_options))
        with self.session(calls) as session:
            report = seed(session, options)
        of_corpus = {name: calls.pop(name) for name in (*OF_CORPUS, *PLACING) if name in calls}
        return Seeded(report, dict(calls), of_corpus, self.embedder.texts[embedded_before:])

    @contextmanager
    def session(self, calls: Counter[str] | None = None) -> Iterator[Session]:
        """A session over this world, closed in the end."""
        settings = load_settings({"corpus": self.corpus, "home": self.home, **self.settings})
        with self._plainly() if self._plain else nullcontext():
            pipeline = build_pipeline(settings).with_resources(
                embedder=self.embedder, summarizer=self.summarizer, concept_extractor=CountingExtractor()
            )
            pipeline = _counted(self.change(pipeline), Counter() if calls is None else calls)
            session = PartlyReplacedSession(settings, pipeline, self.tables, self.corpus_reader)
            try:
                yield session
            finally:
                session.close()

    def _plainly(self) -> AbstractContextManager[None]:
        from tests.support.plain_runs import without_dagster  # which imports what it stands for

        return without_dagster(self._order)

    def plan(self) -> Plan:
        """What a seed would do."""
        with self.session() as session:
            return session.plan()

    def states(self, document: str) -> dict[str, str]:
        """Stage -> state of one document, as `seedbank status --json` shows it, of stages that need no other document."""
        return {name: state for name, state in self.plan().states()[document].items() if name in ALONE}

    def all_states(self) -> set[str]:
        """Every state that any document has in any stage."""
        return {state for states in self.plan().states().values() for state in states.values()}

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, by key."""
        return LanceTables(self.home / "lancedb").read(table).to_pylist()

    def documents_in(self, table: str) -> set[str]:
        """The documents that have rows in a table."""
        return {row["document_id"] for row in self.rows(table)}

    def store(self) -> Store:
        """The home's store, to be closed by the test."""
        return Store(self.home / "store")


def use_in_commands(world: World, patch: pytest.MonkeyPatch) -> None:
    """Let the commands of this process work with the settings and the pipeline of a world, as its seeds do."""

    def opened(settings: Settings) -> Session:
        with world.session() as found:
            return Session(found.settings, found.pipeline)

    patch.setattr(sessions, "Session", opened)


def _counted(pipeline: Pipeline, calls: Counter[str]) -> Pipeline:
    for stage in pipeline.stages.values():
        pipeline = pipeline.with_stage(replace(stage, function=_counting(stage.name, stage.function, calls)))
    return pipeline


def _counting(name: str, function: Callable[..., Any], calls: Counter[str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **used: Any) -> Any:
        calls[name] += 1
        return function(*arguments, **used)

    return call


def refusal(reason: str = "the model refused.", *, transient: bool = False) -> DocumentError:
    """An error of one document."""
    return DocumentError(reason, "Ask another one.", transient=transient)
