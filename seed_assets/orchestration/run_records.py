"""Dagster's records of the runs that are under way, and which of those runs are dead."""

import dagster as dg

from resources.home.home import Home
from resources.home.running import this_process
from seed_assets.orchestration.job_names import JOBS

# Dagster's own name of the job of all assets.
IMPLICIT_JOB = "__ASSET_JOB"

# The tag with the run's id and the process of the run. It has the id since a run that is started again from the UI gets a copy of
# the tags. Dagster does not show tags that begin with a dot.
_PROCESS_TAG = ".dagster/seedbank_process"

# A process that starts a run sets its tags within seconds, including all imports. Ten minutes allow for a very busy machine.
_LONGEST_START_SECONDS = 600.0
# A process that has ended its work in the home records the end of the run at once. Half a minute allows for a very busy machine.
_LONGEST_END_SECONDS = 30.0
# The tags of a run that a worker elsewhere does: the name of its records in the remote, the digest of the code that asked for it,
# and whether the home has taken in its results.
SPREAD_TAG = ".dagster/seedbank_spread"
CODE_TAG = ".dagster/seedbank_code"
TAKEN_TAG = ".dagster/seedbank_taken"
_HANDED_OVER = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED)
_JOBS = {*JOBS.values(), IMPLICIT_JOB}
# Dagster shows the user of this tag as the one who launched the run; without it the run was "manually launched".
STARTED_BY_SEED = {"user": "seedbank seed"}

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def process_tags(run_id: str) -> dict[str, str]:
    """Return the tags by which a later process finds out that the process of the run has ended.

    A run gets them while the process has its mark in the home (`Home.running`), which has its heartbeat.
    """
    return {_PROCESS_TAG: f"{run_id}/{this_process()}"}


def unfinished_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Return every run whose end is not recorded."""
    return list(instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED))))


def close_dead_runs(instance: dg.DagsterInstance, home: Home) -> list[str]:
    """Mark runs of this home as failed whose process is gone, since a killed process cannot do that. Returns their ids.

    Runs that workers elsewhere do are left to the run launcher, which sees their heartbeats.
    """
    closed: list[str] = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED))):
        run = record.dagster_run
        if SPREAD_TAG in run.tags:
            continue
        run_id, _, process = run.tags.get(_PROCESS_TAG, "").partition("/")
        if _has_died(run, process, home) if run_id == run.run_id else _never_began(record, home):
            instance.report_run_failed(
                run, "The process of this run ended without recording its end. What it had finished is kept."
            )
            closed.append(run.run_id)
    return closed


def _has_died(run: dg.DagsterRun, process: str, home: Home) -> bool:
    """Whether the process of a run has ended, or works in this home no more and has not recorded the end of the run for long.

    A run's process removes its mark before Dagster records the run's end, which takes some milliseconds on an idle machine.
    """
    if home.is_alive(process):
        return False
    if not home.exists(process):
        return True
    return home.unchanged_seconds(f"run {run.run_id}", "its mark is gone") >= _LONGEST_END_SECONDS


def _never_began(record: dg.RunRecord, home: Home) -> bool:
    """Whether a run was handed to a process that was killed before it could set its tags.

    Queued runs do not count: any daemon starts them.
    """
    run = record.dagster_run
    if run.status not in _HANDED_OVER or run.job_name not in _JOBS:
        return False
    beat = f"{run.status.value} {record.update_timestamp.timestamp()}"
    return home.unchanged_seconds(f"run {run.run_id}", beat) >= _LONGEST_START_SECONDS
