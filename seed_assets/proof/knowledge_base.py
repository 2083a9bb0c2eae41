"""Prints what the tables of a home hold, as JSON: `python -m seed_assets.proof.knowledge_base HOME`.

The proof runs this as a command of its own, so that its own process need not import LanceDB. What belongs here: reading. What
does not: comparing that with the answers of the server (lost_answers).
"""

import json
import sys
from pathlib import Path

from resources.tables.lance import LanceTables

# Table -> the columns that hold what a model answered, and those that say of what.
COLUMNS = {
    "documents": ("document_id", "summary", "concepts", "verdict"),
    "chunks": ("document_id", "text", "vector"),
    "judgements": ("document_id", "judge"),
    "clusters": ("cluster_id", "summary"),
}


def main() -> None:
    """Print table -> its rows, each as an object."""
    tables = LanceTables(Path(sys.argv[1]))
    print(json.dumps({name: tables.read(name, columns).to_pylist() for name, columns in COLUMNS.items()}))  # noqa: T201


if __name__ == "__main__":
    main()
