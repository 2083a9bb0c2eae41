"""`seedbank` without Dagster's runs and without workers: `python -m tests.support.plain_seed seed ...`

What belongs here: that documents keep their order from one command to the next. What does not: the stand-ins (plain_runs), and
commands whose processes are killed.
"""

import json
import os
from pathlib import Path

from cli.main import main
from tests.support.plain_runs import without_dagster


def _run() -> None:
    kept = Path(f"{os.environ['SEEDBANK_HOME']}.order")
    order: list[str] = json.loads(kept.read_text()) if kept.exists() else []
    try:
        with without_dagster(order):
            main()
    finally:
        kept.write_text(json.dumps(order))


if __name__ == "__main__":
    _run()
