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
from seed_assets.automation import CORPUS_JOB, DOCUMENTS_JOB, build_automation
from seed_assets.checks import build_checks
from seed_assets.partitions import DocumentsRun
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
        "documents_run": DocumentsRun(),
        "runner": dg.ResourceDefinition.hardcoded_resource(runner)
        if runner
        else RunnerResource(corpus=str(settings.corpus), home=str(settings.home)),
    }
    jobs = _jobs(pipeline)
    sensors, schedules = build_automation(lambda: Session(settings, pipeline), jobs)
    # One process: steps of a run share the runner's view of the corpus, and concurrency lives inside the stages.
    return dg.Definitions(
        assets=build_assets(pipeline),
        asset_checks=build_checks(pipeline),
        jobs=list(jobs.values()),
        sensors=sensors,
        schedules=schedules,
        resources=resources,
        executor=dg.in_process_executor,
    )


def _jobs(pipeline: Pipeline) -> dict[str, Any]:
    """One job a phase, by name, since a job is either over documents or over none."""
    return {
        DOCUMENTS_JOB: dg.define_asset_job(
            DOCUMENTS_JOB,
            selection=[stage.name for stage in pipeline.document_stages],
            description="Every stage and table of the documents that the run's tags name.",
        ),
        CORPUS_JOB: dg.define_asset_job(
            CORPUS_JOB,
            selection=[stage.name for stage in pipeline.corpus_stages],
            description="What is made once for all documents: the search index.",
        ),
    }


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this project under the settings in force."""
    return build_definitions(load_settings())
