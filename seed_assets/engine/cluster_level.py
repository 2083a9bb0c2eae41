"""Runs a stage of cluster types or of clusters, over all clusters of some types.

This module finds the present clusters and those that can be done, and removes what is left of clusters that are gone. Results
are computed in stage_work, rows are written in sink, and clusters are found in core.
"""

from collections.abc import Iterator, Sequence
from glob import escape
from pathlib import Path

from io_managers.store.errors import LeaseBusyError
from io_managers.store.holders import Waiting
from io_managers.store.whole_files import write_whole
from seed_assets.engine.currency import unit_currency
from seed_assets.engine.runner import Runner
from seed_assets.engine.sink import remove_rows, write_rows
from seed_assets.engine.stage_run import BlockedError, StageRun
from seed_assets.engine.stage_work import StageWork, run_stage
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import Stage, Units


def run_clusters(runner: Runner, stage: Stage, types: Sequence[str]) -> StageRun:
    """Bring a stage up to date for these cluster types, or for their clusters. Raises what `run_stage` and `write_rows` do.

    A cluster whose input failed, and is named there, is left out: the others of the type are not held up by it.
    """
    corpus = runner.published_corpus()
    units = list(types) if stage.units is Units.CLUSTER_TYPES else list(runner.pipeline.clusters(corpus, types))
    work = StageWork(runner, stage, {})
    ready = [unit for unit in units if _is_ready(work, stage, unit)]
    if stage.kind == "value":
        outcome = run_stage(runner, stage, ready)
        if not _write_pictures(runner, stage, outcome):
            outcome = run_stage(runner, stage, ready)  # a value that was found is lost, and its action is a miss now
            _write_pictures(runner, stage, outcome)
        return outcome
    outcome = write_rows(runner, stage, ready)
    _remove_vanished(runner, stage, corpus)
    return outcome


def _write_pictures(runner: Runner, stage: Stage, outcome: StageRun) -> bool:
    """Write what a stage shows in pictures as files: `<unit>-<name>.png`. Returns whether all values could be opened."""
    opened = 0
    for unit, value in runner.store.opened(outcome.results, stage.returns):
        opened += 1
        for name, shown in stage.show(value).items():
            path = runner.pictures / f"{_file_name(unit)}-{name}.png"
            if not isinstance(shown, bytes) or (path.is_file() and path.read_bytes() == shown):
                continue
            write_whole(path, shown)
    return opened == len(outcome.results)


def picture_files(folder: Path, unit: str) -> Iterator[Path]:
    """The files of all pictures of a unit."""
    return folder.glob(f"{escape(_file_name(unit))}-*.png")


def _file_name(unit: str) -> str:
    return unit.replace(":", "-")


def vanished(runner: Runner, corpus: PublishedCorpus) -> set[str]:
    """Clusters of which something is published, and that no clustering has any more."""
    pipeline = runner.pipeline
    known = runner.store.refs.partitions(stage.name for stage in pipeline.of_units(Units.CLUSTERS))
    lost = {t for t in pipeline.cluster_types if pipeline.clusters_of(corpus, t) is None}
    return {c for c in known - pipeline.clusters(corpus).keys() if c.rpartition("/")[0] not in lost}


def _remove_vanished(runner: Runner, stage: Stage, corpus: PublishedCorpus) -> None:
    """Rows first, then refs: whatever interrupts this, the next plan finds it to be done."""
    gone = sorted(vanished(runner, corpus))
    if gone:
        try:
            remove_rows(runner.store, runner.tables, stage, gone, Waiting(runner.stop_reason))
        except LeaseBusyError:  # the run is to stop; the next plan finds them
            return
        runner.store.refs.drop_partitions(gone)


def _is_ready(work: StageWork, stage: Stage, unit: str) -> bool:
    try:
        work.action(stage, unit)
    except BlockedError:
        return False
    return all(_is_current(work, name, unit) for name in stage.upstream)


def _is_current(work: StageWork, name: str, unit: str) -> bool:
    """Whether what a stage has published of a unit is made from the present results before it."""
    pipeline, store = work.runner.pipeline, work.runner.store
    stage = pipeline.stages[name]
    try:
        action = work.action(stage, unit)
    except BlockedError:
        return False
    if unit_currency(pipeline, store, stage, unit, action) != "current":
        return False
    return all(_is_current(work, upstream, unit) for upstream in stage.upstream)
