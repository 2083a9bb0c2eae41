"""What is looked at of the whole knowledge base, beside what every run judges of each document.

What belongs here: the checks, as plain functions over what is published. What does not: Dagster's view of them (checks), the
command that runs them (cli), and what fails one document alone (the stages' own `problem`).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from io_managers.store.errors import StoreError
from resources.errors import ConfigurationError, DocumentError
from resources.lance_errors import TableError
from resources.lance_schema import TABLES
from seed_assets.cluster_level import vanished
from seed_assets.core.validity import uncovered, ungrounded, unlike
from seed_assets.pipeline import Pipeline
from seed_assets.planner import upkeep_todo
from seed_assets.runner import Runner
from seed_assets.sink import is_current

CURRENT = "current_with_documents"
Severity = Literal["error", "warning"]

_MOST_REJECTED = 0.2
_MOST_OUTLIERS = 0.5
_LEAST_KEPT = 0.5
# More of a table's rows at once is memory for nothing.
_BATCH = 1_000


@dataclass(slots=True)
class Finding:
    """What a check found. offenders: unit -> what is wrong with it; figures: what else is worth to know."""

    offenders: dict[str, str] = field(default_factory=dict)
    figures: dict[str, float | int | str] = field(default_factory=dict)
    looked_at: int = 0

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.offenders


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one stage's asset. severity: "error" fails `seedbank check`, "warning" is for a person to look at.

    blocking: whether what comes after the asset in the same run is not made where it fails: a fault of the whole corpus.
    """

    name: str
    stage: str
    severity: Severity
    blocking: bool
    run: Callable[[Runner, str], Finding]

    @property
    def description(self) -> str:
        """What the user reads in Dagster: the function's docstring."""
        return " ".join((self.run.__doc__ or "").split())


def checks_of(pipeline: Pipeline) -> list[Check]:
    """All checks of a pipeline's stages, in the order of the stages."""
    own = [
        Check("text_not_empty", "extracted_text", "warning", False, _text_not_empty),
        Check("cover_the_text", "chunks", "error", False, _cover_the_text),
        Check("of_one_kind", "embeddings", "error", True, _of_one_kind),
        Check("grounded", "concepts", "error", False, _grounded),
        Check("share_rejected", "judgements", "warning", False, _share_rejected),
        Check("share_rejected", "cluster_judgements", "warning", False, _share_rejected),
        Check("sizes", "clusters", "error", False, _sizes),
        Check("share_of_outliers", "clusters", "warning", False, _share_of_outliers),
        Check("stable", "clusters", "warning", False, _stable),
        *(Check(CURRENT, name, "warning", False, _current) for name in ("clusters", "categories", "corpus_map")),
        *(Check(CURRENT, stage.name, "warning", False, _upkeep_current) for stage in pipeline.upkeep_stages),
        *(
            Check("rows_as_published", s.name, "error", False, _rows)
            for s in pipeline.stages.values()
            if s.kind == "sink"
        ),
    ]
    order = list(pipeline.stages)
    return sorted((check for check in own if check.stage in order), key=lambda check: order.index(check.stage))


def run_check(runner: Runner, check: Check) -> Finding:
    """What a check finds; what keeps it from looking is a finding as well."""
    try:
        return check.run(runner, check.stage)
    except (StoreError, TableError, ConfigurationError) as error:
        return Finding({check.stage: str(error)})


def _values(runner: Runner, stage: str, finding: Finding) -> Iterator[tuple[str, Any]]:
    """(unit, published value) of a stage; one that cannot be opened is an offender."""
    returns = runner.pipeline.stages[stage].returns
    for unit, ref in sorted(runner.store.refs.get(stage).items()):
        finding.looked_at += 1
        try:
            value = runner.store.load(ref.content_digest, returns)
        except StoreError as error:
            finding.offenders[unit] = f"its value cannot be opened: {error}"
        else:
            yield unit, value


def _with_texts(runner: Runner, stage: str, finding: Finding) -> Iterator[tuple[str, Any, str]]:
    """(document, published value, its text) of a stage, of those whose text is published."""
    texts = runner.store.refs.get("extracted_text")
    returns = runner.pipeline.stages["extracted_text"].returns
    for unit, value in _values(runner, stage, finding):
        if unit not in texts:
            continue
        try:
            text = runner.store.load(texts[unit].content_digest, returns).text
        except StoreError as error:
            finding.offenders[unit] = f"its text cannot be opened: {error}"
        else:
            yield unit, value, text


def _text_not_empty(runner: Runner, stage: str) -> Finding:
    """Documents of which no text was found: pictures of pages, or empty files."""
    finding = Finding()
    for unit, value in _values(runner, stage, finding):
        if not value.text.strip():
            finding.offenders[unit] = "no text was found in it"
    return finding


def _cover_the_text(runner: Runner, stage: str) -> Finding:
    """Whether the chunks of each document are its text, with nothing but white space left out."""
    finding = Finding()
    for unit, value, text in _with_texts(runner, stage, finding):
        if problem := uncovered(value, text):
            finding.offenders[unit] = problem
    return finding


def _of_one_kind(runner: Runner, stage: str) -> Finding:
    """Whether all vectors are finite, of length 1 (or zeros), and of one dimension and one model: else no search can
    compare them.
    """
    finding = Finding()
    refs = runner.store.refs.get(stage)
    dimensions: dict[int, int] = {}
    kept: dict[str, Any] = {}
    for unit, value in _values(runner, stage, finding):
        if problem := unlike(value):
            finding.offenders[unit] = problem
        if value.ndim == 2:
            kept[unit] = value.shape[1]
            dimensions[value.shape[1]] = dimensions.get(value.shape[1], 0) + 1
    usual = max(dimensions, key=lambda found: dimensions[found], default=0)
    for unit, found in kept.items():
        if found != usual:
            finding.offenders[unit] = f"its vectors have {found} numbers, those of most others {usual}"
    embedders: dict[str, list[str]] = {}
    parts = runner.store.actions.parts(ref.action_key for ref in refs.values())
    for unit, ref in refs.items():
        embedders.setdefault(str(parts.get(ref.action_key, {}).get("embedder")), []).append(unit)
    most = max(embedders.values(), key=len, default=[])
    for units in embedders.values():
        if units is not most:
            finding.offenders |= dict.fromkeys(units, "it was embedded by another embedder than most others")
    finding.figures = {"dimensions": usual, "embedders": len(embedders)}
    return finding


def _grounded(runner: Runner, stage: str) -> Finding:
    """Whether every concept of a document stands where it is said to stand in its text."""
    finding = Finding()
    for unit, value, text in _with_texts(runner, stage, finding):
        if problem := ungrounded(value, text):
            finding.offenders[unit] = problem
    return finding


def _share_rejected(runner: Runner, stage: str) -> Finding:
    """Summaries that a person should look at. It fails where they are more than a fifth of all, or where one of three or
    fewer is.
    """
    finding = Finding()
    scores: list[float] = []
    flagged: dict[str, str] = {}
    for unit, value in _values(runner, stage, finding):
        scores.append(value.verdict.score)
        if value.needs_review:
            flagged[unit] = f"{value.verdict.decision}, score {value.verdict.score:.2f}"
    share = len(flagged) / len(scores) if scores else 0.0
    finding.figures = {
        "needs_review": len(flagged),
        "share_needs_review": round(share, 4),
        "mean_score": round(float(np.mean(scores)), 4) if scores else 1.0,
        "lowest_score": min(scores, default=1.0),
    }
    if share > _MOST_REJECTED:
        finding.offenders |= flagged
    return finding


def _sizes(runner: Runner, stage: str) -> Finding:
    """Whether clusters have as many members as the settings allow, every member is a document, and none is in two."""
    rules = runner.pipeline.resources["cluster_rules"]
    known = runner.store.refs.partitions(found.name for found in runner.pipeline.document_stages)
    finding = Finding()
    for cluster_type, value in _values(runner, stage, finding):
        members = [document for cluster in value.clusters for document in cluster.members]
        for cluster in value.clusters:
            size = len(cluster.members)
            if size < rules.smallest or (rules.largest and size > rules.largest):
                finding.offenders[cluster.cluster_id] = f"it has {size} members"
            elif strangers := set(cluster.members) - known:
                finding.offenders[cluster.cluster_id] = f"{min(strangers)} is no document"
        if len(set(members)) < len(members):
            finding.offenders[cluster_type] = "a document is in two clusters"
        finding.figures[f"{cluster_type}: clusters"] = len(value.clusters)
    return finding


def _share_of_outliers(runner: Runner, stage: str) -> Finding:
    """Whether more than half of the documents are in no cluster of a type: it says little of them then."""
    finding = Finding()
    for cluster_type, value in _values(runner, stage, finding):
        outliers = sorted(d for d, placement in value.placements.items() if not placement.cluster_id)
        share = len(outliers) / len(value.placements) if value.placements else 0.0
        finding.figures[f"{cluster_type}: share of outliers"] = round(share, 4)
        if share > _MOST_OUTLIERS:
            finding.offenders |= dict.fromkeys(outliers, f"it is in no cluster of {cluster_type}")
    return finding


def _stable(runner: Runner, stage: str) -> Finding:
    """Whether at least half of the documents stayed in the clusters of the clustering before."""
    finding = Finding()
    for cluster_type, value in _values(runner, stage, finding):
        finding.figures |= {
            f"{cluster_type}: kept": round(value.kept, 4),
            f"{cluster_type}: drift": round(value.drift, 4),
        }
        if value.kept < _LEAST_KEPT:
            finding.offenders[cluster_type] = f"{1 - value.kept:.0%} of the documents changed their cluster"
    return finding


def _current(runner: Runner, stage: str) -> Finding:
    """Whether it was made from the documents as they are published now. Dagster calls an asset fresh that depends on more
    than a hundred partitions, whatever happened to them; this compares the snapshots.
    """
    from seed_assets.comparison import kept_actions
    from seed_assets.runner import StageWork

    pipeline, finding = runner.pipeline, Finding()
    found = pipeline.stages[stage]
    work = StageWork(runner, found, {})
    units = list(pipeline.clustered.types) if found.units == "cluster_types" else [""]
    refs = runner.store.refs.get(stage)
    for unit in units:
        finding.looked_at += 1
        try:
            action = work.action(found, unit)
        except (ConfigurationError, DocumentError) as error:
            finding.offenders[unit or stage] = f"it cannot be made now: {error}"
            continue
        kept = kept_actions(pipeline, runner.store, found, {unit: action})
        if unit not in refs:
            finding.offenders[unit or stage] = "it was never made"
        elif refs[unit].action_key != action.key and unit not in kept:
            finding.offenders[unit or stage] = "documents have changed since it was made"
    return finding


def _upkeep_current(runner: Runner, stage: str) -> Finding:
    """Whether it was made from the documents as they are published now. Dagster calls an asset fresh that depends on more
    than a hundred partitions, whatever happened to them; this compares the snapshots.
    """
    table = runner.pipeline.stages[stage].table
    reason = upkeep_todo(runner.pipeline, runner.store, {table: runner.tables.state(table)}).get(stage)
    return Finding({stage: reason} if reason else {}, looked_at=1)


def _rows(runner: Runner, stage: str) -> Finding:
    """Whether the table has the rows that were published, made of what was published, and no others."""
    found = runner.pipeline.stages[stage]
    spec = TABLES[found.table]
    refs = runner.store.refs.get(stage)
    finding = Finding(looked_at=len(refs))
    state = runner.tables.state(found.table)
    if runner.tables.version(found.table) is None:
        finding.offenders = {unit or stage: "the table is not there" for unit in refs}
        return finding
    digests: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    keys: dict[str, str] = {}
    columns = list(dict.fromkeys(filter(None, (spec.owner, spec.key, "content_digest"))))
    rows = runner.tables.read(found.table, columns)
    for batch in rows.to_batches(_BATCH):
        for row in batch.to_pylist():
            owner = row[spec.owner] if spec.owner else ""
            digests.setdefault(owner, set()).add(row["content_digest"])
            counts[owner] += 1
            if row[spec.key] in keys:
                finding.offenders[owner or stage] = f"the row {row[spec.key]} is there twice"
            keys[row[spec.key]] = owner
    for owner in digests.keys() - refs.keys():
        finding.offenders[owner or stage] = "its rows are there, and it is not published"
    for unit, ref in refs.items():
        if unit in digests and digests[unit] != {ref.content_digest}:
            finding.offenders[unit or stage] = "its rows are not those that were published"
        elif unit in digests and not is_current(ref, ref.action_key, state):
            finding.offenders[unit or stage] = "the table was changed or made anew since its rows were written"
        elif (expected := _expected_rows(runner, stage, unit, counts[unit])) != counts[unit]:
            finding.offenders.setdefault(
                unit or stage,
                f"it has {counts[unit]} rows, not {expected}" if counts[unit] else "its rows are missing",
            )
    if found.units == "clusters":
        finding.offenders |= dict.fromkeys(vanished(runner, runner.views()), "there is no such cluster any more")
    finding.figures = {"rows": len(keys), "units": len(refs)}
    return finding


def _expected_rows(runner: Runner, stage: str, unit: str, found: int) -> int:
    """How many rows a unit should have, by what they are made of; as many as were found where that cannot be opened."""
    sink = runner.pipeline.stages[stage]
    if sink.table in _ALWAYS:
        return 1
    values: list[Any] = []
    for name in sink.inputs:
        ref = runner.store.refs.get(name, [unit]).get(unit)
        if ref is None:
            return found or 1
        values.append(runner.store.load(ref.content_digest, sink.input_types[name]))
    try:
        return len(sink.function(unit, "", *values))
    except ValueError:  # chunks and vectors that do not fit each other: the other checks name them
        return found or 1


# Tables with a row for every unit, whatever is in it.
_ALWAYS: frozenset[str] = frozenset({"documents", "clusters"})
