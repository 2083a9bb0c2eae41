"""Where the project's own files are, and in which folder its settings and its home are looked for.

What belongs here: these two folders. What does not: what is in them, and any import that takes time, since every command needs
this first.

In the repository both are the folder with pyproject.toml, wherever a command is called. An installed Seedbank has its packages
below `site-packages/seedbank`, where users keep nothing of their own. Like other command-line programs it then works in the
working directory, or in the next folder above it that has a seedbank.toml.
"""

import os

CONFIG_NAME = "seedbank.toml"

PACKAGES_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder that holds the project's packages, its sample corpus and its dagster.yaml."""

IS_INSTALLED = not os.path.exists(os.path.join(PACKAGES_FOLDER, "pyproject.toml"))
"""Whether this is an installed Seedbank and not the repository."""


def own_packages() -> list[str]:
    """Return the folders of the program's packages, sorted; the benchmarks of a checkout are not among them."""
    found = sorted(entry.path for entry in os.scandir(PACKAGES_FOLDER) if os.path.exists(f"{entry.path}/__init__.py"))
    return [path for path in found if os.path.basename(path) != "benchmarks"]


def project_folder() -> str:
    """Return the folder of the settings and, by default, of the home; "." if the working directory was deleted."""
    if not IS_INSTALLED:
        return PACKAGES_FOLDER
    try:
        working = folder = os.getcwd()
    except FileNotFoundError:
        return "."  # whatever is then looked for in it names the problem
    while not os.path.exists(os.path.join(folder, CONFIG_NAME)):
        above = os.path.dirname(folder)
        if above == folder:
            return working
        folder = above
    return folder


PROGRAMS = "" if IS_INSTALLED else ".venv/bin/"
"""What stands before the name of a program in a command line that a message shows."""
