"""The command `seedbank dev`, which becomes Dagster's own command for a home."""

import os
import signal
import sys
from typing import Annotated

import typer

from cli.invocation import CorpusOption, HomeOption, errors_as_messages, settings_of
from cli.streams import print_error


def dev(
    corpus: CorpusOption = None,
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="The address on which Dagster's web page listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port on which Dagster's web page listens.")] = 3000,
    expose: Annotated[
        bool,
        typer.Option("--expose", help="Allow other machines to reach the page. It has no login and can start runs."),
    ] = False,
) -> None:
    """Start Dagster for this home: its web page, and the daemon that runs sensors, schedules and queued runs."""
    with errors_as_messages():
        from cli.deployment.dagster_environment import environment_of
        from cli.environment_checks import check_exposure, check_port, check_temporary_folder
        from resources.home.home import Home
        from resources.project_folder import PACKAGES_FOLDER
        from resources.settings.config import PROJECT_ROOT
        from seed_assets.session.session import Session

        settings = settings_of(corpus, home)
        Session(settings).check_own()
        Home(settings.home).check(settings.corpus)
        if open_still := Home(settings.home).keep_private(settings.corpus):
            print_error(open_still)
        open_to_others = check_exposure(host, port, expose=expose)
        check_temporary_folder()
        check_port(host, port)
        if open_to_others:
            print_error(open_to_others)
        # A shell lets a command started with `&` ignore SIGINT, and Dagster would then ignore SIGTERM as well.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(PROJECT_ROOT)
        command = [sys.executable, "-m", "dagster", "dev", "--workspace", f"{PACKAGES_FOLDER}/workspace.yaml"]
        os.execve(sys.executable, [*command, "--host", host, "--port", str(port)], environment_of(settings))
