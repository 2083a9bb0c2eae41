"""Concepts in groups of like meaning: who is grouped, what a group is called, and that its id stays."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seed_assets.core.clusters.categories import make_categories
from seed_assets.core.clusters.clustering import ClusterRules
from seed_assets.core.clusters.clusters import Categories

RULES = ClusterRules(3, 0)
DIMENSIONS = 16
# So many concepts form groups; all beyond them only join.
FORMING = 20_000


class Meanings:
    """Vectors of concepts, which are named `<group>-<number>`: those of a group are alike. Counts what was asked for."""

    def __init__(self, noise: float = 0.1) -> None:
        self.noise = noise
        self.asked: list[str] = []
        self.most = 0

    def __call__(self, names: Sequence[str]) -> NDArray[np.float32]:
        self.asked += names
        self.most = max(self.most, len(names))
        return np.stack([self.vector(*map(int, name.split("-"))) for name in names]).astype(np.float32)

    def vector(self, group: int, number: int) -> NDArray[np.float64]:
        """Every fiftieth concept of a group means the same, so that 20,000 of them are soon compared."""
        drawn = np.random.default_rng((group, number % 50)).normal(size=DIMENSIONS)
        return self.noise * drawn + np.random.default_rng(group).normal(size=DIMENSIONS)


class RememberedMeanings(Meanings):
    """Draws each vector once, for tests with many concepts."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: dict[tuple[int, int], NDArray[np.float64]] = {}

    def vector(self, group: int, number: int) -> NDArray[np.float64]:
        key = (group, number % 50)
        if key not in self.drawn:
            self.drawn[key] = super().vector(group, number)
        return self.drawn[key]


def planted(groups: Sequence[int], each: int, documents: int = 1) -> dict[str, int]:
    return {f"{group}-{number}": documents for group in groups for number in range(each)}


def made(concepts: Mapping[str, int], previous: Categories | None = None, rules: ClusterRules = RULES) -> Categories:
    """The categories, of which all is checked that holds of any."""
    found = make_categories(concepts, Meanings(), rules, previous)
    check(found, concepts, rules)
    return found


def check(found: Categories, concepts: Mapping[str, int], rules: ClusterRules) -> None:
    placed: set[str] = set()
    for one in found.categories:
        assert one.name in one.concepts
        assert list(one.concepts) == sorted(set(one.concepts))
        assert rules.min_size <= len(one.concepts) <= (rules.max_size or len(concepts))
        assert placed.isdisjoint(one.concepts)
        placed |= set(one.concepts)
    assert placed <= concepts.keys()
    numbers = [int(one.category_id.removeprefix("category/")) for one in found.categories]
    assert numbers == sorted(set(numbers))
    assert all(0 < number < found.next_number for number in numbers)


def members(found: Categories) -> dict[str, frozenset[str]]:
    return {one.category_id: frozenset(one.concepts) for one in found.categories}


def category_of(found: Categories, concept: str) -> str:
    return next((one.category_id for one in found.categories if concept in one.concepts), "")


@pytest.mark.slow
@pytest.mark.parametrize("groups", [3, 6, 20])
def test_planted_groups_are_found(groups: int) -> None:
    found = made(planted(range(groups), 15))
    assert set(members(found).values()) == {
        frozenset(f"{group}-{number}" for number in range(15)) for group in range(groups)
    }
    assert found.next_number == groups + 1


def test_without_concepts_there_are_no_categories_and_nothing_is_embedded() -> None:
    meanings = Meanings()
    assert make_categories({}, meanings, RULES, None) == Categories((), 1)
    assert meanings.asked == []


def test_numbers_go_on_after_there_was_nothing() -> None:
    before = made(planted(range(3), 10))
    empty = made({}, before)
    assert empty == Categories((), 4)
    assert members(made(planted(range(3), 10), empty)).keys() == {"category/4", "category/5", "category/6"}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_concepts_is_grouped_where_so_few_may_be(count: int) -> None:
    concepts = planted([0], count)
    alone = made(concepts, rules=ClusterRules(1, 0))
    assert {concept for one in alone.categories for concept in one.concepts} == concepts.keys()
    assert made(concepts, rules=ClusterRules(count + 1, 0)).categories == ()


@pytest.mark.parametrize(("smallest", "found"), [(1, True), (10, True), (11, False)])
def test_no_category_is_smaller_than_allowed(smallest: int, found: bool) -> None:
    assert bool(made(planted(range(4), 10), rules=ClusterRules(smallest, 0)).categories) == found


def test_no_category_is_larger_than_allowed() -> None:
    found = made(planted(range(3), 40), rules=ClusterRules(3, 15))
    assert len(found.categories) >= 9
    for one in found.categories:
        assert len({concept.split("-")[0] for concept in one.concepts}) == 1


def test_all_concepts_of_the_same_meaning_are_one_category() -> None:
    found = make_categories(planted([0], 30, 2), lambda names: np.ones((len(names), 4), np.float32), RULES, None)
    assert [len(one.concepts) for one in found.categories] == [30]


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_concepts_without_meaning_are_in_no_category(value: float) -> None:
    def embed(names: Sequence[str]) -> NDArray[np.float32]:
        vectors = Meanings()(names)
        vectors[[name.startswith("9-") for name in names]] = value
        return vectors

    found = make_categories(planted([0, 1, 2, 9], 10), embed, RULES, None)
    assert set(members(found).values()) == set(members(made(planted(range(3), 10))).values())


@pytest.mark.parametrize("count", [0, -1])
def test_a_concept_of_no_document_is_refused(count: int) -> None:
    meanings = Meanings()
    with pytest.raises(ValueError, match="at least one document"):
        make_categories(planted(range(2), 5) | {"1-9": count}, meanings, RULES, None)
    assert meanings.asked == []


@pytest.mark.slow
def test_each_concept_is_embedded_once_and_not_too_many_in_a_call() -> None:
    meanings = RememberedMeanings()
    concepts = planted(range(10), 2_500)
    make_categories(concepts, meanings, RULES, None)
    assert sorted(meanings.asked) == sorted(concepts)
    assert meanings.most <= 8_192


@pytest.mark.parametrize("by", [1e-3, 1.0, 1e6])
def test_lengths_of_vectors_do_not_matter(by: float) -> None:
    concepts = planted(range(5), 12)
    found = make_categories(concepts, lambda names: (Meanings()(names) * by).astype(np.float32), RULES, None)
    assert found == made(concepts)


@pytest.mark.slow
def test_order_of_concepts_and_repetition_change_nothing() -> None:
    concepts = {name: 1 + at % 7 for at, name in enumerate(planted(range(8), 15))}
    found = made(concepts)
    assert made(concepts) == found
    assert made(dict(reversed(concepts.items()))) == found
    names = [sorted(concepts)[at] for at in np.random.default_rng(0).permutation(len(concepts))]
    assert made({name: concepts[name] for name in names}) == found


def test_a_category_is_named_by_its_most_central_concept() -> None:
    """Others are the farther from the middle the greater their number."""

    def embed(names: Sequence[str]) -> NDArray[np.float32]:
        rows: list[list[float]] = []
        for name in names:
            group, number = map(int, name.split("-"))
            row = [0.0] * 8
            row[group] = 1.0
            row[4 + number % 2] = 0.2 * ((number + 1) // 2) * (-1.0 if number % 4 > 1 else 1.0)
            rows.append(row)
        return np.array(rows, np.float32)

    found = make_categories(planted(range(3), 7), embed, RULES, None)
    assert sorted(one.name for one in found.categories) == ["0-0", "1-0", "2-0"]


def test_the_most_frequent_of_equally_central_concepts_names_the_category() -> None:
    concepts = planted(range(3), 10) | {"0-7": 5, "1-3": 5, "2-9": 5}
    found = make_categories(concepts, Meanings(noise=0.001), RULES, None)
    assert sorted(one.name for one in found.categories) == ["0-7", "1-3", "2-9"]


def test_the_same_again_has_the_same_ids_and_names() -> None:
    before = made(planted(range(8), 15))
    assert made(planted(range(8), 15), before) == before


@pytest.mark.slow
def test_new_concepts_join_their_category_and_ids_stay() -> None:
    before = made(planted(range(8), 15))
    after = made(planted(range(8), 20), before)
    assert members(after).keys() == members(before).keys()
    assert all(held < members(after)[name] for name, held in members(before).items())


def test_a_new_category_has_a_new_number() -> None:
    before = made(planted(range(1, 6), 15))
    after = made(planted(range(6), 15), before)
    assert members(before).items() <= members(after).items()
    assert (category_of(after, "0-0"), after.next_number) == ("category/6", 7)


@pytest.mark.slow
def test_numbers_of_vanished_categories_are_not_given_again() -> None:
    before = made(planted(range(5), 15))
    gone = category_of(before, "4-0")
    without = made(planted(range(4), 15), before)
    assert (len(without.categories), without.next_number) == (4, 6)
    other = made(planted([0, 1, 2, 3, 5], 15), without)
    assert category_of(other, "5-0") == "category/6"
    again = made(planted(range(6), 15), other)
    assert category_of(again, "4-0") == "category/7" != gone


@pytest.mark.slow
def test_a_category_that_lost_most_of_its_concepts_is_another() -> None:
    before = made(planted(range(4), 20))
    mostly = {name: 1 for name in planted(range(4), 20) if not name.startswith("2-") or int(name[2:]) < 6}
    few = {name: 1 for name in planted(range(4), 20) if not name.startswith("2-") or int(name[2:]) < 4}
    assert category_of(made(mostly, before), "2-0") == category_of(before, "2-0")
    assert category_of(made(few, before), "2-0") == "category/5"


@pytest.fixture(scope="module")
def joined() -> tuple[Categories, Categories]:
    """Made of 20,000 concepts, and of 2,000 more which are in fewer documents."""
    forming = planted(range(10), FORMING // 10, documents=3)
    joining = {f"{group}-{number}": 1 for group in range(10) for number in range(5_000, 5_100)}
    joining |= {f"{group}-{number}": 2 for group in range(20, 30) for number in range(100)}
    meanings = RememberedMeanings()
    before = make_categories(forming, meanings, RULES, None)
    after = make_categories(forming | joining, meanings, RULES, before)
    assert sorted(meanings.asked) == sorted([*forming, *forming, *joining])
    check(after, forming | joining, RULES)
    return before, after


@pytest.mark.slow
def test_rare_concepts_join_the_category_that_they_are_near_to_the_middle_of(
    joined: tuple[Categories, Categories],
) -> None:
    """About three quarters of the concepts that mean the same as the members are near enough to join them."""
    before, after = members(joined[0]), members(joined[1])
    assert before.keys() == after.keys()
    for name, held in after.items():
        new = held - before[name]
        assert before[name] <= held
        assert {one.split("-")[0] for one in held} == {one.split("-")[0] for one in before[name]}
        assert 60 <= len(new) <= 90


def test_rare_concepts_form_no_category_and_change_no_name(joined: tuple[Categories, Categories]) -> None:
    before, after = joined
    assert after.next_number == before.next_number
    assert [one.name for one in after.categories] == [one.name for one in before.categories]
    assert not any(
        one.startswith("2") and len(one.split("-")[0]) == 2 for held in members(after).values() for one in held
    )


def on_a_grid(names: Sequence[str]) -> NDArray[np.float32]:
    """Many are the same, some are nothing."""
    return np.array([[len(name) % 3, name.count("a"), name.count("b") - 1] for name in names], np.float32)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.text("abé ", max_size=5), st.integers(1, 9), max_size=30),
    st.dictionaries(st.text("abé ", max_size=5), st.integers(1, 9), max_size=30),
    st.integers(1, 4),
    st.integers(0, 6),
)
def test_any_concepts_are_grouped_within_the_rules(
    first: dict[str, int], second: dict[str, int], smallest: int, room: int
) -> None:
    rules = ClusterRules(smallest, smallest + room if room else 0)
    before = make_categories(first, on_a_grid, rules, None)
    check(before, first, rules)
    assert make_categories(first, on_a_grid, rules, before) == before
    after = make_categories(second, on_a_grid, rules, before)
    check(after, second, rules)
    assert after.next_number >= before.next_number
