"""Writing the account to a file for Prometheus's textfile collector. Its metrics are in io_managers.store.account_metrics."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io_managers.store.account import Account
    from seed_assets.session.session import Session


def write_metrics(path: Path, accounts: "Sequence[Account]") -> None:
    """Write the metrics to a file, as a whole or not at all. Raises ConfigurationError if it cannot be written."""
    from io_managers.store.account_metrics import metrics_of
    from io_managers.store.whole_files import write_whole
    from resources.errors import ConfigurationError

    try:
        # The collector of Prometheus runs as another user, and nothing in the file is of a document.
        write_whole(path, metrics_of(accounts).encode(), mode=0o644)
    except OSError as error:
        raise ConfigurationError(
            f"The metrics {path} cannot be written: {error.strerror or error}. Name a file in a folder that exists and can be "
            "written."
        ) from error


def write_after_seed(session: "Session") -> None:
    """Write the metrics where the settings say. What keeps them from being written is only reported: the seed is done."""
    from cli.streams import print_error
    from io_managers.store.errors import StoreError
    from resources.errors import ConfigurationError

    path = session.settings.metrics.prometheus_path
    assert path is not None
    try:
        session.store.database.write().result()  # what is queued has to be read, too
        write_metrics(path, session.store.account.accounts())
    except (ConfigurationError, StoreError) as error:
        print_error(str(error))
