"""Concepts in a few groups that the same documents have: who is grouped, what a group is called, and that its id stays."""

from collections.abc import Sequence
from math import isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_assets.core.clusters.categories import ConceptDocument, make_categories
from seed_assets.core.clusters.cluster_rules import CategoryRules
from seed_assets.core.clusters.clusters import Categories

RULES = CategoryRules(3)
DIMENSIONS = 8
WORDS = ("harbour", "violin", "glacier", "orchard", "turbine", "monastery", "beetle", "parliament", "pottery", "comet")
QUALITIES = ("old", "small", "northern", "modern", "broken", "famous", "local", "quiet")


def document(subject: str, number: int, concepts: Sequence[str] = (), text: str = "") -> ConceptDocument:
    """About a subject: all documents about it have its name in their texts, and two concepts built on it."""
    at = WORDS.index(subject) if subject in WORDS else len(WORDS)
    vector = 0.3 * np.random.default_rng((at, number)).normal(size=DIMENSIONS) + np.random.default_rng(at).normal(
        size=DIMENSIONS
    )
    own = (f"{QUALITIES[number % 8]} {subject}", f"{subject} keeper {'abcdefghijklmnopqrstuvwxyz'[number % 26]}")
    return ConceptDocument(
        f"{subject}-{number:03}",
        text or f"A note on the {subject}, which nobody had seen for a year before this page was written.",
        tuple(concepts) or own,
        vector.astype(np.float32),
    )


def planted(subjects: Sequence[str], each: int) -> list[ConceptDocument]:
    return [document(subject, number) for subject in subjects for number in range(each)]


def made(
    documents: Sequence[ConceptDocument], previous: Categories | None = None, rules: CategoryRules = RULES
) -> Categories:
    """The categories, of which all is checked that holds of any."""
    found = make_categories(documents, rules, previous)
    check(found, documents, rules)
    return found


def check(found: Categories, documents: Sequence[ConceptDocument], rules: CategoryRules) -> None:
    assert len(found.categories) <= isqrt(len(documents))
    placed: set[str] = set()
    for one in found.categories:
        assert len(set(one.concepts)) == len(one.concepts) >= rules.smallest
        assert placed.isdisjoint(one.concepts)
        placed |= set(one.concepts)
        members = [document for document in documents if set(document.concepts) & set(one.concepts)]
        having = [
            member for member in members if one.name in f"{member.text} | {' | '.join(member.concepts)}".casefold()
        ]
        assert len(members) >= 3
        assert 2 * len(having) > len(members), one
    assert len({one.name for one in found.categories}) == len(found.categories)
    numbers = [int(one.category_id.removeprefix("category/")) for one in found.categories]
    assert numbers == sorted(set(numbers))
    assert all(0 < number < found.next_number for number in numbers)


def names(found: Categories) -> list[str]:
    return sorted(one.name for one in found.categories)


def category_of(found: Categories, concept: str) -> str:
    return next((one.category_id for one in found.categories if concept in one.concepts), "")


@pytest.mark.parametrize("count", [3, 5, 8])
def test_what_documents_share_is_a_category_and_names_it(count: int) -> None:
    """Concepts of the same spelling were once one category, although no document had any two of them."""
    documents = planted(WORDS[:count], 10)
    found = made(documents)
    assert names(found) == sorted(WORDS[:count])
    for one in found.categories:
        assert set(one.concepts) == {
            name for d in documents if d.document_id.startswith(one.name) for name in d.concepts
        }


def test_there_are_no_more_categories_than_the_square_root_of_the_number_of_documents() -> None:
    assert len(made(planted(WORDS, 4)).categories) <= 6
    assert len(made(planted(WORDS[:5], 3)).categories) <= 3


def test_without_documents_or_concepts_there_are_no_categories() -> None:
    assert make_categories([], RULES, None) == Categories((), 1)
    bare = [ConceptDocument(str(number), "...", (), np.zeros(4, np.float32)) for number in range(20)]
    assert make_categories(bare, RULES, None) == Categories((), 1)


def test_documents_that_share_nothing_are_in_no_category() -> None:
    """Where nothing holds together, no category is better than one that is called after a date."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    apart = [
        ConceptDocument(
            f"apart-{number:02}",
            f"Of {letters[number]}{letters[number]}arn there is nothing to tell.",
            (f"{letters[number]}{letters[number]}arn", f"{letters[number]}{letters[number]}oss"),
            np.random.default_rng(number).normal(size=DIMENSIONS).astype(np.float32),
        )
        for number in range(25)
    ]
    assert made(apart).categories == ()
    found = made([*planted(WORDS[:3], 10), *apart])
    assert names(found) == sorted(WORDS[:3])
    assert not {name for d in apart for name in d.concepts} & {
        name for one in found.categories for name in one.concepts
    }


def test_all_documents_on_one_subject_are_no_category() -> None:
    """A term that all documents have says nothing about any of them."""
    assert made(planted(WORDS[:1], 30)).categories == ()


@pytest.mark.parametrize(
    "dated", ["23-dec-2016 python-version", "december", "version 3.12", "2016", "utf-8", "12-month cadence"]
)
def test_no_date_and_no_number_is_a_name(dated: str) -> None:
    documents = planted(WORDS[:3], 10)
    marked = [
        ConceptDocument(d.document_id, f"{d.text} {dated}", (dated, *d.concepts), d.vector)
        if d.document_id.startswith(WORDS[0])
        else d
        for d in documents
    ]
    found = names(made(marked))
    assert len(found) == 3
    assert dated not in found
    assert not any(map(str.isdigit, "".join(found)))


def test_a_header_block_names_nothing() -> None:
    headers = "Author: Ada Keeper\nStatus: Final\nTopic: shelving\n\n"
    documents = [
        ConceptDocument(d.document_id, headers + d.text, (*d.concepts, "shelving"), d.vector)
        if d.document_id.startswith(WORDS[0]) and d.document_id.endswith(("0", "1"))
        else ConceptDocument(d.document_id, headers + d.text, d.concepts, d.vector)
        for d in planted(WORDS[:3], 10)
    ]
    assert names(made(documents)) == sorted(WORDS[:3])


def test_a_name_is_singular_where_documents_use_it_so() -> None:
    documents = planted(WORDS[:2], 10) + [
        document("comet", number, (f"{QUALITIES[number % 8]} comets", "icy tails"), "This comet is one of many comets.")
        for number in range(10)
    ]
    assert "comet" in names(made(documents))


def test_a_phrase_can_be_a_name() -> None:
    reefs = [
        document("orchard", number, ("coral reef", f"{QUALITIES[number % 8]} divers"), "Every coral reef is alive.")
        for number in range(10)
    ]
    assert "coral reef" in names(made([*planted(WORDS[:3], 10), *reefs]))


def test_a_name_in_a_script_without_spaces_is_found_within_a_run_of_characters() -> None:
    def chinese(word: str, number: int, vector: int) -> ConceptDocument:
        drawn = np.random.default_rng(vector).normal(size=DIMENSIONS) + 0.3 * np.random.default_rng(
            (vector, number)
        ).normal(size=DIMENSIONS)
        return ConceptDocument(
            f"{word}{number}", f"我们研究{word}的历史第一章", (word, f"{word}学", f"{word}史"), drawn.astype(np.float32)
        )

    documents = [chinese(word, number, at) for at, word in enumerate(("珊瑚", "火山", "铁路")) for number in range(8)]
    assert {name[:2] for name in names(made(documents))} == {"珊瑚", "火山", "铁路"}


def test_a_concept_that_others_have_as_much_belongs_to_no_category() -> None:
    common = [
        ConceptDocument(
            d.document_id, d.text, (*d.concepts, "weather") if d.document_id[-1] in "024" else d.concepts, d.vector
        )
        for d in planted(WORDS[:4], 10)
    ]
    found = made(common)
    assert names(found) == sorted(WORDS[:4])
    assert category_of(found, "weather") == ""


def test_a_document_of_two_subjects_is_in_both_categories() -> None:
    both = document("harbour", 99, ("old harbour", "old violin", "famous violin", "famous harbour"))
    found = made([*planted(WORDS[:3], 16), both])
    of_both = {category_of(found, name) for name in both.concepts}
    assert of_both == {category_of(found, "old harbour"), category_of(found, "old violin")}
    assert len(of_both) == 2


@pytest.mark.parametrize(("smallest", "found"), [(12, True), (40, False)])
def test_no_category_has_fewer_concepts_than_allowed(smallest: int, found: bool) -> None:
    documents = planted(WORDS[:4], 10)
    assert bool(made(documents, rules=CategoryRules(smallest)).categories) == found


@pytest.mark.slow
def test_the_order_of_documents_and_concepts_changes_nothing() -> None:
    documents = planted(WORDS[:5], 12)
    found = made(documents)
    assert made(documents[::-1]) == found
    shuffled = [documents[at] for at in np.random.default_rng(0).permutation(len(documents))]
    turned = [ConceptDocument(d.document_id, d.text, d.concepts[::-1], d.vector) for d in shuffled]
    assert made(turned) == found


@pytest.mark.parametrize("by", [1e-3, 1.0, 1e6])
def test_lengths_of_vectors_do_not_matter(by: float) -> None:
    documents = planted(WORDS[:4], 10)
    scaled = [ConceptDocument(d.document_id, d.text, d.concepts, (d.vector * by).astype(np.float32)) for d in documents]
    assert made(scaled) == made(documents)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_documents_without_a_vector_are_grouped_by_their_concepts(value: float) -> None:
    documents = [
        ConceptDocument(d.document_id, d.text, ("tide", *d.concepts), np.full(DIMENSIONS, value, np.float32))
        for d in planted(WORDS[:3], 10)
    ]
    assert names(made(documents)) == sorted(WORDS[:3])


def test_two_documents_of_one_id_and_vectors_of_two_lengths_are_refused() -> None:
    documents = planted(WORDS[:2], 3)
    with pytest.raises(ValueError, match="same id"):
        make_categories([*documents, documents[0]], RULES, None)
    other = ConceptDocument("z", "z", ("z",), np.ones(3, np.float32))
    with pytest.raises(ValueError, match="same shape"):
        make_categories([*documents, other], RULES, None)


def test_the_same_again_has_the_same_ids_and_names() -> None:
    documents = planted(WORDS[:6], 10)
    before = made(documents)
    assert made(documents, before) == before


@pytest.mark.slow
def test_previous_categories_decide_only_the_ids() -> None:
    documents = planted(WORDS[:6], 10)
    before = made(planted(WORDS[2:9], 10))
    after, fresh = made(documents, before), made(documents)
    assert [(one.name, one.concepts) for one in sorted(after.categories, key=lambda one: one.name)] == [
        (one.name, one.concepts) for one in sorted(fresh.categories, key=lambda one: one.name)
    ]


def test_new_documents_join_their_category_and_ids_stay() -> None:
    before, after = made(planted(WORDS[:6], 10)), None
    after = made(planted(WORDS[:6], 12), before)
    assert {one.category_id: one.name for one in after.categories} == {
        one.category_id: one.name for one in before.categories
    }


@pytest.mark.slow
def test_a_new_category_has_a_new_number_and_one_of_a_category_that_is_gone_is_not_given_again() -> None:
    before = made(planted(WORDS[:5], 10))
    gone = next(one.category_id for one in before.categories if one.name == WORDS[0])
    after = made(planted(WORDS[1:6], 10), before)
    numbers = {one.name: one.category_id for one in after.categories}
    assert numbers[WORDS[5]] == f"category/{before.next_number}"
    again = made(planted(WORDS[:6], 10), after)
    assert {one.name: one.category_id for one in again.categories}[WORDS[0]] not in {gone, *numbers.values()}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.text("abé 1日本", max_size=6), max_size=4),
            st.text("abé 1日本\n:", max_size=40),
            st.integers(0, 3),
        ),
        max_size=30,
    ),
    st.integers(1, 4),
)
def test_any_documents_are_grouped_within_the_rules(drawn: list[tuple[list[str], str, int]], smallest: int) -> None:
    documents = [
        ConceptDocument(f"{at:02}", text, tuple(concepts), np.eye(4, dtype=np.float32)[axis])
        for at, (concepts, text, axis) in enumerate(drawn)
    ]
    found = make_categories(documents, CategoryRules(smallest), None)
    assert len(found.categories) <= isqrt(len(documents))
    assert all(len(one.concepts) >= smallest for one in found.categories)
    assert make_categories(documents, CategoryRules(smallest), found) == found
