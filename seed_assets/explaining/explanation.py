"""What a seed would do with each result of one unit, and why: the differences of keys, with the values and texts behind them.

What belongs here: finding the unit, and joining what the plan, the store and the keys say about it. What does not: states
(planning), comparing keys (key_changes), values (value_changes) and prompts (prompt_changes), and the sentences that people read
(sentences). Nothing is run, locked or sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from io_managers.store.action_cache import ActionRecord
from io_managers.store.errors import CorruptObjectError, MissingObjectError, UnknownFormatError
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action, Part
from io_managers.store.refs import Ref
from resources.errors import ConfigurationError, DocumentError
from resources.wording import did_you_mean
from seed_assets.engine.stage_code import CodeChange, code_changes
from seed_assets.explaining.key_changes import Change, key_changes
from seed_assets.explaining.prompt_changes import prompt_difference
from seed_assets.explaining.setting_names import keeping_setting
from seed_assets.graph.stage import SOURCE, OfPrompts, Stage, Units
from seed_assets.planning.plan import UNPUBLISHED, UPSTREAM, VANISHED, Plan, StagePlan, State
from seed_assets.session.document_result import document_in, possible_ids
from seed_assets.session.session import Session

CORPUS = "corpus"
"""The name of the corpus as a whole, where a unit is asked for."""
GONE = "the document is not in the corpus any more"

Outcome = Literal[
    "reused", "kept", "published", "computed", "perhaps computed", "failed", "blocked", "waiting", "removed"
]
"""What a seed does with a result. reused: nothing. kept: nothing, although its key differs. published: it is in the store and is
made current. perhaps computed: only if an input that is computed first turns out different. blocked: a stage before it failed."""


@dataclass(frozen=True, slots=True)
class Made:
    """How a stored result came about.

    at: when, in seconds since 1970; None if that is not recorded. model: the model that was asked, "" for none. unpriced: how
    many of the requests have an unknown price.
    """

    at: float | None
    seconds: float
    model: str = ""
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no result. stage: the one that failed. since: when it last failed, in seconds since 1970; None if that is not
    recorded, as of a file that no scan can read. again: what makes a seed try it again.
    """

    stage: str
    reason: str
    remedy: str
    since: float | None
    again: str


@dataclass(frozen=True, slots=True)
class StageExplanation:
    """One result of the unit.

    state: as in a plan; "gone" if the unit is not there any more, "unknown" if its folder cannot be read. reason: the plan's
    reason to visit it, "" for none. changes: the differences between the key of the published result and that of what a seed
    would do. waits_for: the stages that are computed before its key is known. made: how the result that the outcome is about was
    made; None if there is none. kept_by: the setting that says that it is kept although its key differs; "" if it is not kept.
    """

    stage: str
    state: State | Literal["gone", "unknown"]
    outcome: Outcome
    reason: str = ""
    changes: tuple[Change, ...] = ()
    waits_for: tuple[str, ...] = ()
    made: Made | None = None
    failed: Failed | None = None
    kept_by: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Results of one unit, in the order of the pipeline.

    unit: its id; "" for the corpus as a whole. units: what kind it is. code: stages whose code has changed, and whose version has
    not.
    """

    unit: str
    units: Units
    stages: tuple[StageExplanation, ...]
    code: tuple[CodeChange, ...] = ()


def explain(session: Session, unit: str, stage: str = "") -> Explanation:
    """Explain the results of a document, cluster type, cluster or the corpus: of one stage, or of all if it is "".

    unit: the id of a document or the path of its file, the name of a cluster type, the id of a cluster, or "corpus". Raises
    ConfigurationError if there is no such unit or stage, or no corpus.
    """
    names = {unit, *possible_ids(unit, session.settings.corpus), *([""] if unit == CORPUS else [])}
    plan = session.plan(explained=names)
    name, units = _unit(session, plan, unit)
    stages = _stages(session, units, stage)
    explaining = _Unit(session, plan, name)
    explained = tuple(found for one in stages if (found := explaining.of_stage(one)) is not None)
    return Explanation(name, units, explained, tuple(code_changes(session.store, stages)))


def _unit(session: Session, plan: Plan, given: str) -> tuple[str, Units]:
    """The id and the kind of the unit that is meant. A document comes first, since its name is free."""
    if given in plan.scan.documents or given in plan.scan.problems:
        return given, Units.DOCUMENTS
    if given == CORPUS:
        return "", Units.CORPUS
    if given in session.pipeline.cluster_types:
        return given, Units.CLUSTER_TYPES
    of_clusters = session.pipeline.of_units(Units.CLUSTERS)
    if given in session.store.refs.partitions(stage.name for stage in of_clusters) or any(
        given in plan.stages[stage.name].states for stage in of_clusters
    ):
        return given, Units.CLUSTERS
    if given.rpartition("/")[0] in session.pipeline.cluster_types:
        known = [unit for stage in of_clusters[:1] for unit in plan.stages[stage.name].states]
        raise ConfigurationError(
            f"There is no cluster {given!r}.{did_you_mean(given, known)} `seedbank status --json` counts the clusters, and the "
            "table `clusters` lists them."
        )
    return document_in(session, plan.scan, given), Units.DOCUMENTS


def _stages(session: Session, units: Units, name: str) -> list[Stage]:
    stages = session.pipeline.stages
    there = session.pipeline.of_units(units)
    if not name:
        return there
    known = ", ".join(stage.name for stage in there)
    what = _KINDS[units]
    if name not in stages:
        raise ConfigurationError(
            f"There is no stage {name!r}.{did_you_mean(name, stages)} The stages with a result of {what} are {known}."
        )
    if stages[name] not in there:
        raise ConfigurationError(
            f"The stage {name} has results of {_SEVERAL[stages[name].units]}, and none of {what}. The stages with a result of "
            f"{what} are {known}."
        )
    return [stages[name]]


_KINDS = {
    Units.DOCUMENTS: "a document",
    Units.CLUSTER_TYPES: "a cluster type",
    Units.CLUSTERS: "a cluster",
    Units.CORPUS: "the corpus as a whole",
}
_SEVERAL = {
    Units.DOCUMENTS: "documents",
    Units.CLUSTER_TYPES: "cluster types, such as topic",
    Units.CLUSTERS: "clusters, such as topic/1",
    Units.CORPUS: "the corpus as a whole",
}


def _kept_by(stage: Stage, changes: Sequence[Change]) -> str:
    """The setting that says that a result is kept."""
    settings = [keeping_setting(change.part.partition(".")[0]) for change in changes]
    return next(filter(None, [*settings, *(looked_at.kept_by for looked_at in stage.corpus_inputs.values())]), "")


class _Unit:
    """Explains the stages of one unit, given a plan that has its actions."""

    def __init__(self, session: Session, plan: Plan, unit: str) -> None:
        self._session = session
        self._pipeline = session.pipeline
        self._store = session.store
        self._plan = plan
        self._unit = unit

    def of_stage(self, stage: Stage) -> StageExplanation | None:
        """What a seed does with the unit in a stage; None if the stage has nothing to do with it."""
        ref = self._store.refs.get(stage.name, [self._unit]).get(self._unit)
        if stage.kind == "maintenance":
            return self._maintenance(stage, ref)
        plan = self._plan.stages[stage.name]
        state = plan.states.get(self._unit)
        if state is None:
            return None if ref is None else self._not_there(stage, plan, ref)
        return self._planned(stage, plan, state, ref)

    def _not_there(self, stage: Stage, plan: StagePlan, ref: Ref) -> StageExplanation:
        """A published result of something that the corpus or the clustering does not have, or that cannot be read now."""
        made = self._made(ref)
        if stage.units is Units.DOCUMENTS and self._unit not in self._plan.gone:
            scan = self._plan.scan
            closed = {**scan.unreadable, **{f"{archive}/": error for archive, error in scan.problems.items()}}
            error = next((error for folder, error in closed.items() if self._unit.startswith(folder)), None)
            reason, remedy = (
                (error.reason, error.remedy) if error else ("its file cannot be read now.", "Seed again later.")
            )
            failed = Failed(stage.name, reason, remedy, None, "The next seed reads it again.")
            return StageExplanation(stage.name, "unknown", "blocked", made=made, failed=failed)
        reason = GONE if stage.units is Units.DOCUMENTS else plan.todo.get(self._unit, VANISHED)
        return StageExplanation(stage.name, "gone", "removed", reason, made=made)

    def _maintenance(self, stage: Stage, ref: Ref | None) -> StageExplanation:
        reason = self._plan.maintenance.get(stage.name, "")
        state: State = "missing" if ref is None else "stale" if reason else "current"
        outcome: Outcome = "perhaps computed" if reason == UPSTREAM and ref else "computed" if reason else "reused"
        waits_for = tuple(name for name in stage.over if name in self._plan.unsettled) if reason == UPSTREAM else ()
        made = self._made(ref) if ref else None
        return StageExplanation(stage.name, state, outcome, reason, waits_for=waits_for, made=made)

    def _planned(self, stage: Stage, plan: StagePlan, state: State, ref: Ref | None) -> StageExplanation:
        reason = plan.todo.get(self._unit, "")
        waits_for = self._waits_for(stage) if reason == UPSTREAM else ()
        changes = self._changes(stage, ref)
        found = StageExplanation(
            stage.name, state, "reused", reason, changes, waits_for, self._made(ref) if ref else None
        )
        if state == "waiting":
            return replace(found, outcome=state)
        if state in ("failed", "blocked"):
            return replace(found, outcome=state, failed=self._failed(stage))
        if not reason:
            if self._unit not in plan.kept:
                return replace(found, outcome="reused", changes=())
            return replace(found, outcome="kept", reason=plan.kept[self._unit], kept_by=_kept_by(stage, changes))
        if reason == UNPUBLISHED:
            return replace(found, outcome="published", made=self._made_by(plan.finished[self._unit]))
        if reason == UPSTREAM and ref is not None and not self._decisive(stage, changes):
            return replace(found, outcome="perhaps computed")
        return replace(found, outcome="computed")

    def _decisive(self, stage: Stage, changes: Sequence[Change]) -> bool:
        """Whether any of the differences is a reason to compute a published result again."""
        free = self._pipeline.free_parts(stage)
        return any(change.part.partition(".")[0] not in free for change in changes)

    def _waits_for(self, stage: Stage) -> tuple[str, ...]:
        """The stages whose results are computed, or may be, before the key of this one is known."""
        known = self._plan.stages[stage.name].actions.get(self._unit)
        unknown = [name for name in stage.inputs if known is None or name not in known.parts]
        found: list[str] = []
        for name in unknown:
            looked_at = stage.corpus_inputs.get(name)
            if looked_at is None:
                found.append(name)
            else:
                found += [one for one in looked_at.over(self._unit) if one in self._plan.unsettled]
        return tuple(dict.fromkeys(name for name in found if name != SOURCE))

    def _changes(self, stage: Stage, ref: Ref | None) -> tuple[Change, ...]:
        now = self._plan.stages[stage.name].actions.get(self._unit)
        if (
            ref is None
            or now is None
            or (now.key == ref.action_key and self._unit not in self._plan.stages[stage.name].kept)
        ):
            return ()
        before = self._store.actions.parts([ref.action_key]).get(ref.action_key) or self._rows_from(stage, ref, now)
        if before is None:
            return ()
        unknown = [name for name in stage.inputs if name not in now.parts]
        found = key_changes(self._pipeline, stage, before, now.parts, unknown=unknown, settings=self._session.settings)
        return tuple(self._with_details(stage, change) for change in found)

    def _rows_from(self, stage: Stage, ref: Ref, now: Action) -> Mapping[str, Part] | None:
        """The parts of the key that published rows were written under. The store does not record them, but if they are those of
        the published inputs, under this version or an earlier one of the stage, their key tells.
        """
        if stage.kind != "sink":
            return None
        refs = {name: self._store.refs.get(name, [self._unit]).get(self._unit) for name in stage.upstream}
        published = {name: found.content_digest for name, found in refs.items() if found is not None}
        given = {name: now.parts[name] for name in stage.inputs if name in now.parts}
        for version in (stage.version, *reversed(list(stage.changes)), "1"):
            template = self._pipeline.with_stage(replace(stage, version=version)).templates[stage.name]
            for inputs in ({**given, **published}, given):
                if inputs.keys() == set(stage.inputs) and (action := template.action(inputs)).key == ref.action_key:
                    return action.parts
        return None

    def _with_details(self, stage: Stage, change: Change) -> Change:
        """The change with what the store knows of the values or texts that differ."""
        if change.kind == "prompt":
            return self._of_prompt(stage, change)
        if change.kind == "input" and change.part in stage.upstream:
            return self._of_input(change)
        return change

    def _of_prompt(self, stage: Stage, change: Change) -> Change:
        resource = self._pipeline.resource(stage, change.part.partition(".")[0])
        texts = resource.prompt_texts if isinstance(resource, OfPrompts) else {}
        now = texts.get(str(change.now))
        before = self._store.kept_text(str(change.before))
        if now is None or before is None:
            return replace(change, text=f"{change.text}; the text of the earlier prompt was not kept")
        return replace(change, details=prompt_difference(before, now.decode()))

    def _of_input(self, change: Change) -> Change:
        expected = self._pipeline.stages[change.part].returns
        before, now = self._value(change.before, expected), self._value(change.now, expected)
        if before is None or now is None:
            return replace(change, text=f"{change.text}; one of the two values is not in the store any more")
        from seed_assets.explaining.value_changes import value_change

        difference = value_change(before, now)
        return replace(change, text=f"{change.text}: {difference}" if difference else change.text)

    def _value(self, digest: Any, expected: Any) -> Any:
        try:
            return self._store.load(str(digest), expected)
        except (MissingObjectError, CorruptObjectError, UnknownFormatError):
            return None

    def _made(self, ref: Ref) -> Made | None:
        return self._made_by(ref.action_key)

    def _made_by(self, action_key: str) -> Made | None:
        record: ActionRecord | None = self._store.actions.lookup([action_key]).get(action_key)
        if record is None:
            return None
        found = record.provenance
        tokens = found.input_tokens + found.output_tokens
        at = self._store.actions.made_at(action_key)
        return Made(at, found.seconds, found.model, found.requests, tokens, found.usd, found.unpriced)

    def _failed(self, stage: Stage) -> Failed | None:
        """The failure of the stage, or of the first one that blocks it."""
        for name in self._before(stage):
            error = self._error(name)
            if error is None:
                continue
            action = self._plan.stages[name].actions.get(self._unit)
            record = self._store.failures.lookup([action.key]).get(action.key) if action else None
            return Failed(name, error.reason, error.remedy, record.failed_at if record else None, self._again(record))
        return None

    def _error(self, name: str) -> DocumentError | None:
        plan = self._plan.stages[name]
        if plan.states.get(self._unit) != "failed":
            return None
        if SOURCE in plan.stage.inputs and self._unit in self._plan.scan.problems:
            return self._plan.scan.problems[self._unit]
        return plan.failures.get(self._unit) or plan.fault

    def _before(self, stage: Stage) -> list[str]:
        """The stage and those that it needs results of, in order."""
        names = {stage.name}
        for one in reversed(list(self._pipeline.stages.values())):
            if one.name in names:
                names.update((*one.upstream, *one.over))
        return [name for name in self._plan.stages if name in names]

    def _again(self, record: FailureRecord | None) -> str:
        if record is None:
            return "The next seed reads the file again, and goes on if that succeeds."
        if record.transient:
            return "The next seed tries it again."
        if not record.holds(self._asked_with):
            return "The settings of requests have changed since, so the next seed tries it again."
        shaped = ", when the settings of requests to the model change," if record.settings else ""
        return (
            "A seed tries it again when its document, or any other part of its key (a model, a prompt, a setting, a version) "
            f"changes{shaped or ','} or with `seedbank seed --retry-failed`."
        )

    @cached_property
    def _asked_with(self) -> frozenset[str]:
        return self._pipeline.asked_with
