"""One run in the process of a worker on another machine, from its home's state to the results that are handed in.

`python -m` this module does one run and ends, so each run has the code that is on the disk when it begins. A worker of other code
or other settings refuses the run, since its results would have other keys than the home expects.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._grpc.impl import core_execute_run
from dagster._utils import send_interrupt

from event_log.run_beats import RunBeats
from io_managers.sharing.run_records import RunRecord, RunRecords
from io_managers.store.errors import RemoteError, SegmentError
from io_managers.store.processes import HEARTBEAT_SECONDS
from resources.collector import collect_rarely
from resources.errors import ConfigurationError
from resources.home.private_files import keep_new_files_private
from resources.home.running import this_process
from resources.settings.config import load_settings
from seed_assets import definitions
from seed_assets.orchestration.partitions import DOCUMENTS, RANGE_END_TAG, RANGE_START_TAG
from seed_assets.orchestration.run_records import CODE_TAG, SPREAD_TAG
from seed_assets.session.code_digest import code_digest
from seed_assets.session.run_handover import push_results, result_of, shared_remote, take_in
from seed_assets.session.session import Session
from seed_assets.session.sharing import sharing

# How often the last push is tried, and how long it waits in between: a remote that is restarted is back by then.
_TRIES, _PAUSE_SECONDS = 20, 15.0
_RESIGNED = 75  # the exit status of a process whose run another one has taken over


def main() -> None:
    """Do the attempt of a run that the arguments name: the run's id, and the number of the attempt."""
    collect_rarely()
    keep_new_files_private()
    run_id, attempt = sys.argv[1], int(sys.argv[2])
    with dg.DagsterInstance.get() as instance:
        do_run(instance, run_id, attempt)


def do_run(instance: dg.DagsterInstance, run_id: str, attempt: int) -> None:
    """Do a run, unless it has ended or this attempt was begun elsewhere. What goes wrong is recorded in Dagster."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished or SPREAD_TAG not in run.tags:
        return
    owner = this_process()
    if not RunBeats(instance).begin(run_id, attempt, owner):
        return
    with _beating(instance, run_id, attempt, owner):
        try:
            _do(instance, run, resumed=attempt > 0)
        except (ConfigurationError, RemoteError, SegmentError) as error:
            run = instance.get_run_by_id(run_id) or run
            if not run.is_finished:
                instance.report_run_failed(run, f"The worker {owner} cannot do this run: {error}")
            else:
                instance.report_engine_event(f"The results of this run could not be handed in: {error}", run)


def _do(instance: dg.DagsterInstance, run: dg.DagsterRun, *, resumed: bool) -> None:
    started = time.time()
    session = Session(load_settings())
    try:
        _check_code(session, run)
        remote = shared_remote(session)
        records, spread_id = RunRecords(remote), run.tags[SPREAD_TAG]
        given = records.given(spread_id)
        if given is None:
            raise ConfigurationError(
                "what is published for its documents is not in the remote any more. The sensors ask for a new run."
            )
        documents = _documents(instance, run)
        take_in(session.pipeline, session.store, given, set(documents))
        with sharing(session.settings, session.store, remote):
            for _ in core_execute_run(_job(run), run, instance, inject_env_vars=False, resume_from_failure=resumed):
                pass
        _hand_in(session, records, run, result_of(session, run.run_id, documents, started))
    finally:
        session.close()


def _check_code(session: Session, run: dg.DagsterRun) -> None:
    """Raise ConfigurationError unless this worker would compute just what the home expects."""
    here, asked = code_digest(session.pipeline), run.tags.get(CODE_TAG)
    if here != asked:
        raise ConfigurationError(
            f"its code or its settings (models, prompts, parameters) are other ones (digest {here}) than those of the home that "
            f"asked for the run (digest {asked}). Install the same release and the same seedbank.toml on both; the sensors ask "
            "for a new run then."
        )


def _documents(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """The documents of a run, in Dagster's order."""
    order = list(instance.get_dynamic_partitions(DOCUMENTS.name or ""))
    first, last = run.tags.get(RANGE_START_TAG, ""), run.tags.get(RANGE_END_TAG, "")
    if not {first, last} <= set(order):
        raise ConfigurationError("its documents have no partitions any more. The sensors ask for a new run.")
    return order[order.index(first) : order.index(last) + 1]


def _job(run: dg.DagsterRun) -> ReconstructableJob:
    """The job of a run as the code of this machine defines it; the run names the paths of another one."""
    pointer = ModuleCodePointer(definitions.__name__, "defs", working_directory=os.getcwd())
    return ReconstructableRepository(pointer).get_reconstructable_job(run.job_name)


def _hand_in(session: Session, records: RunRecords, run: dg.DagsterRun, record: RunRecord) -> None:
    """Push all results, and then what names them. A remote that is down is asked again for some minutes."""
    for left in reversed(range(_TRIES)):
        try:
            push_results(session, shared_remote(session))
            records.hand_in(run.tags[SPREAD_TAG], run.run_id, record)
            return
        except (ConfigurationError, RemoteError):
            if not left:
                raise
            time.sleep(_PAUSE_SECONDS)


@contextmanager
def _beating(instance: dg.DagsterInstance, run_id: str, attempt: int, owner: str) -> Iterator[None]:
    """Give signs of life while the body runs, and end the process if the run has another owner or is to be canceled."""
    ended = threading.Event()

    def beat() -> None:
        beats, count, canceled = RunBeats(instance), 0, False
        while not ended.wait(HEARTBEAT_SECONDS / 2):
            count += 1
            with suppress(Exception):  # a database that is restarted; the next beat follows
                if not beats.beat(run_id, attempt, owner, count):
                    os._exit(_RESIGNED)
                run = instance.get_run_by_id(run_id)
                if run is not None and run.status is dg.DagsterRunStatus.CANCELING and not canceled:
                    canceled = True
                    send_interrupt()

    thread = threading.Thread(target=beat, name="seedbank-beats", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main()
