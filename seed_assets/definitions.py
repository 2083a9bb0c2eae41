"""What Dagster loads: the assets, what they run with, and the executor.

What belongs here: wiring. `build_definitions` takes another runner for tests and for `seedbank seed`.
"""

from pathlib import Path
from typing import Any

import dagster as dg

from io_managers.content_hash import ContentHashIOManager
from resources.config import Settings, load_settings
from seed_assets.assets import build_assets
from seed_assets.partitions import DocumentsRun
from seed_assets.pipeline import Pipeline, build_pipeline
from seed_assets.runner import Runner
from seed_assets.session import Session


class RunnerResource(dg.ConfigurableResource[Runner]):
    """What stages run with: the corpus and the home that this project is set to."""

    corpus: str
    home: str

    def create_resource(self, context: dg.InitResourceContext) -> Runner:
        """One runner a run. Raises ConfigurationError where the home belongs to another corpus."""
        settings = load_settings({"corpus": Path(self.corpus), "home": Path(self.home)})
        session = Session(settings)
        session.home.bind(settings.corpus)
        session.store.check_writable()
        return session.runner()


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
    # One process: steps of a run share the runner's view of the corpus, and concurrency lives inside the stages.
    return dg.Definitions(
        assets=build_assets(pipeline), jobs=_jobs(pipeline), resources=resources, executor=dg.in_process_executor
    )


def _jobs(pipeline: Pipeline) -> list[Any]:
    """One job a phase, since a job is either over documents or over none: for `dagster job execute` and schedules."""
    return [
        dg.define_asset_job(
            "seed_documents",
            selection=[stage.name for stage in pipeline.document_stages],
            description="Every stage and table of the documents that the run's tags name.",
        ),
        dg.define_asset_job(
            "seed_corpus",
            selection=[stage.name for stage in pipeline.corpus_stages],
            description="What is made once for all documents: the search index.",
        ),
    ]


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this project under the settings in force."""
    return build_definitions(load_settings())
