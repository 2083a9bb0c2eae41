"""Which releases of Dagster the storages here were tested with.

Here: that check alone, with nothing of Dagster imported. Not here: the storages, which are subclasses of Dagster's own
and use names that it does not promise to keep.
"""

from importlib.metadata import PackageNotFoundError, version

from resources.errors import ConfigurationError

# Patch releases fit each other and these storages. Dagster's integrations have numbers of their own.
TESTED = {"dagster": "1.13", "dagster-postgres": "0.29"}


def check_release(package: str) -> None:
    """Raises ConfigurationError where a package is missing, or of another major or minor release than was tested."""
    tested = TESTED[package]
    remedy = f"Install the tested release: pip install '{package}=={tested}.*'"
    try:
        found = version(package)
    except PackageNotFoundError as error:
        raise ConfigurationError(f"{package} {tested} is needed, and not installed. {remedy}") from error
    if found.split(".")[:2] != tested.split("."):
        raise ConfigurationError(
            f"The event log of this project was tested with {package} {tested}, and {found} is installed. {remedy}"
        )
