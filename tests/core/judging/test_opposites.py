"""Words of opposite meaning: their forms, prefixes, and where a source has the opposite of a claim's word."""

import pytest

from seed_assets.core.judging.copied_wording import copied_wording
from seed_assets.core.judging.opposites import forms_of, is_negated_word, opposites_of
from seed_assets.core.judging.opposition import SourceWords


@pytest.mark.parametrize(
    ("word", "opposite"),
    [
        ("increased", "decrease"),
        ("stopping", "start"),
        ("successful", "unsuccessful"),
        ("unsuccessful", "successful"),
        ("illegal", "legal"),
        ("careless", "careful"),
        ("hopeful", "hopeless"),
        ("unmöglich", "möglich"),
        ("impossible", "possible"),
        ("desconocido", "conocido"),
        ("augmenté", "diminué"),
        ("gestiegen", "gesunken"),
    ],
)
def test_an_opposite_is_found_by_list_prefix_or_ending(word: str, opposite: str) -> None:
    """A word that is exchanged for its opposite turns a statement round, and most such exchanges were accepted."""
    assert opposite in opposites_of(word, {opposite})
    assert opposites_of(word, {word, "lighthouse"}) == set()


@pytest.mark.parametrize("word", ["under", "uncle", "into", "union", "discus", "lighthouse"])
def test_a_word_that_only_begins_like_a_negated_one_has_no_opposite_in_a_text(word: str) -> None:
    assert opposites_of(word, {"der", "cle", "to", "ion", "cus", "house"}) == set()


def test_forms_of_a_word_lead_to_the_word_in_the_list() -> None:
    assert {"stop", "stopp"} <= set(forms_of("stopped"))
    assert "deny" in forms_of("denies")
    assert is_negated_word("unsuccessful")
    assert not is_negated_word("uncle")


def test_the_sentences_of_both_words_are_found_and_a_claim_with_both_is_let_be() -> None:
    words = SourceWords([["exports", "increased"], ["imports", "fell"], ["exports", "decreased"]])
    found = {word: (own, others) for word, own, others in words.opposites_in("Exports decreased")}
    assert found["decreased"] == ([2], [0])
    assert list(words.opposites_in("Some increased and some decreased, imports and exports, and none fell.")) == []
    assert words.unknown_negated("It was unsuccessful") == "unsuccessful"


SOURCE = "The old mill was built of grey stone in the valley. The miller is not allowed to sell flour there."


@pytest.mark.parametrize(
    ("claim", "exchanged", "negated"),
    [
        ("The old mill was built of grey stone", False, False),
        ("The old mill was built of red stone in the valley.", True, False),
        ("The miller is allowed to sell flour there.", False, True),
        ("The old mill was not built of grey stone.", False, True),
        ("Somebody made a house from rocks.", False, False),
    ],
)
def test_what_was_changed_in_a_copied_piece_is_found(claim: str, exchanged: bool, negated: bool) -> None:
    found = copied_wording([claim], [SOURCE])[claim]
    assert (found.exchanged_within, found.negated) == (exchanged, negated)


def test_a_copy_has_full_shares_and_a_foreign_claim_none() -> None:
    copy, foreign = "The old mill was built of grey stone", "Penguins breed on ice"
    found = copied_wording([copy, foreign], ["Another text.", SOURCE])
    assert (found[copy].trigrams, found[copy].longest, found[copy].density) == (1.0, 1.0, 1.0)
    assert (found[foreign].trigrams, found[foreign].longest, found[foreign].density) == (0.0, 0.0, 0.0)
