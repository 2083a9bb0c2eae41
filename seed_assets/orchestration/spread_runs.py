"""Runs that workers with homes of their own do, as the home sees them that asks for them.

A tick asks for such runs (automation); before that, what the workers need to know is left in the remote. When the runs have
ended, the next tick takes in what they have published. What is handed over is in session.run_handover; how a worker does a run is
in spreading.
"""

import logging
from collections.abc import Sequence
from functools import cached_property
from uuid import uuid4

import dagster as dg

from event_log.run_beats import RunBeats
from io_managers.sharing.remote import Remote
from io_managers.sharing.run_records import RunRecords
from io_managers.store.errors import RemoteError, SegmentError
from io_managers.store.processes import EXPIRY_SECONDS
from resources.errors import ConfigurationError
from seed_assets.orchestration.partitions import DOCUMENTS
from seed_assets.orchestration.run_records import CODE_TAG, SPREAD_TAG, TAKEN_TAG
from seed_assets.session.code_digest import code_digest
from seed_assets.session.run_handover import push_results, shared_remote, spread_stages, state_of, take_in
from seed_assets.session.session import Session

logger = logging.getLogger(__name__)

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_NOT_YET, _TAKEN = "no", "yes"


class SpreadRuns:
    """The runs of one home, during one tick. stages: those that are done elsewhere. Methods raise ConfigurationError."""

    def __init__(self, session: Session, instance: dg.DagsterInstance) -> None:
        self.stages = [stage.name for stage in spread_stages(session.pipeline)]
        self._session = session
        self._instance = instance
        self._pushed = False

    @cached_property
    def _remote(self) -> Remote:
        return shared_remote(self._session)

    def take_in(self) -> str:
        """Publish here what ended runs have published in the homes of their workers. Returns what is still to come, or ""."""
        runs = self._instance.get_runs(dg.RunsFilter(tags={TAKEN_TAG: _NOT_YET}, statuses=_ENDED))
        known = set(self._instance.get_dynamic_partitions(DOCUMENTS.name or "")) if runs else set[str]()
        for run in runs:
            spread_id, records = run.tags[SPREAD_TAG], RunRecords(self._remote)
            try:
                record = records.handed_in(spread_id, run.run_id)
            except (SegmentError, RemoteError) as error:
                raise ConfigurationError(f"The results of the run {run.run_id} cannot be used: {error}") from error
            if record is None and self._is_under_way(run):
                return f"The results of the run {run.run_id} are on their way. The next tick looks again."
            if record is not None:
                take_in(self._session.pipeline, self._session.store, record, known)
            else:
                logger.warning("The worker of the run %s ended without handing in its results.", run.run_id)
            self._instance.add_run_tags(run.run_id, {TAKEN_TAG: _TAKEN})
            records.forget(spread_id)
        return ""

    def _is_under_way(self, run: dg.DagsterRun) -> bool:
        """Whether the process of an ended run is alive: it pushes its results after Dagster has recorded the end."""
        beat = RunBeats(self._instance).of(run.run_id)
        home = self._session.home
        return beat is not None and home.unchanged_seconds(f"beat {run.run_id}", beat.text()) < EXPIRY_SECONDS

    def tags(self, documents: Sequence[str]) -> dict[str, str]:
        """Leave in the remote what a worker has to know of these documents, and return the tags of the run for it."""
        if not self._pushed:
            push_results(self._session, self._remote)
            self._pushed = True
        spread_id = uuid4().hex
        try:
            RunRecords(self._remote).give(spread_id, state_of(self._session, documents))
        except RemoteError as error:
            raise ConfigurationError(str(error)) from error
        return {SPREAD_TAG: spread_id, CODE_TAG: code_digest(self._session.pipeline), TAKEN_TAG: _NOT_YET}
