"""Finds the test corpora: in shared/corpora beside the checkout, or in the folder that SEEDBANK_CORPORA names."""

import os
from pathlib import Path


def corpora_directory() -> Path:
    """Return the folder where the corpora should be, even if it is missing."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "corpora"
    return Path(os.environ.get("SEEDBANK_CORPORA", beside))


def find_corpora(given: Path | None = None) -> Path:
    """Return the folder of the corpora. If it is missing, exits with a message that says what to set."""
    found = given or corpora_directory()
    if not found.is_dir():
        raise SystemExit(f"There are no test corpora in {found}. Give their folder with --corpora or SEEDBANK_CORPORA.")
    return found
