"""Computes one stage for some units: reuses what is finished, computes the rest.

This module forms keys, looks up finished results, computes the others under a limit, keeps a failure to its document, and
recomputes an input that turns out to be corrupt. What the stages of a run share is in runner, and rows are written in sink.
"""

import asyncio
import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from io_managers.plain_text import plain, plain_lines
from io_managers.store.action_cache import ActionRecord
from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreError
from io_managers.store.fingerprint import Action, Part
from io_managers.store.refs import Ref
from io_managers.store.values import Result, StoredValues
from resources.endpoints.llm import EndpointError, Usage
from resources.errors import ConfigurationError, DocumentError, StoppedError, WaitingError
from resources.memory_errors import is_memory_error
from resources.wording import cut_at_word
from seed_assets.engine.comparison import miss_reasons
from seed_assets.engine.currency import kept_actions
from seed_assets.engine.observer import ResultsObserver
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_code import note_code
from seed_assets.engine.stage_errors import NAMED, OF_THE_MACHINE, named_error
from seed_assets.engine.stage_run import BlockedError, InputChangedError, NotBegunError, StageRun
from seed_assets.engine.stage_watch import StageWatch
from seed_assets.engine.unit_time import awaited, called
from seed_assets.graph.stage import PREVIEW_CHARACTERS, REUSE, SOURCE, OfPrompts, Stage, Units
from seed_assets.memo.reuse import Made, Reuse

logger = logging.getLogger(__name__)

# Documents of one stage in memory at a time; enough for their commits to share a flush.
_AT_ONCE = 16


def run_stage(
    runner: Runner,
    stage: Stage,
    units: Sequence[str],
    inputs: Mapping[str, StoredValues] | None = None,
    results: ResultsObserver | None = None,
) -> StageRun:
    """Run a stage over some of its units. Returns the result or failure of each; raises only what stops the whole run.

    results: sees finished results every few seconds while others are computed. Ctrl-C or SIGTERM sets `stopping` of the runner;
    a second one raises KeyboardInterrupt at once.
    """
    work = StageWork(runner, stage, inputs or {})
    outcome = runner.in_loop(stage, len(units), lambda: work.run(units, results))
    if outcome.fault is not None:
        raise outcome.fault
    return outcome


class StageWork:
    """The documents of one stage in one run: their keys, their inputs, and their results."""

    def __init__(self, runner: Runner, stage: Stage, inputs: Mapping[str, StoredValues]) -> None:
        self.runner = runner
        self.stage = stage
        self.outcome = StageRun(stage.name)
        self._corpus = runner.published_corpus()
        self._inputs = inputs
        self._repaired: dict[tuple[str, str], Ref] = {}

    async def run(self, partitions: Sequence[str], results: ResultsObserver | None = None) -> StageRun:
        """See run_stage."""
        runner, stage, run = self.runner, self.stage, self.outcome
        for resource in runner.pipeline.used_by(stage).values():
            if isinstance(resource, OfPrompts):
                runner.store.keep_texts(resource.prompt_texts)
        note_code(runner.store, stage)
        actions: dict[str, Action] = {}
        for partition in partitions:
            try:
                actions[partition] = self.action(stage, partition)
            except DocumentError as error:
                self.fail(partition, error)
        from_scratch = runner.options.no_cache or (stage.continues and runner.options.recluster)
        actions = {**actions, **kept_actions(runner.pipeline, runner.store, stage, actions, from_scratch=from_scratch)}
        found = runner.reuse.finished({action.key for action in actions.values()})
        runner.reuse.note_found(stage.name, {unit: found[a.key] for unit, a in actions.items() if a.key in found})
        for partition, action in actions.items():
            if action.key in found:
                run.results[partition] = _result(partition, found[action.key])
        runner.observer.advanced(stage.name, reused=len(run.results))
        missing = {partition: action for partition, action in actions.items() if partition not in run.results}
        remembered = runner.reuse.remembered({action.key for action in missing.values()})
        for partition, action in list(missing.items()):
            if action.key in remembered:
                failure = remembered[action.key]
                error = DocumentError(failure.reason, failure.remedy, settings=failure.settings)
                self.fail(partition, error)
                del missing[partition]
            elif runner.options.cache_only:
                self.fail(
                    partition,
                    DocumentError(
                        "no finished result is in the store.", "Run again without --cache-only.", transient=True
                    ),
                )
                del missing[partition]
        self.fetch_inputs(missing)
        free, no_cache = runner.pipeline.free_parts(stage), runner.options.no_cache
        reasons = miss_reasons(runner.store, stage, missing, free, no_cache=no_cache)
        in_flight = sum(endpoint.in_flight for endpoint in runner.endpoints(stage))
        limit = asyncio.Semaphore(_AT_ONCE + in_flight)
        watching = asyncio.create_task(StageWatch(runner, stage, run, missing, results).follow())
        try:
            await self._all(missing, reasons, limit)
            if run.waiting and await self._ends_batches():
                again = [partition for partition in missing if partition in run.waiting]
                run.waiting.clear()
                await self._all(again, reasons, limit)
            if run.waiting and stage.units is Units.DOCUMENTS:
                runner.store.batches.note_documents(run.waiting)
        finally:
            watching.cancel()
        run.results = {partition: run.results[partition] for partition in partitions if partition in run.results}
        return run

    async def _all(self, partitions: Iterable[str], reasons: Mapping[str, str], limit: asyncio.Semaphore) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for partition in partitions:
                    tasks.create_task(self._limited(partition, reasons[partition], limit))
        except ExceptionGroup as group:
            raise _fault(group) from group

    async def _ends_batches(self) -> bool:
        """Send what was added to batches; True if the units that wait are to be computed without a batch, now."""
        runner, name = self.runner, self.stage.name
        assert runner.batches is not None
        try:
            return await runner.batches.end(runner.reuse.costs, interrupted=bool(runner.stop_reason()))
        except EndpointError as error:
            runner.halted.setdefault(name, error)
            for partition in sorted(self.outcome.waiting):
                self.fail(partition, NotBegunError(error))
            self.outcome.waiting.clear()
            return False

    async def _limited(self, partition: str, reason: str, limit: asyncio.Semaphore) -> None:
        async with limit:
            await self._in_turn(partition, reason)
            self.runner.observer.paid(self.stage.name, self.runner.reuse.accounts.spent.get(self.stage.name, Usage()))

    async def _in_turn(self, partition: str, reason: str) -> None:
        stop = self.runner.stop_reason(self.stage.name)
        if stop:
            self.outcome.stopped = stop
            return
        # Nothing is begun whose result could not be kept.
        self.outcome.fault = self.outcome.fault or self.runner.reuse.unwritable()
        if self.outcome.fault is not None:
            return
        halted = self.runner.halted.get(self.stage.name)
        if halted is not None:
            self.fail(partition, NotBegunError(halted))
            return
        try:
            result = await self.compute(self.stage, partition, reason, self.runner.reuse)
        except WaitingError:
            self.outcome.waiting.add(partition)
        except StoppedError as error:
            self.outcome.stopped = self.runner.stop_reason(self.stage.name) or error.reason
            self.outcome.fault = self.outcome.fault or self.runner.reuse.unwritable()
        except EndpointError as error:
            self.runner.halted.setdefault(self.stage.name, error)
            self.fail(partition, NotBegunError(error))
        except DocumentError as error:
            self.fail(partition, error)
        except (StoreError, ConfigurationError) as error:
            # Raised after the others in flight are finished, since they may be paid for already.
            self.outcome.fault = self.outcome.fault or error
        else:
            self.outcome.results[partition] = result
            self.runner.observer.advanced(self.stage.name, computed=not result.reused, reused=result.reused)

    async def compute(self, stage: Stage, partition: str, reason: str, reuse: Reuse) -> Result:
        """One document's result; inputs that are corrupt are computed again first.

        reuse: inside of the action that needs the result, which pays for it, or outside of any.
        """
        while True:
            action = self.action(stage, partition)
            computed = False

            async def call(_: Sequence[Action], own: Reuse) -> list[Made]:
                nonlocal computed
                arguments = await self.open_inputs(stage, partition, own)
                used = self.runner.pipeline.used_by(stage)
                if REUSE in stage.uses:
                    used[REUSE] = own
                try:
                    value = await awaited(stage, stage.function(*arguments, **used), lambda: own.costs.waits)
                    problem, preview, warnings = called(stage, _described, stage, value, arguments)
                except NAMED:
                    raise
                except (Exception, SystemExit) as error:
                    if not isinstance(error, OF_THE_MACHINE) and not is_memory_error(error):
                        # An error may quote a document.
                        trace = plain_lines("".join(traceback.format_exception(error)))
                        logger.error("%s of %s: %s", stage.name, plain(partition), trace)
                    raise named_error(error, stage.name) from error
                if problem:
                    raise DocumentError(
                        f"what was made of it cannot be right: {problem}.",
                        "Nothing was kept of it. This is a fault of the stage, or of what it asked: fix that and run again.",
                        transient=True,
                    )
                computed = True
                return [(value, preview, warnings)]

            try:
                (record,) = await reuse.records([action], call, partition=partition)
            except InputChangedError:
                continue
            # Another document of equal content, or another process, may have computed it first.
            if computed:
                reuse.accounts.note_made(stage.name, partition)
            else:
                reuse.note_found(stage.name, {partition: record})
            return _result(partition, record, reason if computed else "")

    def action(self, stage: Stage, partition: str) -> Action:
        """The action of a stage on a document. Raises DocumentError if an input has no result."""
        parts: dict[str, Part] = {}
        for name in stage.inputs:
            if name == SOURCE:
                source = self.runner.source(partition)
                parts[name] = self.runner.pipeline.source_part(source.content_digest, source.format)
            elif name in stage.corpus_inputs:
                looked_at = stage.corpus_inputs[name]
                part = looked_at.part(self._corpus, partition)
                if part is None:
                    raise BlockedError(looked_at.over(partition)[0])
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

    def fetch_inputs(self, partitions: Iterable[str]) -> None:
        """Bring the inputs of these documents here at once, if they are elsewhere; opened singly, each would be waited for."""
        if not self.runner.store.content.is_shared:
            return
        stages = [name for name in self.stage.inputs if name != SOURCE and name not in self.stage.corpus_inputs]
        wanted: set[str] = set()
        for partition in partitions:
            with suppress(BlockedError):
                wanted.update(self._ref(self.stage, name, partition).content_digest for name in stages)
        self.runner.store.content.fetch(wanted)

    async def open_inputs(self, stage: Stage, partition: str, reuse: Reuse) -> list[Any]:
        """The values of a document's inputs, verified; a corrupt one is computed again.

        reuse: inside of the action that opens them, which pays for that. Raises InputChangedError if that gave another value,
        so that the key has to be formed again.
        """
        return [await self._open(stage, name, partition, reuse) for name in stage.inputs]

    async def _open(self, stage: Stage, name: str, partition: str, reuse: Reuse) -> Any:
        if name == SOURCE:
            return await asyncio.to_thread(self.runner.read, self.runner.source(partition))
        if name in stage.corpus_inputs:
            return await stage.corpus_inputs[name].value(self._corpus, partition, partial(self._published, reuse))
        return await self._opened(self._ref(stage, name, partition), stage.input_types[name], reuse)

    async def _published(self, reuse: Reuse, name: str, partition: str) -> Any:
        """A published value of another stage, of any unit."""
        digest = self._corpus.refs(name)[partition].content_digest
        ref = self._repaired.get((name, partition)) or Ref(name, partition, "", digest)
        return await self._opened(ref, self.runner.pipeline.stages[name].returns, reuse)

    async def _opened(self, ref: Ref, expected: Any, reuse: Reuse) -> Any:
        name, partition = ref.stage, ref.partition
        try:
            return self.runner.store.load(ref.content_digest, expected)
        except (MissingObjectError, CorruptObjectError) as error:
            upstream = self.runner.pipeline.stages[name]
            result = await self.compute(upstream, partition, str(error), reuse)
            self.outcome.repaired.setdefault(name, {})[partition] = result
            self._repaired[name, partition] = Ref(name, partition, result.action_key, result.content_digest)
            if result.content_digest != ref.content_digest:
                raise InputChangedError from error
            return self.runner.store.load(result.content_digest, expected)

    def fail(self, partition: str, error: DocumentError) -> None:
        """Note that one document failed."""
        self.outcome.failures[partition] = error
        self.runner.observer.advanced(self.stage.name, failed=1)


def _described(stage: Stage, value: Any, arguments: Sequence[Any]) -> tuple[str, str, Sequence[str]]:
    """The problem of a value; without one, its preview and its warnings."""
    if problem := stage.problem(value, *arguments):
        return problem, "", ()
    return "", cut_at_word(stage.preview(value), PREVIEW_CHARACTERS), stage.warnings_beside(value)


def _fault(group: ExceptionGroup[Exception]) -> Exception:
    """What stopped a stage: one of the errors of several documents, preferably one with a remedy."""
    known, other = group.split((StoreError, ConfigurationError))
    error: Exception | None = known or other
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error or group


def _result(partition: str, record: ActionRecord, reason: str = "") -> Result:
    return Result(partition, record.key, record.content_digest, record.provenance, reason)
