"""How many events Dagster hands over at once, and who decides it.

Here: `events_per_batch` of dagster.yaml and Dagster's own DAGSTER_EVENT_BATCH_SIZE, which wins. Not here: what is done
with a batch.
"""

import os
from typing import Any

from dagster import Any as AnyValue
from dagster import Field

from resources.errors import ConfigurationError

SETTING = "events_per_batch"
VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
# One transaction holds the write lock, and the events in memory, of one stage over the most documents of a run.
DEFAULT = 1_000
# Any value is taken, so that a wrong one is told in our words.
FIELD = Field(AnyValue, is_required=False, default_value=DEFAULT)


def configured(found: Any) -> int:
    """What dagster.yaml says. Raises ConfigurationError."""
    if type(found) is not int or found < 0:
        raise _wrong(f"{SETTING} in dagster.yaml", found)
    return found


def in_force(configured: int) -> int:
    """What counts now: the environment, where it says anything. Raises ConfigurationError."""
    found = os.environ.get(VARIABLE)
    if not found:
        return configured
    if not found.strip().isdecimal():
        raise _wrong(f"The environment variable {VARIABLE}", found)
    return int(found)


def _wrong(name: str, found: Any) -> ConfigurationError:
    return ConfigurationError(
        f"{name} is {found!r}, which is no number of events. Give a whole number such as {DEFAULT}, or 0 to store events "
        "one by one, as Dagster does by itself."
    )
