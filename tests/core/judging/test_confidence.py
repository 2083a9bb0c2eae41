"""The confidence of the judge without a model: what raises and what lowers it, and opposites in near copies."""

from dataclasses import fields, replace

import pytest

from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.judging.confidence import ALTERED, FAITHFUL, confidence, is_altered, mean_confidence
from seed_assets.core.judging.judging import SimilarityJudge
from seed_assets.core.judging.signals import COPIED, Signals
from seed_assets.core.judging.verdicts import SourceText

JUDGE = SimilarityJudge(WordLlamaEmbedder())
SOURCE = """The trial of the new vaccine was successful, and the number of infections decreased in all regions last winter.
The minister refused to close the northern harbour before the election. The experiment was conducted by an experienced team.
The hospital is legally required to publish its figures, and most patients were careful during the second wave.
"""


def test_every_weight_is_that_of_a_signal() -> None:
    names = {field.name for field in fields(Signals)} | {""}
    assert FAITHFUL.keys() <= names
    assert ALTERED.keys() <= names


def test_the_confidence_falls_with_every_doubt_and_rises_with_what_is_copied() -> None:
    plain = replace(COPIED, copied=0.0, trigrams=0.5, longest=0.4, density=0.2)
    assert confidence(COPIED) > confidence(plain)
    for doubt in ("numbers", "names", "novel"):
        assert confidence(replace(plain, **{doubt: 1.0})) < confidence(plain)
    assert is_altered(replace(plain, numbers=1.0))
    assert not is_altered(plain)


def test_a_text_has_the_mean_confidence_of_its_claims_and_none_if_all_are_copied() -> None:
    assert mean_confidence([], 3) is None
    assert mean_confidence([0.2, 0.4], 0) == pytest.approx(0.3)
    assert mean_confidence([0.2], 1) == pytest.approx((0.2 + confidence(COPIED)) / 2)


@pytest.mark.parametrize(
    "claim",
    [
        "The trial of the new vaccine was unsuccessful, and the number of infections decreased in all regions last winter.",
        "The trial of the new vaccine was successful, and the number of infections increased in all regions last winter.",
        "The minister agreed to close the northern harbour before the election.",
        "The minister refused to close the southern harbour before the election.",
        "The minister refused to close the northern harbour after the election.",
        "The minister refused to open the northern harbour before the election.",
        "The experiment was conducted by an inexperienced team.",
        "The hospital is illegally required to publish its figures.",
        "Most patients were careless during the second wave.",
    ],
)
def test_an_opposite_in_a_near_copy_is_not_supported(claim: str) -> None:
    """Most words that were exchanged for their opposites were accepted."""
    (judged,) = JUDGE.judge_sync(claim, (), [SourceText("", "", SOURCE)]).claims
    assert judged.status in ("contradicted", "not found")


@pytest.mark.parametrize(
    "claim",
    [
        "The new vaccine's trial was successful.",
        "The experienced team conducted the experiment.",
        "Infections decreased in all regions during the last winter.",
        "The hospital has to publish its figures, as it is legally required.",
    ],
)
def test_the_same_in_other_words_is_supported(claim: str) -> None:
    """A judge that doubts everything would pass the test above."""
    (judged,) = JUDGE.judge_sync(claim, (), [SourceText("", "", SOURCE)]).claims
    assert judged.status == "supported"
