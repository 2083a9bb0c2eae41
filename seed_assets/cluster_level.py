"""Runs a stage of cluster types or of clusters, over all clusters of some types.

What belongs here: which clusters there are now, which of them can be done, and taking away what is left of those that have
vanished. What does not: computing (runner), rows (sink), and finding clusters (core).
"""

import os
from collections.abc import Sequence

from seed_assets.comparison import kept_actions
from seed_assets.outcomes import BlockedError, StageRun
from seed_assets.runner import Runner, StageWork
from seed_assets.sink import write_rows
from seed_assets.stage import Stage
from seed_assets.views import Views


def run_clusters(runner: Runner, stage: Stage, types: Sequence[str]) -> StageRun:
    """Bring a stage up to date for these cluster types, or for their clusters. Raises what `run_stage` and `write_rows` do.

    A cluster whose input failed, and is named there, is left out: the others of the type are not held up by it.
    """
    views = runner.views()
    units = list(types) if stage.units == "cluster_types" else list(views.clusters(types))
    work = StageWork(runner, stage, {})
    ready = [unit for unit in units if _is_ready(work, stage, unit)]
    if stage.kind == "value":
        outcome = runner.run_stage(stage, ready)
        _write_pictures(runner, stage, outcome)
        return outcome
    outcome = write_rows(runner, stage, ready)
    _remove_vanished(runner, stage, views)
    return outcome


def _write_pictures(runner: Runner, stage: Stage, outcome: StageRun) -> None:
    """What a stage shows in pictures, as files: `<unit>-<name>.png`."""
    for unit, result in outcome.results.items():
        for name, shown in stage.show(runner.store.load(result.content_digest, stage.returns)).items():
            path = runner.pictures / f"{unit.replace(':', '-')}-{name}.png"
            if not isinstance(shown, bytes) or (path.is_file() and path.read_bytes() == shown):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            # Beside it and then renamed: nobody sees half a picture.
            unfinished = path.with_suffix(f".{os.getpid()}.tmp")
            unfinished.write_bytes(shown)
            unfinished.replace(path)


def vanished(runner: Runner, views: Views) -> set[str]:
    """Clusters of which something is published, and that no clustering has any more."""
    pipeline = runner.pipeline
    known = runner.store.refs.partitions(stage.name for stage in pipeline.of_units("clusters"))
    lost = {t for t in pipeline.clustered.types if views.clustering(t) is None}
    return {c for c in known - views.clusters().keys() if c.rpartition("/")[0] not in lost}


def _remove_vanished(runner: Runner, stage: Stage, views: Views) -> None:
    """Rows first, then refs: whatever interrupts this, the next plan finds it to be done."""
    gone = sorted(vanished(runner, views))
    if gone:
        with runner.store.leases.hold(f"table {stage.table}"):
            runner.tables.delete_rows(stage.table, gone)
        runner.store.refs.drop_partitions(gone)


def _is_ready(work: StageWork, stage: Stage, unit: str) -> bool:
    try:
        work.action(stage, unit)
    except BlockedError:
        return False
    return all(_is_current(work, name, unit) for name in stage.inputs)


def _is_current(work: StageWork, name: str, unit: str) -> bool:
    """Whether what an input has published is made from what there is now; of views it always is."""
    pipeline, store = work.runner.pipeline, work.runner.store
    stage = pipeline.stages.get(name)
    if stage is None:
        return True
    ref = store.refs.get(name, [unit]).get(unit)
    if ref is None or not _is_ready(work, stage, unit):
        return False
    action = work.action(stage, unit)
    return ref.action_key == action.key or unit in kept_actions(pipeline, store, stage, {unit: action})
