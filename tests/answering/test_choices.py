"""When an earlier choice of passages holds.

What belongs here: the rule, over scores and probabilities. What does not: the steps of an answer (test_asker).
"""

import pytest

from answering.answers import Passage
from answering.passages import Choice, Retrieved, choose, digest_of

# Score and probability of the passage that the answer cites, and of one that was looked at and not cited.
CITED, LOOKED_AT = (0.7, 0.6), (0.8, 0.3)


def passage(name: str, score: float) -> Passage:
    return Passage(name, name, 0, 5, "words", score=score)


def found(**passages: tuple[float, float]) -> Retrieved:
    """These passages, with their scores and probabilities, in the order of search: by score, and then by name."""
    ordered = sorted(passages.items(), key=lambda one: (-one[1][0], one[0]))
    return Retrieved(
        tuple(passage(name, score) for name, (score, _) in ordered), tuple(likely for _, (_, likely) in ordered)
    )


def holds(now: Retrieved, *cited: str, probability: float = 0.6) -> bool:
    known = tuple(digest_of(passage(name, 0.0)) for name in ("cited", "looked_at"))
    before = Choice(known, tuple(digest_of(passage(name, 0.0)) for name in cited), known, probability)
    return choose(now, 2, before) is before


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ((0.9, 0.6), False),  # ranks first, and is as likely
        ((0.9, 0.59), True),  # less likely than the cited one
        ((0.79, 0.9), True),  # ranks behind one that was looked at
        ((0.9, 0.9), False),
    ],
)
def test_only_a_better_source_replaces_those_that_an_answer_cites(new: tuple[float, float], expected: bool) -> None:
    """One of 200 answers was paid for again for a passage about something else that was nearly as likely to answer."""
    assert holds(found(cited=CITED, looked_at=LOOKED_AT, new=new), "cited") is expected


def test_a_passage_that_is_unlikely_to_answer_replaces_none() -> None:
    assert holds(found(cited=(0.7, 0.1), looked_at=LOOKED_AT, new=(0.9, 0.39)), "cited")
    assert not holds(found(cited=(0.7, 0.1), looked_at=LOOKED_AT, new=(0.9, 0.4)), "cited")


def test_a_copy_of_a_cited_passage_replaces_none() -> None:
    """Copies have equal scores, and one is first by its name alone."""
    assert holds(found(cited=CITED, a_copy=CITED), "cited")
    assert choose(found(cited=CITED, a_copy=CITED), 2, None).chosen[0] == digest_of(passage("a_copy", 0.0))


def test_a_choice_does_not_hold_without_a_passage_that_the_answer_cites() -> None:
    assert not holds(found(looked_at=LOOKED_AT), "cited")
    assert not holds(found(), "cited")
    assert holds(found(cited=CITED), "cited")


@pytest.mark.parametrize(
    ("new", "before", "expected"),
    [
        ((0.9, 0.39), 0.1, True),  # not likely to answer
        ((0.9, 0.4), 0.1, False),
        ((0.9, 0.49), 0.4, True),  # hardly likelier than what was found then
        ((0.9, 0.51), 0.4, False),
        ((0.79, 0.9), 0.1, True),  # ranks behind what does not say
    ],
)
def test_the_documents_do_not_say_until_the_best_passage_is_likely_to(
    new: tuple[float, float], before: float, expected: bool
) -> None:
    assert holds(found(looked_at=LOOKED_AT, new=new), probability=before) is expected


def test_that_there_is_nothing_holds_until_there_is_something() -> None:
    nothing = Choice((), (), (), 0.0)
    assert choose(found(), 2, nothing) is nothing
    assert choose(found(new=(0.1, 0.5)), 2, nothing) is not nothing
