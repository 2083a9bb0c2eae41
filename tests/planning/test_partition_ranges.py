"""The ranges of documents that runs are made for, by property: all that is wanted, none that is to be avoided."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seed_assets.planning.partition_ranges import LONGEST_GAP, cover, in_the_way

Marks = list[str]
# Each document of an order: wanted, to be avoided, or neither.
ORDERS = st.lists(st.sampled_from(["wanted", "avoid", "other"]), max_size=60)


def named(marks: Marks, mark: str) -> set[str]:
    return {f"{place}.md" for place, found in enumerate(marks) if found == mark}


def members(order: list[str], ranges: list[tuple[str, str]]) -> list[list[str]]:
    return [order[order.index(first) : order.index(last) + 1] for first, last in ranges]


@given(ORDERS, st.integers(1, 20), st.integers(0, 12))
def test_ranges_cover_all_that_is_wanted_and_nothing_to_be_avoided(marks: Marks, longest: int, gap: int) -> None:
    order = [f"{place}.md" for place in range(len(marks))]
    wanted, avoid = named(marks, "wanted"), named(marks, "avoid")

    found = members(order, cover(order, wanted, avoid, longest, gap))

    visited = [document for documents in found for document in documents]
    assert wanted <= set(visited)
    assert not avoid & set(visited)
    assert len(visited) == len(set(visited)), "a document would be visited twice"
    assert visited == sorted(visited, key=order.index)
    for documents in found:
        assert len(documents) <= longest
        assert documents[0] in wanted
        assert documents[-1] in wanted
        assert longest_gap(documents, wanted) <= gap


@given(ORDERS, st.integers(1, 20), st.integers(0, 12))
def test_no_two_neighbouring_ranges_could_have_been_one(marks: Marks, longest: int, gap: int) -> None:
    order = [f"{place}.md" for place in range(len(marks))]
    wanted, avoid = named(marks, "wanted"), named(marks, "avoid")

    ranges = cover(order, wanted, avoid, longest, gap)

    for (first, last), (next_first, next_last) in pairwise(ranges):
        between = order[order.index(last) + 1 : order.index(next_first)]
        whole = order[order.index(first) : order.index(next_last) + 1]
        assert len(between) > gap or len(whole) > longest or avoid & set(between)


@given(ORDERS)
def test_a_wanted_document_that_is_to_be_avoided_is_not_visited(marks: Marks) -> None:
    order = [f"{place}.md" for place in range(len(marks))]

    assert cover(order, set(order), set(order), 1_000) == []


@given(ORDERS, st.integers(1, 6))
def test_no_worker_gets_more_than_its_share_and_none_is_left_idle(marks: Marks, workers: int) -> None:
    """A range that is too long makes all others wait for one worker."""
    order = [f"{place}.md" for place in range(len(marks))]
    wanted = named(marks, "wanted")

    ranges = cover(order, wanted, set(), len(order) + 1, len(order), workers)

    shares = [len(wanted & set(documents)) for documents in members(order, ranges)]
    assert sum(shares) == len(wanted)
    assert all(share <= -(-len(wanted) // workers) for share in shares)
    assert len(shares) <= workers


def test_a_gap_of_finished_documents_is_cheaper_than_another_run_up_to_a_bound() -> None:
    order = [f"{place}.md" for place in range(3 * LONGEST_GAP)]
    near, far = {order[0], order[LONGEST_GAP + 1]}, {order[0], order[LONGEST_GAP + 2]}

    assert cover(order, near, set(), 1_000) == [(order[0], order[LONGEST_GAP + 1])]
    assert cover(order, far, set(), 1_000) == [(order[0], order[0]), (order[LONGEST_GAP + 2], order[LONGEST_GAP + 2])]


@given(ORDERS)
def test_once_what_is_in_the_way_is_moved_to_the_end_only_length_and_gaps_split_a_range(marks: Marks) -> None:
    order = [f"{place}.md" for place in range(len(marks))]
    wanted, avoid = named(marks, "wanted"), named(marks, "avoid")

    moved = in_the_way(order, wanted, avoid)

    assert set(moved) <= avoid
    left = [document for document in order if document not in moved]
    assert len(cover(left + moved, wanted, avoid, len(order) + 1, len(order))) == (1 if wanted else 0)


def longest_gap(documents: list[str], wanted: set[str]) -> int:
    longest = run = 0
    for document in documents:
        run = 0 if document in wanted else run + 1
        longest = max(longest, run)
    return longest
