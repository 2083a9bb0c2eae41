"""Tables that a stage shows of a value, on Dagster's page of a partition.

What belongs here: the type. What does not: its form on a page (seed_assets.orchestration.page_metadata).
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownTable:
    """Rows of texts and numbers, each with as many cells as there are columns. The page shows the first rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float]]
