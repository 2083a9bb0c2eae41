"""Clusters while documents come, go and change: they stay what they are as long as that can be, and so do their ids."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clustering import TopicBasis, TopicDocument, cluster_topics
from seed_assets.core.clusters.clusters import Cluster, Clustering, Placement
from seed_assets.core.clusters.stable_clusters import drift_since, match_ids

DIMENSIONS = 32
GROUPS, EACH = 8, 40
RULES = ClusterRules(5, 0)


def centres(groups: int) -> NDArray[np.float64]:
    """The first ones are the same for any number of groups."""
    drawn = np.random.default_rng(0).normal(size=(groups, DIMENSIONS))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def of_group(group: int, first: int, last: int, noise: float = 0.1) -> list[TopicDocument]:
    """Documents of one group, numbered; the same one for the same numbers."""
    drawn = np.random.default_rng((1, group)).normal(size=(last, DIMENSIONS))[first:]
    vectors = (centres(group + 1)[group] + noise * drawn).astype(np.float32)
    return [TopicDocument(f"{group:02}-{first + at:04}.txt", "", vector) for at, vector in enumerate(vectors)]


def planted(groups: Iterable[int] = range(GROUPS), each: int = EACH) -> list[TopicDocument]:
    return [one for group in groups for one in of_group(group, 0, each)]


def alien(number: int) -> TopicDocument:
    """A document that is like none of the others."""
    vector = np.random.default_rng((99, number)).normal(size=DIMENSIONS)
    vector -= centres(GROUPS).T @ np.linalg.lstsq(centres(GROUPS).T, vector, rcond=None)[0]
    return TopicDocument(f"alien-{number}", "", vector.astype(np.float32))


def members(found: Clustering) -> dict[str, frozenset[str]]:
    return {one.cluster_id: frozenset(one.members) for one in found.clusters}


def cluster_of(found: Clustering, group: int) -> str:
    return found.placements[f"{group:02}-0000.txt"].cluster_id


def without(documents: Sequence[TopicDocument], *gone: str) -> list[TopicDocument]:
    return [one for one in documents if one.document_id not in gone]


@pytest.fixture(scope="module")
def settled() -> tuple[Clustering, TopicBasis]:
    """Eight groups of forty, clustered from scratch: the state that most tests start from."""
    found, basis = cluster_topics(planted(), RULES, None, None)
    assert [len(one.members) for one in found.clusters] == [EACH] * GROUPS
    return found, basis


Settled = tuple[Clustering, TopicBasis]


def test_ids_are_numbered_from_one_the_largest_first() -> None:
    documents = [one for group, each in enumerate((10, 40, 20)) for one in of_group(group, 0, each, 0.05)]
    found, _ = cluster_topics(documents, RULES, None, None)
    assert [(one.cluster_id, len(one.members)) for one in found.clusters] == [
        ("topic/1", 40),
        ("topic/2", 20),
        ("topic/3", 10),
    ]
    assert found.next_number == 4


@pytest.mark.slow
def test_nothing_changed_changes_nothing(settled: Settled) -> None:
    again, basis = cluster_topics(planted(), RULES, *settled)
    assert (again, basis) == settled


@pytest.mark.slow
def test_the_same_from_scratch_has_the_same_ids(settled: Settled) -> None:
    again, _ = cluster_topics(planted(), RULES, *settled, from_scratch=True)
    assert again == settled[0]


@pytest.mark.parametrize("group", [0, 3, 7])
@pytest.mark.slow
def test_one_added_joins_its_cluster_and_leaves_the_others_as_they_were(settled: Settled, group: int) -> None:
    before = settled[0]
    new = of_group(group, EACH, EACH + 1)
    after, _ = cluster_topics(planted() + new, RULES, *settled)
    own = cluster_of(before, group)
    assert members(after) == {**members(before), own: members(before)[own] | {new[0].document_id}}
    assert (after.kept, after.settled, after.drift) == (1.0, 320, round(1 / 320, 6))


def test_one_added_that_is_like_none_is_an_outlier(settled: Settled) -> None:
    after, _ = cluster_topics([*planted(), alien(0)], RULES, *settled)
    assert members(after) == members(settled[0])
    assert after.placements["alien-0"].cluster_id == ""


def test_one_added_that_says_nothing_is_an_outlier(settled: Settled) -> None:
    nothing = TopicDocument("nothing", "", np.zeros(DIMENSIONS, np.float32))
    after, _ = cluster_topics([*planted(), nothing], RULES, *settled)
    assert members(after) == members(settled[0])
    assert after.placements["nothing"] == Placement("", 0.0)


@pytest.mark.parametrize("gone", ["00-0000.txt", "05-0017.txt"])
def test_one_removed_leaves_all_others_where_they_were(settled: Settled, gone: str) -> None:
    before = settled[0]
    after, basis = cluster_topics(without(planted(), gone), RULES, *settled)
    assert members(after) == {name: held - {gone} for name, held in members(before).items()}
    assert gone not in after.placements
    assert gone not in basis.seen
    assert all(gone != name for one in after.placements.values() for name, _ in one.nearest)


def test_one_that_goes_and_comes_back_is_where_it_was(settled: Settled) -> None:
    away = cluster_topics(without(planted(), "03-0003.txt"), RULES, *settled)
    back, _ = cluster_topics(planted(), RULES, *away)
    assert members(back) == members(settled[0])
    assert back.drift == round(2 / 320, 5)


@pytest.mark.slow
def test_a_hundredth_more_keeps_at_least_four_fifths_of_the_clusters_but_for_the_added() -> None:
    """On noise, where nothing but what was holds the clusters together."""
    random = np.random.default_rng(4)
    documents = [TopicDocument(f"{at:04}", "", random.normal(size=DIMENSIONS).astype(np.float32)) for at in range(606)]
    before, basis = cluster_topics(documents[:600], RULES, None, None)
    after, _ = cluster_topics(documents, RULES, before, basis)
    added = {one.document_id for one in documents[600:]}
    kept = [name for name, held in members(before).items() if members(after).get(name, frozenset()) - added == held]
    assert len(before.clusters) > 10
    assert len(kept) >= 0.8 * len(before.clusters)
    assert after.settled == 600


@pytest.mark.slow
@pytest.mark.parametrize(("added", "scratch"), [(32, False), (33, True)])
def test_past_the_bound_of_drift_all_is_clustered_from_scratch(settled: Settled, added: int, scratch: bool) -> None:
    """A tenth of 320 is 32."""
    after, basis = cluster_topics(planted() + of_group(GROUPS, 0, added), RULES, *settled)
    assert after.settled == (320 + added if scratch else 320)
    assert after.drift == (0.0 if scratch else 0.1)
    assert (basis.mean != settled[1].mean) == scratch
    assert (len(after.clusters) == GROUPS + 1) == scratch
    assert members(settled[0]).items() <= members(after).items()


@pytest.mark.slow
def test_drift_adds_up_over_calls_and_starts_again_from_scratch(settled: Settled) -> None:
    state, documents = settled, planted()
    drifts = []
    for step in range(4):
        documents = documents + of_group(step, EACH, EACH + 10)
        state = cluster_topics(documents, RULES, *state)
        drifts.append((state[0].settled, state[0].drift))
    assert drifts == [(320, 0.03125), (320, 0.0625), (320, 0.09375), (360, 0.0)]


@pytest.mark.slow
@pytest.mark.parametrize(("drift", "scratch"), [(0.0, True), (0.05, False), (1.0, False)])
def test_the_bound_of_drift_is_the_one_of_the_rules(settled: Settled, drift: float, scratch: bool) -> None:
    documents = planted() + of_group(2, EACH, EACH + 4)
    after, _ = cluster_topics(documents, ClusterRules(5, 0, drift=drift), *settled)
    assert (after.settled == 324) == scratch


@pytest.mark.slow
def test_from_scratch_when_asked_for_whatever_the_drift(settled: Settled) -> None:
    documents = planted() + of_group(GROUPS, 0, 10)
    after, _ = cluster_topics(documents, RULES, *settled, from_scratch=True)
    assert (after.settled, after.drift, len(after.clusters)) == (330, 0.0, GROUPS + 1)
    assert cluster_of(after, GROUPS) == "topic/9"


@pytest.mark.slow
def test_without_a_basis_all_is_clustered_from_scratch_under_the_same_ids(settled: Settled) -> None:
    after, _ = cluster_topics(planted()[:-1], RULES, settled[0], None)
    assert after.settled == 319
    assert members(after).keys() == members(settled[0]).keys()


def changed_text(documents: Sequence[TopicDocument], count: int, text: str) -> list[TopicDocument]:
    return [
        TopicDocument(one.document_id, text if at < count else one.text, one.vector) for at, one in enumerate(documents)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("count", "scratch"), [(1, False), (32, False), (33, True)])
def test_a_document_whose_text_changed_counts_as_drift(settled: Settled, count: int, scratch: bool) -> None:
    after, _ = cluster_topics(changed_text(planted(), count, "New words."), RULES, *settled)
    assert after.drift == (0.0 if scratch else round(count / 320, 6))
    assert members(after) == members(settled[0])


def test_what_changed_once_is_not_counted_again(settled: Settled) -> None:
    documents = changed_text(planted(), 8, "New words.")
    once = cluster_topics(documents, RULES, *settled)
    again, _ = cluster_topics(documents, RULES, *once)
    assert (once[0].drift, again.drift) == (0.025, 0.025)


def test_a_text_that_changed_beyond_what_is_read_of_it_did_not_change() -> None:
    documents = planted(range(3), 10)
    state = cluster_topics(changed_text(documents, 30, "word " * 2_000), RULES, None, None)
    after, _ = cluster_topics(changed_text(documents, 30, "word " * 2_000 + "end"), RULES, *state)
    assert after == state[0]


def test_a_document_whose_vector_changed_moves_to_where_it_belongs_now(settled: Settled) -> None:
    vector = of_group(6, EACH, EACH + 1)[0].vector
    moved = TopicDocument("01-0005.txt", "", vector)
    after, _ = cluster_topics([*without(planted(), "01-0005.txt"), moved], RULES, *settled)
    before = members(settled[0])
    old, new = cluster_of(settled[0], 1), cluster_of(settled[0], 6)
    assert members(after) == {**before, old: before[old] - {"01-0005.txt"}, new: before[new] | {"01-0005.txt"}}
    assert (after.drift, after.kept) == (round(1 / 320, 6), round(319 / 320, 4))


def test_a_document_whose_vector_became_like_none_is_an_outlier(settled: Settled) -> None:
    moved = TopicDocument("01-0005.txt", "", alien(1).vector)
    after, _ = cluster_topics([*without(planted(), "01-0005.txt"), moved], RULES, *settled)
    assert after.placements["01-0005.txt"].cluster_id == ""


def test_a_cluster_that_becomes_too_small_is_dissolved() -> None:
    rules = ClusterRules(8, 0, drift=1.0)
    documents = planted(each=10)
    before, basis = cluster_topics(documents, rules, None, None)
    gone = [f"03-{at:04}.txt" for at in range(3)]
    least, _ = cluster_topics(without(documents, *gone[:2]), rules, before, basis)
    assert len(members(least)[cluster_of(before, 3)]) == 8
    after, _ = cluster_topics(without(documents, *gone), rules, before, basis)
    assert members(after).keys() == members(before).keys() - {cluster_of(before, 3)}
    assert all(held <= members(after).get(name, held) for name, held in members(before).items())
    outliers = [name for name in members(before)[cluster_of(before, 3)] if name in after.placements]
    assert sum(after.placements[name].cluster_id == "" for name in outliers) >= 5


@pytest.mark.slow
def test_a_full_cluster_takes_no_more() -> None:
    rules = ClusterRules(5, EACH, drift=1.0)
    before, basis = cluster_topics(planted(), rules, None, None)
    assert [len(one.members) for one in before.clusters] == [EACH] * GROUPS
    after, _ = cluster_topics(planted() + of_group(2, EACH, EACH + 1), rules, before, basis)
    own = cluster_of(before, 2)
    assert {name: held for name, held in members(after).items() if name in members(before).keys() - {own}} == {
        name: held for name, held in members(before).items() if name != own
    }
    assert max(len(one.members) for one in after.clusters) <= EACH
    assert min(len(one.members) for one in after.clusters) >= 5


@pytest.mark.slow
@pytest.mark.parametrize(("largest", "smallest"), [(20, 5), (7, 3), (1, 1), (40, 40)])
def test_no_cluster_breaks_the_bounds(largest: int, smallest: int) -> None:
    found, _ = cluster_topics(planted(), ClusterRules(smallest, largest), None, None)
    assert found.clusters
    for one in found.clusters:
        assert smallest <= len(one.members) <= largest
        assert len({member[:2] for member in one.members}) == 1


@pytest.mark.slow
def test_a_bound_below_the_smallest_group_leaves_only_outliers() -> None:
    found, _ = cluster_topics(planted(), ClusterRules(EACH + 1, 0), None, None)
    assert found.clusters == ()
    assert {one.cluster_id for one in found.placements.values()} == {""}


@pytest.mark.slow
def test_parts_of_a_split_cluster_stay_as_they_are() -> None:
    rules = ClusterRules(5, 15)
    state = cluster_topics(planted(), rules, None, None)
    assert cluster_topics(planted(), rules, *state) == state
    after, _ = cluster_topics(without(planted(), "00-0000.txt"), rules, *state)
    left = {name: held - {"00-0000.txt"} for name, held in members(state[0]).items()}
    assert members(after) == {name: held for name, held in left.items() if len(held) >= rules.min_size}


def test_other_bounds_hold_from_the_next_call_on(settled: Settled) -> None:
    after, _ = cluster_topics(planted(), ClusterRules(5, 25), *settled)
    assert max(len(one.members) for one in after.clusters) <= 25
    parts = {frozenset(held) for held in members(after).values()}
    assert all(any(part <= whole for whole in members(settled[0]).values()) for part in parts)


@pytest.mark.slow
def test_a_cluster_of_five_thousand_is_kept_whole_or_split_as_the_bound_says() -> None:
    documents = of_group(0, 0, 5_000, 0.01) + [one for group in range(1, 6) for one in of_group(group, 0, 60, 0.01)]
    whole, _ = cluster_topics(documents, RULES, None, None)
    assert [len(one.members) for one in whole.clusters][1:] == [60] * 5
    assert len(whole.clusters[0].members) > 4_900
    split, _ = cluster_topics(documents, ClusterRules(5, 1_000), None, None)
    assert max(len(one.members) for one in split.clusters) <= 1_000
    assert sum(member.startswith("00-") for one in split.clusters for member in one.members) > 4_900
    assert members(whole).keys() <= members(split).keys()
    for one in split.clusters:
        assert len({member[:2] for member in one.members}) == 1


@pytest.mark.slow
def test_numbers_of_vanished_clusters_are_not_given_again() -> None:
    rules = ClusterRules(5, 0, drift=0.0)
    state = cluster_topics(planted(range(4)), rules, None, None)
    gone = cluster_of(state[0], 3)
    state = cluster_topics(planted(range(3)), rules, *state)
    assert (len(state[0].clusters), state[0].next_number) == (3, 5)
    state = cluster_topics(planted((0, 1, 2, 4)), rules, *state)
    assert (cluster_of(state[0], 4), state[0].next_number) == ("topic/5", 6)
    state = cluster_topics(planted(range(5)), rules, *state)
    assert cluster_of(state[0], 3) not in {gone, ""}
    assert cluster_of(state[0], 3) == "topic/6"


@pytest.mark.slow
def test_numbers_are_not_given_again_after_there_was_nothing(settled: Settled) -> None:
    empty = cluster_topics([], RULES, *settled)
    assert (empty[0].clusters, empty[0].placements, empty[0].next_number) == ((), {}, GROUPS + 1)
    after, _ = cluster_topics(planted(), RULES, *empty)
    assert [one.cluster_id for one in after.clusters] == [f"topic/{GROUPS + 1 + number}" for number in range(GROUPS)]


@pytest.mark.slow
def test_from_nothing_on_documents_come_in() -> None:
    state = cluster_topics([], RULES, None, None)
    state = cluster_topics(planted()[:1], RULES, *state)
    assert state[0].placements["00-0000.txt"].cluster_id == ""
    after, _ = cluster_topics(planted(), RULES, *state)
    assert len(after.clusters) == GROUPS


POOL = planted(range(4), 14) + [alien(number) for number in range(4)]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sets(st.integers(0, len(POOL) - 1), max_size=6), min_size=1, max_size=5), st.sampled_from([0.1, 1.0])
)
def test_whatever_comes_and_goes_only_what_had_to_change_changes(swaps: list[set[int]], drift: float) -> None:
    """Each swap takes out what is in and puts in what is out."""
    rules = ClusterRules(4, 0, drift=drift)
    present = set(range(0, len(POOL), 2)) | set(range(14))
    state = cluster_topics([POOL[at] for at in sorted(present)], rules, None, None)
    vanished: set[str] = set()
    for swap in swaps:
        present ^= swap
        before, documents = state[0], [POOL[at] for at in sorted(present)]
        state = cluster_topics(documents, rules, *state)
        after = state[0]
        assert after.placements.keys() == {one.document_id for one in documents}
        assert not vanished & members(after).keys()
        vanished |= members(before).keys() - members(after).keys()
        assert after.next_number >= before.next_number
        if after.drift:
            assert rules.drift >= after.drift >= before.drift
            for name, held in members(before).items():
                left = held & after.placements.keys()
                if len(left) >= rules.min_size:
                    assert left == members(after)[name] & before.placements.keys() - late(before, after)


def late(before: Clustering, after: Clustering) -> set[str]:
    """Those that a cluster which was dissolved sent elsewhere."""
    gone = members(before).keys() - members(after).keys()
    return {member for name in gone for member in members(before)[name]}


def clustering(*groups: str, next_number: int = 10, first: int = 1) -> Clustering:
    """Each letter of a group is a document."""
    clusters = tuple(Cluster(f"topic/{first + at}", tuple(group)) for at, group in enumerate(groups))
    placements = {name: Placement(one.cluster_id, 1.0) for one in clusters for name in one.members}
    return Clustering("topic", clusters, placements, next_number, len(placements))


@pytest.mark.parametrize(
    ("groups", "before", "ids"),
    [
        ([], ["abcd"], []),
        (["abcd"], [], ["topic/10"]),
        (["abcd"], ["abcd"], ["topic/1"]),
        (["efgh", "abcd"], ["abcd", "efgh"], ["topic/2", "topic/1"]),
        (["abxy"], ["abcd"], ["topic/1"]),
        (["axyz"], ["abcd"], ["topic/10"]),
        (["a"], ["abcd"], ["topic/10"]),
        (["ab"], ["abcd"], ["topic/1"]),
        (["abc", "def"], ["abcdef"], ["topic/1", "topic/10"]),
        (["ab", "cdef"], ["abcdef"], ["topic/10", "topic/1"]),
        (["abcdef"], ["abcd", "ef"], ["topic/1"]),
        (["xy", "uvw", "z"], ["abcd"], ["topic/11", "topic/10", "topic/12"]),
        (["xy", "uv"], ["abcd"], ["topic/11", "topic/10"]),
    ],
)
def test_a_group_takes_the_number_of_the_cluster_that_it_mostly_is(
    groups: list[str], before: list[str], ids: list[str]
) -> None:
    """New numbers go to the largest group first, of equals to the one with the first document."""
    found, next_number = match_ids("topic", [tuple(group) for group in groups], clustering(*before))
    assert found == ids
    assert next_number == 10 + sum(int(one.removeprefix("topic/")) >= 10 for one in ids)


def test_numbers_go_round_so_that_the_most_is_kept_in_all() -> None:
    """The first group is best matched to the first cluster, which would leave the second group with none."""
    found, _ = match_ids("topic", [tuple("abcd"), tuple("efg")], clustering("abefg", "cd"))
    assert found == ["topic/2", "topic/1"]


def test_the_first_numbers_are_of_the_kind_of_cluster() -> None:
    assert match_ids("field:author", [("a", "b"), ("c", "d", "e")], None) == (["field:author/2", "field:author/1"], 3)


@pytest.mark.parametrize(
    ("documents", "changed", "drift"),
    [
        ("abcdefgh", "", 0.0),
        ("abcdefghi", "", 0.125),
        ("abcdefg", "", 0.125),
        ("abcdefgi", "", 0.25),
        ("abcdefgh", "ab", 0.25),
        ("abcdefg", "a", 0.25),
        ("xyz", "", 1.0),
        ("", "", 1.0),
    ],
)
def test_drift_is_the_share_of_what_came_went_or_changed(documents: str, changed: str, drift: float) -> None:
    assert drift_since(clustering("abcd", "efgh"), list(documents), list(changed)) == drift
