"""Runs one stage over some documents: computes what nobody has computed, reuses the rest.

What belongs here: forming keys, reusing, computing under a limit, keeping one document's failure to that document,
recomputing an input that turns out to be corrupt, stopping in good order. What does not: Dagster, refs being published
(the IO manager), rows being written (sink).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from io_managers.store.action_cache import ActionRecord
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreError
from io_managers.store.fingerprint import Action, Part
from io_managers.store.refs import Ref
from io_managers.store.store import Store
from io_managers.store.values import Result, StoredValues
from resources.corpus import Corpus, Scan, SourceFile
from resources.errors import ConfigurationError, DocumentError, StoppedError
from resources.lance import LanceTables
from resources.llm import EndpointError, Usage
from seed_assets.budget import Budget
from seed_assets.comparison import kept_actions, miss_reasons
from seed_assets.interrupts import Draining
from seed_assets.observer import Observer, Silent
from seed_assets.outcomes import BlockedError, InputChangedError, NotBegunError, StageRun, Tally
from seed_assets.pipeline import Pipeline, source_part
from seed_assets.reuse import Reuse
from seed_assets.stage import PREVIEW_CHARACTERS, REUSE, SOURCE, Source, Stage
from seed_assets.views import VIEWS, Views

if TYPE_CHECKING:
    from resources.endpoint import Endpoint

logger = logging.getLogger(__name__)
# Shown in the log of a Dagster run; see dagster.yaml.
progress = logging.getLogger("seedbank.progress")

# Documents of one stage in memory at a time; enough for their commits to share a flush.
_AT_ONCE = 16
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run may do.

    anew: compute everything once more. cache_only: compute nothing, what is missing fails. retry_failed: try failures
    again that asking again is not expected to help. max_usd: begin nothing more when this much is spent. recluster: find
    clusters from scratch.
    """

    anew: bool = False
    cache_only: bool = False
    retry_failed: bool = False
    max_usd: float | None = None
    recluster: bool = False


@runtime_checkable
class Asking(Protocol):
    """A resource that asks an endpoint."""

    @property
    def endpoint(self) -> "Endpoint":
        """Whom."""
        ...


class Runner:
    """One run over one store. `stopping` may be set by anybody: what is in flight is finished, nothing more is begun."""

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        corpus: Corpus,
        tables: LanceTables,
        options: RunOptions | None = None,
        observer: Observer | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.store = store
        self.pipeline = pipeline
        self.options = options or RunOptions()
        self.observer: Observer = observer or Silent()
        self.budget = budget or Budget(self.options.max_usd)
        self.reuse = Reuse(
            store,
            anew=self.options.anew,
            retry_failed=self.options.retry_failed,
            budget=self.budget,
            stop_reason=self.stop_reason,
        )
        self.stopping = threading.Event()
        self.tallies: dict[str, Tally] = {}
        # By stage, what stopped it as a whole.
        self.faults: dict[str, Exception] = {}
        # By stage, the endpoint that answers nobody, so that the rest of its documents was not begun.
        self.halted: dict[str, EndpointError] = {}
        self.over_budget = False
        self.tables = tables
        # Beside the tables, in the home.
        self.pictures = tables.directory.parent / "pictures"
        self._corpus = corpus
        self._scan: Scan | None = None

    def run_stage(
        self, stage: Stage, partitions: Sequence[str], inputs: Mapping[str, StoredValues] | None = None
    ) -> StageRun:
        """Run a stage over some of its units. Gives results and failures of each; raises only for the whole run's faults.

        Ctrl-C or SIGTERM sets `stopping`; a second one raises KeyboardInterrupt at once.
        """
        work = StageWork(self, stage, inputs or {})
        outcome = self.in_loop(stage, len(partitions), lambda: work.run(partitions))
        if outcome.fault is not None:
            raise outcome.fault
        return outcome

    def source(self, partition: str) -> SourceFile:
        """The file of a document, as the corpus is now. Raises DocumentError where it is no source or is gone."""
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
        """Take the corpus as it was just scanned instead of scanning it again."""
        self._scan = scan

    def read(self, source: SourceFile) -> Source:
        """The bytes of a document's file; see Corpus.read."""
        return Source(self._corpus.read(source), source.format)

    def views(self) -> Views:
        """The corpus as it is published now."""
        return Views(self.store, self.pipeline.clustered, recluster=self.options.recluster)

    def in_loop(self, stage: Stage, documents: int, make: Callable[[], Any]) -> StageRun:
        """Run a coroutine of one stage to its end, draining on the first Ctrl-C or SIGTERM."""
        self.observer.began(stage.name, documents)
        started = time.perf_counter()
        try:
            with asyncio.Runner() as loop, Draining(self.stopping):
                # Offline stages compute in Python: more threads wait for its lock and hold more memory (633 PEPs:
                # 67 s and 700 MB with one, 74 s and 720 MB with two, 76 s and 940 MB with six).
                loop.get_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
                outcome: StageRun = loop.run(self._with_connections(stage, make))
        finally:
            self.reuse.keep_savings()
            self.observer.ended(stage.name, time.perf_counter() - started)
        self.note(outcome, time.perf_counter() - started)
        return outcome

    async def _with_connections(self, stage: Stage, make: Callable[[], Any]) -> StageRun:
        """Connections belong to the loop of their stage, and end with it."""
        try:
            return await make()
        finally:
            for endpoint in self.endpoints(stage):
                await endpoint.aclose()

    def endpoints(self, stage: Stage) -> "list[Endpoint]":
        """Whom a stage asks."""
        used = self.pipeline.used_by(stage).values()
        return [resource.endpoint for resource in used if isinstance(resource, Asking)]

    def note(self, outcome: StageRun, seconds: float) -> None:
        """Count what became of a stage's documents."""
        tally = self.tallies.setdefault(outcome.stage, Tally())
        tally.seconds += seconds
        tally.failed |= outcome.failures
        tally.visited |= outcome.results.keys()
        for partition, result in outcome.results.items():
            tally.failed.pop(partition, None)
            if not result.reused:
                tally.computed.add(partition)

    def stop_reason(self) -> str:
        """Why nothing more may be begun; "" if it may."""
        if self.stopping.is_set():
            return INTERRUPTED
        reason = self.budget.spent_reason(self.reuse.usage.usd)
        self.over_budget |= bool(reason)
        return reason


class StageWork:
    """The documents of one stage in one run: their keys, their inputs, and what becomes of them."""

    def __init__(self, runner: Runner, stage: Stage, inputs: Mapping[str, StoredValues]) -> None:
        self.runner = runner
        self.stage = stage
        self.outcome = StageRun(stage.name)
        self.views = runner.views()
        self._inputs = inputs
        self._total = 0
        self._repaired: dict[tuple[str, str], Ref] = {}

    async def run(self, partitions: Sequence[str]) -> StageRun:
        """See Runner.run_stage."""
        runner, stage, run = self.runner, self.stage, self.outcome
        self._total = len(partitions)
        actions: dict[str, Action] = {}
        for partition in partitions:
            try:
                actions[partition] = self.action(stage, partition)
            except DocumentError as error:
                self.fail(partition, error)
        anew = runner.options.anew or (stage.continues and runner.options.recluster)
        actions = {**actions, **kept_actions(runner.pipeline, runner.store, stage, actions, anew=anew)}
        found = runner.reuse.finished({action.key for action in actions.values()})
        runner.reuse.note_found(stage.name, found.values())
        for partition, action in actions.items():
            if action.key in found:
                run.results[partition] = _result(partition, found[action.key])
        runner.observer.advanced(stage.name, reused=len(run.results))
        missing = {partition: action for partition, action in actions.items() if partition not in run.results}
        remembered = runner.reuse.remembered({action.key for action in missing.values()})
        for partition, action in list(missing.items()):
            if action.key in remembered:
                failure = remembered[action.key]
                self.fail(partition, DocumentError(failure.reason, failure.remedy))
                del missing[partition]
            elif runner.options.cache_only:
                self.fail(
                    partition,
                    DocumentError(
                        "no finished result is in the store.", "Run again without --cache-only.", transient=True
                    ),
                )
                del missing[partition]
        reasons = miss_reasons(runner.store, stage, missing)
        in_flight = sum(endpoint.in_flight for endpoint in runner.endpoints(stage))
        limit = asyncio.Semaphore(_AT_ONCE + in_flight)
        try:
            async with asyncio.TaskGroup() as tasks:
                for partition in missing:
                    tasks.create_task(self._limited(partition, reasons[partition], limit))
        except ExceptionGroup as group:
            raise _fault(group) from group
        run.results = {partition: run.results[partition] for partition in partitions if partition in run.results}
        return run

    async def _limited(self, partition: str, reason: str, limit: asyncio.Semaphore) -> None:
        async with limit:
            await self._in_turn(partition, reason)
            self.runner.observer.paid(self.stage.name, self.runner.reuse.spent.get(self.stage.name, Usage()))
            if self.stage.units == "clusters":
                self._tell(partition)

    def _tell(self, unit: str) -> None:
        run = self.outcome
        place = len(run.results) + len(run.failures)
        if unit in run.results:
            told = f"{unit}: {run.results[unit].provenance.preview}"
        elif unit in run.failures:
            told = f"{unit} failed: {run.failures[unit].reason}"
        else:
            return  # not begun
        self.runner.observer.reached(self.stage.name, place, self._total, told)
        progress.info("%s %d/%d %s", self.stage.name, place, self._total, told)

    async def _in_turn(self, partition: str, reason: str) -> None:
        stop = self.runner.stop_reason()
        if stop:
            self.outcome.stopped = stop
            return
        if self.outcome.fault is not None:
            return
        halted = self.runner.halted.get(self.stage.name)
        if halted is not None:
            self.fail(partition, NotBegunError(halted))
            return
        try:
            result = await self.compute(self.stage, partition, reason)
        except StoppedError as error:
            self.outcome.stopped = self.runner.stop_reason() or error.reason
        except EndpointError as error:
            self.runner.halted.setdefault(self.stage.name, error)
            self.fail(partition, NotBegunError(error))
        except DocumentError as error:
            self.fail(partition, error)
        except (StoreError, ConfigurationError) as error:
            # Raised when the others in flight are finished: they may be paid for already.
            self.outcome.fault = self.outcome.fault or error
        else:
            self.outcome.results[partition] = result
            self.runner.observer.advanced(self.stage.name, computed=not result.reused, reused=result.reused)

    async def compute(self, stage: Stage, partition: str, reason: str) -> Result:
        """One document's result; inputs that are corrupt are computed again first."""
        while True:
            action = self.action(stage, partition)
            computed = False

            async def call(_: Sequence[Action]) -> list[tuple[Any, str]]:
                nonlocal computed
                arguments = await self.open_inputs(stage, partition)
                used = self.runner.pipeline.used_by(stage)
                if REUSE in stage.uses:
                    used[REUSE] = self.runner.reuse
                try:
                    value = await stage.function(*arguments, **used)
                except (DocumentError, StoreError, ConfigurationError, StoppedError):
                    raise
                except Exception as error:
                    logger.exception("%s of %s", stage.name, partition)
                    raise DocumentError(
                        f"the stage's code failed: {type(error).__name__}: {error}.",
                        "The log has the traceback. Mend the stage, raise its version and run again.",
                        transient=True,
                    ) from error
                if problem := stage.problem(value, *arguments):
                    raise DocumentError(
                        f"what was made of it cannot be right: {problem}.",
                        "Nothing was kept of it. This is a fault of the stage, or of what it asked: mend that and run again.",
                        transient=True,
                    )
                computed = True
                return [(value, stage.preview(value)[:PREVIEW_CHARACTERS])]

            try:
                (record,) = await self.runner.reuse.records([action], call, partition=partition)
            except InputChangedError:
                continue
            # Another document of equal content, or another process, may have been first.
            return _result(partition, record, reason if computed else "")

    def action(self, stage: Stage, partition: str) -> Action:
        """The action of a stage on a document. Raises DocumentError where an input has no result."""
        parts: dict[str, Part] = {}
        for name in stage.inputs:
            if name == SOURCE:
                source = self.runner.source(partition)
                parts[name] = source_part(source.content_digest, source.format)
            elif name in VIEWS:
                part = self.views.part(name, partition)
                if part is None:
                    raise BlockedError(self.runner.pipeline.clustered.over(name, partition)[0])
                parts[name] = part
            else:
                parts[name] = self._ref(stage, name, partition).content_digest
        return self.runner.pipeline.action(stage, parts)

    def _ref(self, stage: Stage, name: str, partition: str) -> Ref:
        repaired = self._repaired.get((name, partition))
        if repaired is not None:
            return repaired
        if stage is self.stage:
            given = self._inputs.get(name)
            if given is not None:
                if partition in given:
                    return given.ref(partition)
                raise BlockedError(name)
        refs = self.runner.store.refs.get(name, [partition])
        if partition in refs:
            return refs[partition]
        raise BlockedError(name)

    async def open_inputs(self, stage: Stage, partition: str) -> list[Any]:
        """The values of a document's inputs, verified; a corrupt one is computed again.

        Raises InputChangedError where that gave another value, so that the key has to be formed anew.
        """
        return [await self._open(stage, name, partition) for name in stage.inputs]

    async def _open(self, stage: Stage, name: str, partition: str) -> Any:
        if name == SOURCE:
            return await asyncio.to_thread(self.runner.read, self.runner.source(partition))
        if name in VIEWS:
            return await self.views.value(name, partition, self._load)
        return await self._opened(self._ref(stage, name, partition), stage.input_types[name])

    async def _load(self, name: str, partition: str, content_digest: str) -> Any:
        """A published value of another stage, of any unit."""
        ref = self._repaired.get((name, partition)) or Ref(name, partition, "", content_digest)
        return await self._opened(ref, self.runner.pipeline.stages[name].returns)

    async def _opened(self, ref: Ref, expected: Any) -> Any:
        name, partition = ref.stage, ref.partition
        try:
            return self.runner.store.load(ref.content_digest, expected)
        except (MissingObjectError, CorruptObjectError) as error:
            upstream = self.runner.pipeline.stages[name]
            result = await self.compute(upstream, partition, str(error))
            self.outcome.repaired.setdefault(name, {})[partition] = result
            self._repaired[name, partition] = Ref(name, partition, result.action_key, result.content_digest)
            if result.content_digest != ref.content_digest:
                raise InputChangedError from error
            return self.runner.store.load(result.content_digest, expected)

    def fail(self, partition: str, error: DocumentError) -> None:
        """Note that one document failed."""
        self.outcome.failures[partition] = error
        self.runner.observer.advanced(self.stage.name, failed=1)


def _fault(group: ExceptionGroup[Exception]) -> Exception:
    """What stopped a stage: one of the errors that several documents met at once, with a remedy if one has it."""
    known, other = group.split((StoreError, ConfigurationError))
    error: Exception | None = known or other
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error or group


def _result(partition: str, record: ActionRecord, reason: str = "") -> Result:
    return Result(partition, record.key, record.content_digest, record.provenance, reason)
