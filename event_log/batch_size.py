"""How many events Dagster hands over at once, and which setting decides it.

What belongs here: `events_per_batch` of dagster.yaml and Dagster's own DAGSTER_EVENT_BATCH_SIZE, which wins. What does not:
what is done with a batch.
"""

import os
from typing import Any

from dagster import Any as AnyValue
from dagster import Field

from resources.errors import ConfigurationError

SETTING = "events_per_batch"
VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
# The events of one stage over the most documents of one run: one transaction holds the write lock for them, and they are in
# memory together.
DEFAULT = 1_000
# Dagster accepts any value here, so that our own message explains a wrong one.
FIELD = Field(AnyValue, is_required=False, default_value=DEFAULT)


def configured(found: Any) -> int:
    """Return the number that dagster.yaml gives. Raises ConfigurationError if it is not a whole number from 0."""
    if type(found) is not int or found < 0:
        raise _wrong(f"{SETTING} in dagster.yaml", found)
    return found


def in_force(configured: int) -> int:
    """Return the number that applies now: that of the environment if it is set. Raises ConfigurationError if that is wrong."""
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
