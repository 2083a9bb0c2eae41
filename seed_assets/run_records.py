"""What Dagster's records say of runs that this project has under way.

What belongs here: telling live runs from dead ones. What does not: starting any.
"""

import dagster as dg

from resources.home import is_alive, this_process

# The process that a run is in, after the run's own id: a run that is started again from the UI gets a copy of the tags.
# Dagster does not show tags that begin so.
_PROCESS_TAG = ".dagster/seedbank_process"

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def process_tags(run_id: str) -> dict[str, str]:
    """The tags by which a later process finds out that the one of this run, this one, is gone."""
    return {_PROCESS_TAG: f"{run_id}/{this_process()}"}


def unfinished_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Every run that has not ended, or whose end nobody has recorded."""
    return list(instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED))))


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs whose process is gone as failed; their ids. A killed process cannot say so itself."""
    closed: list[str] = []
    for run in unfinished_runs(instance):
        run_id, _, process = run.tags.get(_PROCESS_TAG, "").partition("/")
        if run_id == run.run_id and not is_alive(process):
            instance.report_run_failed(
                run, "The process of this run ended without a word. What it had finished is kept."
            )
            closed.append(run.run_id)
    return closed
