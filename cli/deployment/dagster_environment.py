"""The environment of the processes of Dagster that commands start."""

import os

from resources.settings.config import CONFIG_VARIABLE, PROJECT_ROOT, Settings, config_file


def environment_of(settings: Settings, dagster_home: str = "") -> dict[str, str]:
    """The environment in which Dagster finds this home, this corpus and the dagster.yaml in use. Raises OSError.

    dagster_home: the folder of another dagster.yaml.
    """
    from resources.home.dagster_yaml import folder_for_processes

    named = {CONFIG_VARIABLE: str(config_file())} if CONFIG_VARIABLE in os.environ else {}
    return {
        **os.environ,
        "DAGSTER_HOME": dagster_home or str(folder_for_processes(PROJECT_ROOT, settings.home)),
        "SEEDBANK_HOME": str(settings.home),
        "SEEDBANK_CORPUS": str(settings.corpus),
        **named,
    }
