"""The project's definitions: the assets, their jobs and checks, what they run with, and the executor.

This module puts them together; `build_definitions` takes another runner for tests and for `seedbank seed`. The entry that Dagster
loads is seed_assets.definitions.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg

from event_log.partition_changes import partitions_held
from io_managers.content_hash import ContentHashIOManager
from resources.errors import ConfigurationError
from resources.home.home import Home
from resources.settings.config import Settings, load_settings
from seed_assets.checking.check_run import CURRENT
from seed_assets.engine.runner import Runner
from seed_assets.graph.pipeline import Phase, Pipeline
from seed_assets.orchestration.asset_checks import build_checks, checked_by
from seed_assets.orchestration.assets import build_assets
from seed_assets.orchestration.automation import build_automation
from seed_assets.orchestration.batches.follow_batches import build_follow_batches
from seed_assets.orchestration.ingestions import build_ingestions
from seed_assets.orchestration.job_names import CHECKS_JOB, JOBS
from seed_assets.orchestration.partitions import PartitionedRun
from seed_assets.orchestration.run_account import account_text
from seed_assets.orchestration.run_records import SPREAD_TAG, process_tags
from seed_assets.session.session import Session
from seed_assets.wiring import build_pipeline


class RunnerResource(dg.ConfigurableResource[Runner]):
    """What stages run with, in a run that was not started by `seedbank seed`."""

    corpus: str
    home: str

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Runner]:
        """One runner per run. Raises ConfigurationError if the home belongs to another corpus, or only reads tables.

        The run marks itself in the home. If it is killed, the next seed closes it and compares Dagster's records with the
        store.
        """
        settings = load_settings({"corpus": self.corpus, "home": Path(self.home)})
        session = Session(settings)
        session.check_own()
        session.home.bind(settings.corpus)
        session.store.check_writable()
        session.home.record_out_of_sync()
        if context.run is None or context.instance is None:
            raise ConfigurationError(
                "The runner is for runs of Dagster; outside of one use the Session of seedbank.knowledge_base."
            )
        with session.home.running(), partitions_held(context.instance):
            if SPREAD_TAG not in context.run.tags:
                context.instance.add_run_tags(context.run.run_id, process_tags(context.run.run_id))
            runner = session.runner()
            try:
                yield runner
            finally:
                _log_account(context, runner)


def _log_account(context: dg.InitResourceContext, runner: Runner) -> None:
    """End the log of a run with what became of its stages, as a seed prints it."""
    # What fails here has failed the run already, and is in its log.
    with suppress(Exception):
        if context.log is not None and (text := account_text(runner, checked_by(runner))):
            context.log.info(text)


def build_definitions(settings: Settings, runner: Runner | None = None) -> dg.Definitions:
    """The project's definitions; with `runner`, runs go through that one."""
    pipeline = runner.pipeline if runner else build_pipeline(settings)
    resources: dict[str, Any] = {
        "io_manager": ContentHashIOManager(store_directory=str(settings.home / "store")),
        "partitioned_run": PartitionedRun(),
        "runner": dg.ResourceDefinition.hardcoded_resource(runner)
        if runner
        else RunnerResource(corpus=str(settings.corpus), home=str(settings.home)),
    }
    jobs = _jobs(pipeline)
    sensors, schedules = build_automation(lambda: Session(settings, pipeline), jobs)
    sensors.append(build_follow_batches(lambda: Session(settings, pipeline), jobs))
    sensors.append(build_ingestions(Home(settings.home), lambda: Session(settings, pipeline), jobs))
    # The runs of a seed judge each document. Checks of the whole corpus are left to the job `checks`, except whether
    # maintenance is current, which a run knows.
    checks = build_checks(
        pipeline, only=None if runner is None else {stage.name for stage in pipeline.maintenance_stages}
    )
    # One process: steps of a run share the runner's view of the corpus, and concurrency lives inside the stages.
    return dg.Definitions(
        assets=build_assets(pipeline),
        asset_checks=checks,
        jobs=list(jobs.values()),
        sensors=sensors,
        schedules=schedules,
        resources=resources,
        executor=dg.in_process_executor,
    )


def _jobs(pipeline: Pipeline) -> dict[str, Any]:
    """One job per phase, by name: a job has one kind of partitions, or none."""
    described = {
        Phase.DOCUMENTS: "Every stage and table of the documents that the run's tags name.",
        Phase.CLUSTERS: "Clusters of the cluster types that the run's tags name, what is said of them, and their tables.",
        Phase.CORPUS: "What is made once for all documents: categories, the search index.",
        Phase.PLACES: "Where the documents that the run's tags name stand in the corpus.",
    }
    jobs = {
        JOBS[phase]: dg.define_asset_job(
            JOBS[phase],
            selection=_with_quick_checks(pipeline, [stage.name for stage in pipeline.of_phase(phase)]),
            description=description,
        )
        for phase, description in described.items()
    }
    jobs[CHECKS_JOB] = dg.define_asset_job(
        CHECKS_JOB,
        selection=dg.AssetSelection.all_asset_checks(),
        description="Everything that is looked at of the knowledge base as a whole; changes nothing.",
    )
    return jobs


def _with_quick_checks(pipeline: Pipeline, stages: list[str]) -> dg.AssetSelection:
    """Stages without the checks that open every value, which have a job of their own."""
    selection = dg.AssetSelection.assets(*stages).without_checks()
    quick = [dg.AssetCheckKey(dg.AssetKey(s.name), CURRENT) for s in pipeline.maintenance_stages if s.name in stages]
    return selection | dg.AssetSelection.checks(*quick) if quick else selection
