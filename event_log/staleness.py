"""Inputs that Dagster must not compare when it decides whether something is stale.

What belongs here: the data version that a materialization gives for such an input, and the change by which Dagster skips it. What
does not: which inputs these are (seed_assets.orchestration.data_versions).

Dagster calls a partition stale if an input has another data version than the one that the partition was made from. That is wrong
if a result uses only a part of its input: the assignment of one document, for example, changes far less often than the clusters
of all documents. Dagster skips an input with partitions if its event pointer is larger than the id of every event. For an input
without partitions there is no such way. So the one private method that compares two versions is wrapped, and skips this data
version. With a release of Dagster that lacks the method, such a partition is called stale too often, never too rarely.
"""

from typing import Any

from dagster._core.definitions import data_version

NOT_COMPARED = "not compared by Dagster; seedbank status knows"
"""The data version of an input that Dagster is not to compare."""
BEHIND_ALL_EVENTS = 2**62
"""The event pointer of such an input: larger than the id of any event."""

_METHOD = "_data_versions_differ"
_MARK = "_passes_over_not_compared"


def pass_over_not_compared() -> None:
    """Make Dagster skip inputs with the data version NOT_COMPARED, from now on in this process."""
    resolver = getattr(data_version, "CachingStaleStatusResolver", None)
    differ = getattr(resolver, _METHOD, None)
    if differ is None or hasattr(differ, _MARK):
        return

    def differ_if_compared(self: Any, before: Any, now: Any) -> bool:
        return getattr(before, "value", None) != NOT_COMPARED and differ(self, before, now)

    setattr(differ_if_compared, _MARK, True)
    setattr(resolver, _METHOD, differ_if_compared)
