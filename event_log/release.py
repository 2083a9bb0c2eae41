"""Which releases of Dagster the storages here were tested with.

What belongs here: only that check, which imports nothing of Dagster. What does not: the storages, which are subclasses of
Dagster's own and use names that Dagster does not promise to keep.
"""

from importlib.metadata import PackageNotFoundError, version

from resources.errors import ConfigurationError

# Any patch release of these works with these storages. Dagster's integrations have version numbers of their own.
TESTED = {"dagster": "1.13", "dagster-postgres": "0.29"}


def check_release(package: str) -> None:
    """Raise ConfigurationError if a package is missing, or if its major or minor release is not the tested one."""
    tested = TESTED[package]
    remedy = f"Install the tested release: pip install '{package}=={tested}.*'"
    try:
        found = version(package)
    except PackageNotFoundError as error:
        raise ConfigurationError(f"{package} {tested} is needed, but it is not installed. {remedy}") from error
    if found.split(".")[:2] != tested.split("."):
        raise ConfigurationError(
            f"The event log of this project was tested with {package} {tested}, and {found} is installed. {remedy}"
        )
