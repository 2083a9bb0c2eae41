"""Where the test corpora are: beside the checkout in shared/corpora, or where SEEDBANK_CORPORA says."""

import os
from pathlib import Path


def corpora_directory() -> Path:
    """Where the corpora should be, whether they are there or not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "corpora"
    return Path(os.environ.get("SEEDBANK_CORPORA", beside))


def find_corpora(given: Path | None = None) -> Path:
    """The folder of the corpora. Exits with a message that says what to set where it is not there."""
    found = given or corpora_directory()
    if not found.is_dir():
        raise SystemExit(f"There are no test corpora in {found}. Give their folder with --corpora or SEEDBANK_CORPORA.")
    return found
