"""Remembers a plan that found nothing to do, so that the next plan of the same things forms no key and opens no value.

What belongs here: what such a plan follows from, and the file that remembers it. What does not: a plan of which a part has
changed (plan_memory), and the answer of a seed that needs no plan at all (seeding.standing_answer).

A plan of a million documents reads ten million rows. Held in memory they take 10 GB, and the clusterings as much again. This plan
reads each row once, holds none, and takes a digest of them: with the digest of everything else that decides a plan, it says
whether the plan of before is that of now. What a plan says of units that are not current is in the file; all others are current.

The file is only a memory. If it is missing, damaged, unreadable or of other circumstances, the plan is made from the start.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from io_managers.store.fingerprint import encode_part
from io_managers.store.refs import Refs
from io_managers.store.store import Store
from io_managers.store.whole_files import read_memory, write_memory
from resources.corpus.corpus import Scan
from resources.errors import DocumentError
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage, Units
from seed_assets.planning.plan import Plan, StagePlan, State, UnitSizes

# The format of the file. Raise it whenever the rule changes by which a plan finds a unit current.
_FORMAT = 1
# A plan of fewer documents takes less than two seconds in any case (docs/benchmarks.md), and no file is kept for it.
FEWEST_DOCUMENTS = 10_000
# The most states that are kept of units that are not current, about ten for a document that failed: some 20 MB (a judgement).
# With more, each plan is made from the start.
_MOST_NOTED = 200_000


class _Failed(msgspec.Struct, array_like=True, frozen=True):
    """A permanent failure. key: of the action that failed."""

    reason: str
    remedy: str
    key: str


class _StageNotes(msgspec.Struct, array_like=True, frozen=True):
    """What a stage has to say beside that documents are current.

    units: its units with their sizes, if they are no documents. states: those that are not current. failed: those that failed for
    good. kept: see StagePlan.
    """

    units: dict[str, int]
    states: dict[str, State]
    failed: dict[str, _Failed]
    kept: dict[str, str]


class _Remembered(msgspec.Struct, array_like=True, frozen=True):
    circumstances: bytes
    published: dict[str, str]
    notes: dict[str, _StageNotes]


class WholePlan:
    """The memory of one home, for one plan."""

    def __init__(self, path: Path, pipeline: Pipeline, store: Store, conditions: Callable[[], str]) -> None:
        """conditions: gives a digest of what else decides a plan, beside the corpus and the home: settings, code, files."""
        self._path = path
        self._pipeline = pipeline
        self._store = store
        self._conditions = conditions
        self._begun = b""
        self._maintained: dict[str, str] = {}

    def find(self, scan: Scan, table_states: Mapping[str, str | None]) -> Plan | None:
        """The plan as it was, if it still holds; None if anything has changed, or if no plan is remembered."""
        if not self._applies(scan) or (known := _load(self._path)) is None:
            return None
        self._begun = self._circumstances(scan, table_states)
        if known.circumstances != self._begun:
            return None
        failed = [one.key for notes in known.notes.values() for one in notes.failed.values() if one.key]
        if failed and self._store.actions.existing(failed):  # such as from the remote
            return None
        # One after another, so that a plan after a change reads little in vain.
        for stage in self._pipeline.stages.values():
            if self._store.refs.digest(stage.name, results=stage.kind == "value") != known.published.get(stage.name):
                return None
        return self._restored(scan, known) if self._has_opened_values() else None

    def _has_opened_values(self) -> bool:
        """Whether the values that a plan may open are there still: those of cluster types and of the corpus."""
        stages = [s for s in self._pipeline.of_units(Units.CLUSTER_TYPES, Units.CORPUS) if s.kind == "value"]
        digests = {ref.content_digest for stage in stages for ref in self._store.refs.get(stage.name).values()}
        return self._store.content.sizes(digests).keys() == digests

    def begin(self, scan: Scan, table_states: Mapping[str, str | None]) -> bool:
        """Look at what decides a plan beside what is published, before the plan does. Returns whether it may be remembered."""
        if not self._applies(scan):
            return False
        # What changes after this has no part in what is remembered, so that the next plan does not rely on it.
        self._begun = self._begun or self._circumstances(scan, table_states)
        self._maintained = {
            stage.name: self._store.refs.digest(stage.name, results=False)
            for stage in self._pipeline.maintenance_stages
        }
        return True

    def keep(self, plan: Plan, published: Mapping[str, str], keys: Mapping[tuple[str, str], str]) -> None:
        """Remember the plan that was made since `begin`, if it found nothing to do.

        published: stage -> the digest of what was published when the plan read it. keys: (stage, unit) -> the key of the action,
        of those that failed for good.
        """
        digests = {**published, **self._maintained}
        if not _is_settled(plan) or not all(digests.values()):
            return
        notes = {name: _notes(stage, keys) for name, stage in plan.stages.items()}
        if sum(len(one.states) + len(one.kept) for one in notes.values()) > _MOST_NOTED:
            return
        with contextlib.suppress(OSError):  # a read-only home is reported by the code that has to write there
            write_memory(self._path, msgspec.msgpack.encode(_Remembered(self._begun, digests, notes)))

    def _applies(self, scan: Scan) -> bool:
        enough = len(scan.documents) + len(scan.problems) >= FEWEST_DOCUMENTS
        return enough and not scan.unreadable and not self._store.batches.waiting()

    def _circumstances(self, scan: Scan, table_states: Mapping[str, str | None]) -> bytes:
        """A digest of all that decides a plan, except what is published."""
        hasher = hashlib.blake2b(digest_size=32)
        tables = sorted(table_states.items())
        hasher.update(repr((_FORMAT, self._conditions(), tables, self._store.failures.digest())).encode())
        for name in sorted({source.format for source in scan.documents.values()}):
            hasher.update(encode_part(self._pipeline.source_part("", name)))  # how files of the format are read
        # No id and no format contains a line break.
        for name, source in scan.documents.items():
            hasher.update(f"{name}\n{source.content_digest}\n{source.format}\n".encode())
        for name, problem in scan.problems.items():
            hasher.update(f"{name}\n\n{problem.reason}\n".encode())
        return hasher.digest()

    def _restored(self, scan: Scan, known: _Remembered) -> Plan:
        documents = sorted([*scan.documents, *scan.problems])
        states = _States(documents)
        sizes = UnitSizes(scan, {u: n for one in known.notes.values() for u, n in one.units.items() if n})
        stages: dict[str, StagePlan] = {}
        for name, notes in known.notes.items():
            stage = self._pipeline.stages[name]
            found = states.of(notes.states) if stage.units is Units.DOCUMENTS else _all(notes.units, notes.states)
            failures = {unit: DocumentError(one.reason, one.remedy) for unit, one in notes.failed.items()}
            finished = _Finished(self._store.refs, stage, found) if stage.kind == "value" else {}
            stages[name] = StagePlan(stage, found, failures=failures, finished=finished, sizes=sizes, kept=notes.kept)
        return Plan(documents, stages, scan, set(), set(), {}, set(), placed=True)


class _States:
    """The states of documents by stage. Stages in which the same documents are not current share one mapping."""

    def __init__(self, documents: list[str]) -> None:
        self._documents = documents
        self._made: list[tuple[dict[str, State], dict[str, State]]] = []

    def of(self, others: dict[str, State]) -> dict[str, State]:
        for known, states in self._made:
            if known == others:
                return states
        self._made.append((others, _all(self._documents, others)))
        return self._made[-1][1]


class _Finished(Mapping[str, str]):
    """Unit -> the key of its published result, of those that are current; read from the store when it is needed."""

    def __init__(self, refs: Refs, stage: Stage, states: Mapping[str, State]) -> None:
        self._refs = refs
        self._stage = stage.name
        self._states = states

    def __getitem__(self, unit: str) -> str:
        if unit not in self:
            raise KeyError(unit)
        return self._refs.get(self._stage, [unit])[unit].action_key

    def __contains__(self, unit: object) -> bool:
        return isinstance(unit, str) and self._states.get(unit) == "current"

    def __iter__(self) -> Iterator[str]:
        return (unit for unit, state in self._states.items() if state == "current")

    def __len__(self) -> int:
        return sum(state == "current" for state in self._states.values())

    def items(self) -> "Iterable[tuple[str, str]]":  # pyright: ignore[reportIncompatibleMethodOverride] - no set is needed
        """Yield all of them, a part at a time."""
        return ((unit, key) for unit, key in self._refs.keys(self._stage) if self._states.get(unit) == "current")


def _all(units: Iterable[str], others: Mapping[str, State]) -> dict[str, State]:
    states: dict[str, State] = dict.fromkeys(units, "current")
    states.update(others)
    return states


def _is_settled(plan: Plan) -> bool:
    """Whether nothing is to be done, or will be, before something changes."""
    stages = plan.stages.values()
    busy = any(one.todo or one.unnamed or one.fault is not None for one in stages)
    return plan.placed and not (busy or plan.gone or plan.maintenance or plan.unsettled)


def _notes(stage: StagePlan, keys: Mapping[tuple[str, str], str]) -> _StageNotes:
    name = stage.stage.name
    failed = {unit: _Failed(one.reason, one.remedy, keys.get((name, unit), "")) for unit, one in stage.failures.items()}
    units = {} if stage.stage.units is Units.DOCUMENTS else {unit: stage.sizes.get(unit, 0) for unit in stage.states}
    others: dict[str, State] = {unit: state for unit, state in stage.states.items() if state != "current"}
    return _StageNotes(units, others, failed, stage.kept)


def _load(path: Path) -> _Remembered | None:
    data = read_memory(path)
    try:
        return msgspec.msgpack.decode(data, type=_Remembered) if data is not None else None
    except msgspec.MsgspecError:
        return None
