"""Which contiguous ranges of partitions cover the documents that a run has to visit.

This module computes with the order of partitions. It knows neither Dagster nor why a document is visited.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

# A visit of a current document takes about 0.6 ms per stage, since events are written in batches, and another run 0.6 s. With
# ten stages, a run is as expensive as 100 visits.
LONGEST_GAP = 100


def cover(
    order: Sequence[str],
    wanted: AbstractSet[str],
    avoid: AbstractSet[str],
    longest: int,
    gap: int = LONGEST_GAP,
    workers: int = 1,
) -> list[tuple[str, str]]:
    """(first, last) of as few ranges of `order` as cover `wanted`, and as occupy so many workers.

    No range holds one of `avoid`, more than `longest` documents, more than `gap` unwanted ones in a row, or more wanted ones than
    the share of one worker.
    """
    ranges: list[tuple[int, int]] = []
    share, taken = -(-len(wanted) // workers), 0
    blocked = True
    for position, document in enumerate(order):
        if document in avoid:
            blocked = True
        elif document in wanted:
            near = not blocked and position - ranges[-1][1] <= gap + 1
            if near and position - ranges[-1][0] < longest and taken < share:
                ranges[-1] = (ranges[-1][0], position)
                taken += 1
            else:
                ranges.append((position, position))
                taken = 1
            blocked = False
    return [(order[first], order[last]) for first, last in ranges]


def in_the_way(order: Sequence[str], wanted: AbstractSet[str], avoid: AbstractSet[str]) -> list[str]:
    """Those of `avoid` that lie between the first and the last wanted document."""
    positions = [position for position, document in enumerate(order) if document in wanted]
    if not positions:
        return []
    return [document for document in order[positions[0] : positions[-1]] if document in avoid]
