"""Documents grouped by values that they share: rare values count, usual ones do not, and huge ones do no harm."""

from collections.abc import Collection, Mapping
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clusters import Clustering, Placement
from seed_assets.core.clusters.set_clustering import cluster_sets

RULES = ClusterRules(5, 0)
MANY = 50_000

Sets = Mapping[str, Collection[str]]


def planted(groups: int, each: int, seed: int = 0) -> dict[str, list[str]]:
    """Each document has four of the eight values of its group and one of its own; an id begins with the group."""
    random = np.random.default_rng(seed)
    return {
        f"{group:02}-{at:03}": [
            *(f"value {group}.{one}" for one in random.choice(8, 4, replace=False)),
            f"own {group} {at}",
        ]
        for group in range(groups)
        for at in range(each)
    }


def clustered(sets: Sets, rules: ClusterRules = RULES) -> Clustering:
    """The clustering from scratch, of which all is checked that holds of any."""
    found = cluster_sets("concept", sets, rules, None)
    check(found, sets, rules)
    assert (found.cluster_type, found.settled, found.drift, found.kept) == ("concept", len(sets), 0.0, 1.0)
    return found


def check(found: Clustering, sets: Sets, rules: ClusterRules) -> None:
    """What holds of any clustering of any documents."""
    assert found.placements.keys() == sets.keys()
    cluster_of = dict.fromkeys(sets, "")
    for cluster in found.clusters:
        assert rules.min_size <= len(cluster.members) <= (rules.max_size or len(sets))
        assert list(cluster.members) == sorted(set(cluster.members))
        for member in cluster.members:
            assert cluster_of[member] == ""
            cluster_of[member] = cluster.cluster_id
    numbers = [int(one.cluster_id.removeprefix("concept/")) for one in found.clusters]
    assert numbers == sorted(set(numbers))
    assert all(0 < number < found.next_number for number in numbers)
    for document_id, placement in found.placements.items():
        assert placement.cluster_id == cluster_of[document_id]
        assert 0 <= placement.strength <= 1
        near = [name for name, _ in placement.nearest]
        assert document_id not in near
        assert len(near) == len(set(near)) <= rules.nearest
        assert [-cosine for _, cosine in placement.nearest] == sorted(-cosine for _, cosine in placement.nearest)
        assert all(not set(sets[document_id]).isdisjoint(sets[name]) for name in near)


def members(found: Clustering) -> dict[str, frozenset[str]]:
    return {one.cluster_id: frozenset(one.members) for one in found.clusters}


def groups_of(found: Clustering) -> set[frozenset[str]]:
    return set(members(found).values())


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "each"), [(2, 30), (6, 20), (30, 10)])
@pytest.mark.parametrize("seed", [0, 1])
def test_planted_groups_are_found(groups: int, each: int, seed: int) -> None:
    from sklearn.metrics import adjusted_rand_score  # 0.8 s, which the fast tests need not wait for

    found = clustered(planted(groups, each, seed))
    ids = list(found.placements)
    labels = [found.placements[one].cluster_id for one in ids]
    assert adjusted_rand_score([one[:2] for one in ids], labels) > 0.95


def test_documents_of_one_value_are_one_cluster() -> None:
    found = clustered({f"{value}{at}": [value] for value in "abcd" for at in range(10)})
    assert groups_of(found) == {frozenset(f"{value}{at}" for at in range(10)) for value in "abcd"}
    assert {one.strength for one in found.placements.values()} == {1.0}


@pytest.mark.parametrize(
    "sets", [{}, {"a": []}, {"a": ["x"]}, {"a": ["x"], "b": ["y"]}, {"a": [], "b": [], "c": ["x"]}]
)
def test_where_nothing_is_shared_all_are_outliers(sets: Sets) -> None:
    found = clustered(sets, ClusterRules(1, 0))
    assert found.clusters == ()
    assert set(found.placements.values()) <= {Placement("", 0.0)}


@pytest.mark.parametrize("count", [2, 3, 7])
def test_what_all_of_a_few_documents_share_joins_them(count: int) -> None:
    found = clustered({str(at): ["x", f"own {at}"] for at in range(count)}, ClusterRules(2, 0))
    assert [len(one.members) for one in found.clusters] == [count]
    assert all(len(one.nearest) == min(5, count - 1) for one in found.placements.values())


@pytest.mark.slow
@pytest.mark.parametrize("count", [8, 100, MANY])
def test_a_value_that_many_documents_all_share_joins_none_of_them(count: int) -> None:
    found = clustered({f"{at:05}": ["x", "y"] for at in range(count)})
    assert found.clusters == ()
    assert set(found.placements.values()) == {Placement("", 0.0)}


@pytest.mark.slow
def test_documents_without_values_are_outliers_and_change_nothing() -> None:
    """But that there are more of them, so that what the others share is rarer."""
    sets = planted(6, 20)
    nothing: dict[str, Collection[str]] = {
        "none": [],
        "empty": set(),
        "own": ["only mine"],
        "more": ("mine", "as well"),
    }
    found = clustered(sets | nothing)
    assert groups_of(found) == groups_of(clustered(sets))
    assert {found.placements[one] for one in nothing} == {Placement("", 0.0)}


def test_the_empty_value_is_a_value() -> None:
    sets = {f"{value}{at}": [value] for value in ("", "a", "b", " ") for at in range(6)}
    assert len(clustered(sets).clusters) == 4


def test_values_differ_by_case_and_form() -> None:
    sets = {f"{value}{at}": [value] for value in ("é", "e\u0301", "É", "\ud800") for at in range(6)}
    assert len(clustered(sets).clusters) == 4


@pytest.mark.slow
def test_a_value_given_twice_counts_once() -> None:
    sets = planted(6, 20)
    assert clustered({name: [*values, *values] for name, values in sets.items()}) == clustered(sets)


def test_rare_values_count_for_more_than_usual_ones() -> None:
    """Each document shares one value with a third of all, and a rarer one with few of the others."""
    sets = {f"{at:03}": [f"usual {at % 3}", f"rare {at // 10}"] for at in range(120)}
    found = clustered(sets)
    assert groups_of(found) == {frozenset(f"{10 * ten + one:03}" for one in range(10)) for ten in range(12)}


@pytest.mark.slow
def test_order_of_documents_and_values_changes_nothing() -> None:
    sets = planted(8, 20)
    found = clustered(sets)
    assert clustered(sets) == found
    for seed in range(2):
        random = Random(seed)
        names = random.sample(sorted(sets), len(sets))
        assert clustered({name: random.sample(sets[name], len(sets[name])) for name in names}) == found
        assert clustered({name: frozenset(sets[name]) for name in names}) == found


@pytest.mark.slow
def test_a_value_of_fifty_thousand_documents_that_have_nothing_else_is_one_cluster() -> None:
    sets = {f"{at:06}": ["usual"] for at in range(MANY)}
    sets |= {f"x{at:06}": [f"value {at // 500}"] for at in range(MANY)}
    found = cluster_sets("concept", sets, RULES, None)
    assert [len(one.members) for one in found.clusters] == [MANY] + [500] * (MANY // 500)
    assert found.clusters[0].members == tuple(f"{at:06}" for at in range(MANY))
    assert [len(one.nearest) for one in found.placements.values()] == [5] * (2 * MANY)


@pytest.mark.slow
def test_a_value_of_fifty_thousand_documents_does_not_hide_what_else_they_share() -> None:
    found = cluster_sets("concept", {f"{at:06}": ["usual", f"value {at % 100}"] for at in range(MANY)}, RULES, None)
    assert [len(one.members) for one in found.clusters] == [500] * 100
    for one in found.clusters:
        assert len({int(member) % 100 for member in one.members}) == 1


def test_documents_of_one_value_are_cut_where_a_cluster_may_not_be_so_large() -> None:
    sets = {f"{at:06}": ["usual"] for at in range(10_000)} | {f"x{at:06}": [] for at in range(10_000)}
    found = cluster_sets("concept", sets, ClusterRules(5, 1_000), None)
    assert [len(one.members) for one in found.clusters] == [1_000] * 10
    assert found.placements["x000000"] == Placement("", 0.0)


@pytest.mark.slow
def test_one_document_with_fifty_thousand_values_of_its_own_changes_nothing() -> None:
    sets = planted(6, 20)
    found = clustered(sets | {"giant": [f"giant's {at}" for at in range(MANY)]})
    assert groups_of(found) == groups_of(clustered(sets))
    assert found.placements["giant"] == Placement("", 0.0)


@pytest.mark.slow
def test_one_document_with_fifty_thousand_values_that_others_have_joins_no_two_groups() -> None:
    sets = planted(6, 20)
    others = {f"pair-{at}": [f"giant's {one}" for one in range(at, MANY, 50)] for at in range(50)}
    every = sorted({value for values in sets.values() for value in values})
    found = clustered(sets | others | {"giant": [*every, *(f"giant's {at}" for at in range(MANY))]})
    planted_groups = {frozenset(name for name in sets if name.startswith(f"{group:02}")) for group in range(6)}
    assert {group - {"giant"} for group in groups_of(found)} >= planted_groups


@pytest.mark.slow
@pytest.mark.parametrize(("smallest", "largest"), [(1, 1), (2, 3), (5, 8), (20, 20), (21, 0), (5, 7)])
def test_no_cluster_breaks_the_bounds(smallest: int, largest: int) -> None:
    found = clustered(planted(6, 20), ClusterRules(smallest, largest))
    assert bool(found.clusters) == (smallest <= 20)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.text(max_size=3), st.lists(st.sampled_from("abcdefgh"), max_size=5), max_size=30),
    st.integers(1, 4),
    st.integers(0, 6),
    st.randoms(use_true_random=False),
)
def test_any_sets_are_clustered_within_the_rules_in_any_order(
    sets: dict[str, list[str]], smallest: int, room: int, random: Random
) -> None:
    rules = ClusterRules(smallest, smallest + room if room else 0)
    found = clustered(sets, rules)
    names = list(sets)
    random.shuffle(names)
    assert clustered({name: sets[name][::-1] for name in names}, rules) == found


@pytest.mark.slow
def test_nothing_changed_changes_nothing() -> None:
    sets = planted(8, 20)
    before = clustered(sets)
    assert cluster_sets("concept", sets, RULES, before) == before
    assert cluster_sets("concept", sets, RULES, before, from_scratch=True) == before


@pytest.mark.slow
def test_a_new_document_joins_those_that_it_shares_values_with() -> None:
    sets = planted(8, 20)
    before = clustered(sets)
    new: dict[str, list[str]] = {"new": ["value 3.0", "value 3.1", "value 3.2"], "odd": ["nobody's"], "none": []}
    after = cluster_sets("concept", sets | new, RULES, before)
    check(after, sets | new, RULES)
    own = before.placements["03-000"].cluster_id
    assert members(after) == {**members(before), own: members(before)[own] | {"new"}}
    assert (after.settled, after.drift, after.kept) == (160, round(3 / 160, 6), 1.0)


@pytest.mark.slow
def test_one_removed_leaves_all_others_where_they_were() -> None:
    sets = planted(8, 20)
    before = clustered(sets)
    del sets["05-007"]
    after = cluster_sets("concept", sets, RULES, before)
    check(after, sets, RULES)
    assert members(after) == {name: held - {"05-007"} for name, held in members(before).items()}


@pytest.mark.slow
def test_a_hundredth_more_keeps_at_least_four_fifths_of_the_clusters_but_for_the_added() -> None:
    random = np.random.default_rng(3)
    sets = {f"{at:04}": [f"v{one}" for one in random.choice(200, 5, replace=False)] for at in range(606)}
    before = clustered({name: values for name, values in sets.items() if int(name) < 600})
    after = cluster_sets("concept", sets, RULES, before)
    added = {name for name in sets if int(name) >= 600}
    kept = [name for name, held in members(before).items() if members(after).get(name, frozenset()) - added == held]
    assert len(before.clusters) > 10
    assert len(kept) >= 0.8 * len(before.clusters)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "drift", "settled"), [(1, 0.00625, 160), (16, 0.1, 160), (17, 0.0, 160)])
@pytest.mark.parametrize("values", [[], ["nobody's"]])
def test_documents_that_lost_what_they_shared_count_as_drift(
    count: int, drift: float, settled: int, values: list[str]
) -> None:
    sets = planted(8, 20)
    before = clustered(sets)
    lost = {name: [f"{value} {name}" for value in values] for name in sorted(sets)[:count]}
    after = cluster_sets("concept", sets | lost, RULES, before)
    check(after, sets | lost, RULES)
    assert (after.drift, after.settled) == (drift, settled)
    assert {after.placements[one].cluster_id for one in lost} == {""}


def test_a_document_that_has_other_values_of_its_cluster_did_not_drift() -> None:
    sets = planted(8, 20)
    before = clustered(sets)
    after = cluster_sets("concept", sets | {"02-000": [f"value 2.{at}" for at in range(8)]}, RULES, before)
    assert (members(after), after.drift) == (members(before), 0.0)


def test_a_document_that_has_the_values_of_another_cluster_moves_there() -> None:
    sets = planted(8, 20)
    before = clustered(sets)
    after = cluster_sets("concept", sets | {"02-000": [f"value 6.{at}" for at in range(8)]}, RULES, before)
    assert after.placements["02-000"].cluster_id == before.placements["06-000"].cluster_id
    assert after.drift == 0.00625


@pytest.mark.slow
@pytest.mark.parametrize(("count", "scratch"), [(16, False), (17, True)])
def test_past_the_bound_of_drift_all_is_clustered_from_scratch(count: int, scratch: bool) -> None:
    sets = planted(8, 20)
    before = clustered(sets)
    more = sets | {f"new-{at:02}": ["new"] for at in range(count)}
    after = cluster_sets("concept", more, RULES, before)
    check(after, more, RULES)
    assert (after.settled == len(more)) == scratch
    assert after.placements["new-00"].cluster_id == ("concept/9" if scratch else "")
    assert members(before).items() <= members(after).items()


@pytest.mark.slow
def test_numbers_of_vanished_clusters_are_not_given_again() -> None:
    rules = ClusterRules(5, 0, drift=0.0)
    sets = planted(4, 20)
    state = clustered(sets, rules)
    fewer = {name: values for name, values in sets.items() if not name.startswith("03")}
    state = cluster_sets("concept", fewer, rules, state)
    assert (len(state.clusters), state.next_number) == (3, 5)
    state = cluster_sets("concept", sets, rules, state)
    assert (state.placements["03-000"].cluster_id, state.next_number) == ("concept/5", 6)
    state = cluster_sets("concept", {}, rules, state)
    assert (state.clusters, state.placements, state.next_number) == ((), {}, 6)
    state = cluster_sets("concept", sets, rules, state)
    assert [one.cluster_id for one in state.clusters] == ["concept/6", "concept/7", "concept/8", "concept/9"]


def test_clusters_are_named_by_their_type() -> None:
    found = cluster_sets("field:author", planted(2, 20), RULES, None)
    assert [one.cluster_id for one in found.clusters] == ["field:author/1", "field:author/2"]
