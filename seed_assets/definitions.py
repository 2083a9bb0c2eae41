"""What Dagster loads: the assets, what they run with, and the executor.

What belongs here: wiring. `build_definitions` takes another runner for tests and for `seedbank seed`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from event_log.partition_changes import partitions_held
from io_managers.content_hash import ContentHashIOManager
from resources.config import Settings, load_settings
from resources.errors import ConfigurationError
from seed_assets.assets import build_assets
from seed_assets.automation import CHECKS_JOB, CLUSTERS_JOB, CORPUS_JOB, DOCUMENTS_JOB, PLACING_JOB, build_automation
from seed_assets.checking import CURRENT
from seed_assets.checks import build_checks
from seed_assets.partitions import PartitionedRun
from seed_assets.pipeline import Pipeline, build_pipeline
from seed_assets.run_records import process_tags
from seed_assets.runner import Runner
from seed_assets.session import Session


class RunnerResource(dg.ConfigurableResource[Runner]):
    """What stages run with, in a run that somebody else than `seedbank seed` started."""

    corpus: str
    home: str

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Runner]:
        """One runner a run. Raises ConfigurationError where the home belongs to another corpus.

        The run leaves word of itself, so that the next seed closes it should it be killed, and compares what Dagster
        then shows with what there is.
        """
        settings = load_settings({"corpus": Path(self.corpus), "home": Path(self.home)})
        session = Session(settings)
        session.home.bind(settings.corpus)
        session.store.check_writable()
        session.home.doubt()
        if context.run is None or context.instance is None:
            raise ConfigurationError("The runner is for runs of Dagster; outside of one use seed_assets.session.")
        context.instance.add_run_tags(context.run.run_id, process_tags(context.run.run_id))
        with session.home.running(), partitions_held(context.instance):
            yield session.runner()


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
    # A seed judges each document as it goes; what is looked at of the whole corpus it leaves to the job `checks`, but for
    # whether upkeep is current, of which it says at once that it is not.
    checks = build_checks(pipeline, only=None if runner is None else {stage.name for stage in pipeline.upkeep_stages})
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
    """One job a phase, by name: a job has one kind of partitions, or none."""
    placing = [stage.name for stage in pipeline.placing_stages]
    phases = {
        DOCUMENTS_JOB: (
            [stage.name for stage in pipeline.document_stages if stage.name not in placing],
            "Every stage and table of the documents that the run's tags name.",
        ),
        CLUSTERS_JOB: (
            [stage.name for stage in pipeline.of_units("cluster_types", "clusters")],
            "Clusters of the cluster types that the run's tags name, what is said of them, and their tables.",
        ),
        CORPUS_JOB: (
            [stage.name for stage in pipeline.of_units("corpus")],
            "What is made once for all documents: categories, the search index.",
        ),
        PLACING_JOB: (placing, "Where the documents that the run's tags name stand in the corpus."),
    }
    jobs = {
        name: dg.define_asset_job(name, selection=_with_quick_checks(pipeline, stages), description=description)
        for name, (stages, description) in phases.items()
    }
    jobs[CHECKS_JOB] = dg.define_asset_job(
        CHECKS_JOB,
        selection=dg.AssetSelection.all_asset_checks(),
        description="Everything that is looked at of the knowledge base as a whole; changes nothing.",
    )
    return jobs


def _with_quick_checks(pipeline: Pipeline, stages: list[str]) -> dg.AssetSelection:
    """Stages without the checks that open every value: those are for the job of their own."""
    selection = dg.AssetSelection.assets(*stages).without_checks()
    quick = [dg.AssetCheckKey(dg.AssetKey(s.name), CURRENT) for s in pipeline.upkeep_stages if s.name in stages]
    return selection | dg.AssetSelection.checks(*quick) if quick else selection


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this project under the settings in force."""
    return build_definitions(load_settings())
