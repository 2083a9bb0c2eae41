"""The installed wheel, which several test modules share."""

import pytest

from tests.support.installed import Archives, Installed, build_archives, install


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """The source archive, and the wheel that was built from it."""
    return build_archives(tmp_path_factory.mktemp("archives"))


@pytest.fixture(scope="session")
def installed(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment in which the wheel was installed."""
    return install(archives.wheel, tmp_path_factory.mktemp("installed"))
