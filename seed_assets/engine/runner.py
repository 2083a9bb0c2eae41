"""One run over one store: what its stages share, and when it stops.

This module has the options, the corpus, the budget, the tallies, and the loop in which a stage runs. Results are computed in
stage_work, rows are written in sink, and refs are published by the IO manager.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from io_managers.store.store import Store
from resources.corpus.corpus import Corpus, Scan, SourceFile
from resources.endpoints.llm import EndpointError, Tokens
from resources.errors import DocumentError
from resources.heap import give_memory_back, share_one_heap
from resources.tables.lance import LanceTables
from seed_assets.engine.interrupts import Draining
from seed_assets.engine.observer import Observer, Silent
from seed_assets.engine.stage_run import StageRun, Tally
from seed_assets.engine.unit_time import bound_time
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import Source, Stage
from seed_assets.memo.budget import Budget
from seed_assets.memo.reuse import Reuse

if TYPE_CHECKING:
    from resources.batches.stage_batches import StageBatches
    from resources.endpoints.endpoint import Endpoint


INTERRUPTED = "interrupted"
_SOME_TOKENS = Tokens(1_000_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run may do.

    no_cache: compute everything once more. cache_only: compute nothing; what is missing fails. retry_failed: try permanent
    failures again. max_usd: begin nothing more after this was spent. recluster: find clusters from scratch. no_wait: wait for no
    batch, and begin none.
    """

    no_cache: bool = False
    cache_only: bool = False
    retry_failed: bool = False
    max_usd: float | None = None
    recluster: bool = False
    no_wait: bool = False


@runtime_checkable
class Asking(Protocol):
    """A resource that sends requests to an endpoint."""

    @property
    def endpoint(self) -> "Endpoint":
        """The endpoint."""
        ...


class Runner:
    """One run over one store. Setting `stopping` lets it finish what is in flight and begin nothing more."""

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        corpus: Corpus,
        tables: LanceTables,
        options: RunOptions | None = None,
        observer: Observer | None = None,
        budget: Budget | None = None,
        batches: "StageBatches | None" = None,
    ) -> None:
        """batches: those that requests may be in; None if there are none."""
        share_one_heap()
        self.store = store
        self.pipeline = pipeline
        self.options = options or RunOptions()
        self.observer: Observer = observer or Silent()
        self.budget = budget or Budget(self.options.max_usd)
        self.batches = batches
        self.reuse = Reuse(
            store,
            no_cache=self.options.no_cache,
            retry_failed=self.options.retry_failed,
            budget=self.budget,
            stop_reason=self.stop_reason,
            asked_with=pipeline.asked_with,
            batched=batches,
        )
        self.stopping = threading.Event()
        self.tallies: dict[str, Tally] = {}
        # By stage, the error that stopped all of it.
        self.faults: dict[str, Exception] = {}
        # By stage, the error of an endpoint that answers no request, so that the other documents were not begun.
        self.halted: dict[str, EndpointError] = {}
        self.over_budget = False
        # Why the last incomplete stage was stopped. The caller that runs stages reads and resets it.
        self.stopped = ""
        self._costs: dict[str, bool] = {}
        self.tables = tables
        # In the home, beside the tables.
        self.pictures = tables.directory.parent / "pictures"
        self._corpus = corpus
        self._scan: Scan | None = None

    def source(self, partition: str) -> SourceFile:
        """The file of a document in the present corpus. Raises DocumentError if it cannot be a source or is gone."""
        if self._scan is None:
            self._scan = self._corpus.scan()
        if partition in self._scan.problems:
            raise self._scan.problems[partition]
        if partition not in self._scan.documents:
            raise DocumentError(
                f"no file of this name is in the corpus {self._corpus.root}.",
                "If it was removed, `seedbank seed` takes it out of the knowledge base.",
                transient=True,
            )
        return self._scan.documents[partition]

    def use_scan(self, scan: Scan) -> None:
        """Use a scan of the corpus that was just made, instead of scanning again."""
        self._scan = scan

    def read(self, source: SourceFile) -> Source:
        """The bytes of a document's file; see Corpus.read."""
        return Source(self._corpus.read(source), source.format)

    def published_corpus(self) -> PublishedCorpus:
        """The corpus as it is published now."""
        return PublishedCorpus(self.store, from_scratch=self.options.recluster)

    def in_loop(self, stage: Stage, documents: int, make: Callable[[], Any]) -> StageRun:
        """Run a coroutine of one stage to its end, draining on the first Ctrl-C or SIGTERM."""
        self.observer.began(stage.name, documents)
        started = time.perf_counter()
        try:
            with asyncio.Runner() as loop, Draining(self.stopping):
                # The threads read files and decode small texts; other processes compute over texts (parser_pool).
                loop.get_loop().set_default_executor(ThreadPoolExecutor(max_workers=self._corpus.most_at_once))
                if stage.seconds is not None:
                    bound_time(loop.get_loop(), stage.seconds)
                outcome: StageRun = loop.run(self._with_connections(stage, make))
        finally:
            self.reuse.accounts.look_again()
            self.reuse.accounts.keep_savings()
            give_memory_back()
            self.observer.ended(stage.name, time.perf_counter() - started)
        self.note(outcome, time.perf_counter() - started)
        return outcome

    async def _with_connections(self, stage: Stage, make: Callable[[], Any]) -> StageRun:
        """Run a stage, and at its end close its connections, which belong to the loop, and leave no batch half collected."""
        if self.batches is not None:
            self.batches.begin()
        try:
            return await make()
        finally:
            if self.batches is not None:
                await self.batches.end(self.reuse.costs, interrupted=True)
                self.store.forget_used_replies()
            for endpoint in self.endpoints(stage):
                await endpoint.aclose()

    def endpoints(self, stage: Stage) -> "list[Endpoint]":
        """The endpoints that a stage asks."""
        used = self.pipeline.used_by(stage).values()
        return [resource.endpoint for resource in used if isinstance(resource, Asking)]

    def note(self, outcome: StageRun, seconds: float) -> None:
        """Count the results and failures of a stage."""
        tally = self.tallies.setdefault(outcome.stage, Tally())
        tally.seconds += seconds
        self.stopped = outcome.stopped or self.stopped
        tally.failed |= outcome.failures
        tally.waiting = (tally.waiting | outcome.waiting) - outcome.results.keys() - outcome.failures.keys()
        tally.visited |= outcome.results.keys()
        for partition, result in outcome.results.items():
            tally.failed.pop(partition, None)
            if not result.reused:
                tally.computed.add(partition)

    def stop_reason(self, stage: str = "") -> str:
        """Why nothing more may be begun, "" while it may. A spent budget stops only stages that cost something."""
        if self.stopping.is_set():
            return INTERRUPTED
        if not stage or not self.costs(stage):
            return ""
        reason = self.budget.spent_reason(self.reuse.accounts.budgeted_usd)
        self.over_budget |= bool(reason)
        return reason

    def costs(self, stage: str) -> bool:
        """Whether a stage costs something: it asks an endpoint whose price is not 0, or it was charged in this run."""
        paid = self.reuse.accounts.spent.get(stage)
        if paid is not None and (paid.usd or paid.unpriced):
            return True
        if stage not in self._costs:
            asked = self.endpoints(self.pipeline.stages[stage]) if stage in self.pipeline.stages else []
            self._costs[stage] = any(endpoint.price.usd(_SOME_TOKENS) != 0 for endpoint in asked)
        return self._costs[stage]
