"""Which dagster.yaml is in use: the project's own, or that of an installed Seedbank.

What belongs here: the folder of that file, which Dagster calls its home. What does not: what the file says, and any import of
Dagster.
"""

from pathlib import Path

from io_managers.store.whole_files import write_whole
from resources.home.home import Home
from resources.project_folder import CONFIG_NAME, IS_INSTALLED, PACKAGES_FOLDER

_NAME = "dagster.yaml"


def instance_folder(project: Path) -> Path:
    """Return the folder of the dagster.yaml in use.

    project: the folder of the settings. An installed Seedbank uses the file there only if seedbank.toml is beside it: a
    dagster.yaml alone in the working directory may be another project's.
    """
    is_ours = not IS_INSTALLED or (project / CONFIG_NAME).is_file()
    return project if is_ours and (project / _NAME).is_file() else Path(PACKAGES_FOLDER)


def folder_for_processes(project: Path, home: Path) -> Path:
    """Return the folder that DAGSTER_HOME has to name. Dagster's processes make folders in it.

    home: gets a copy of the dagster.yaml of an installed Seedbank, since its users may not be allowed to write beside that.
    Raises OSError.
    """
    folder = instance_folder(project)
    if not IS_INSTALLED or folder == project:
        return folder
    copied = Home(home).dagster / "instance"
    write_whole(copied / _NAME, (folder / _NAME).read_bytes())
    return copied
