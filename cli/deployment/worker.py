"""The command `seedbank worker`."""

import os

import typer

from cli.invocation import CorpusOption, HomeOption, errors_as_messages, settings_of


def worker(corpus: CorpusOption = None, home: HomeOption = None) -> None:
    """Do runs of documents for a home on another machine, one after the other, as they come from the broker.

    The worker has a home of its own, and shares results through `store.remote`. SIGTERM lets the run under way come to its end.
    """
    with errors_as_messages():
        from cli.deployment.dagster_environment import environment_of
        from seed_assets.session.run_handover import DEPLOYMENT_CHECKS
        from seed_assets.session.session import Session
        from seed_assets.spreading.celery_worker import work

        settings = settings_of(corpus, home)
        session = Session(settings)
        session.check_own()
        for check in DEPLOYMENT_CHECKS:
            check(session)
        session.close()
        # All machines have the dagster.yaml that names their database.
        work(settings.deployment, environment_of(settings, os.environ.get("DAGSTER_HOME", "")))
    raise typer.Exit(0)
