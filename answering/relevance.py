"""How likely it is that passages answer a question, as a probability that is comparable between questions.

What belongs here: the measures of one question over its passages, and the learnt weights. What does not: finding passages
(retrieval), whose scores are comparable within one search only.

The probability is logistic in two measures of the first passage below the title of its document: the share of the question's
terms that are in it, and how near its tokens are to each token of the question. A term counts more, the fewer of all found
passages have it; one that none has counts most. The weights were learnt by `python -m benchmarks.answers` from XQuAD's questions
about every second article, each once with its passage and once after that passage was taken out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from answering.terms import language_of_words, terms
from retrieval.passage_features import StaticEmbedder
from seed_assets.core.text.unit_rows import unit_rows

_COVERED, _NEAR, _CONSTANT = 4.88, 8.87, -7.94
FOUND = 0.4
"""From this probability on, the documents are taken to answer a question. It is below .5, since the sources of an answer show
whether it is one, while nothing shows an answer that is missed. docs/benchmarks.md has both shares."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question over the passages that were found for it.

    language: of question and passages. terms: the question's distinct terms; weights: of each, 1 in all.
    passages: the terms of each passage.
    """

    language: str
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    passages: tuple[frozenset[str], ...]

    def covered(self, found: frozenset[str]) -> float:
        """Return the weighted share of the question's terms that are among these, 0 to 1."""
        return sum(weight for term, weight in zip(self.terms, self.weights, strict=True) if term in found)


def weigh(question: str, passages: Sequence[str]) -> Weighed:
    """Find the terms of a question, and how much each of them counts among the passages."""
    language = language_of_words([question, *passages])
    sought = tuple(dict.fromkeys(terms(question, language)))
    of_passages = tuple(frozenset(terms(passage, language)) for passage in passages)
    rare = [_rarity(sum(term in found for found in of_passages), len(of_passages)) for term in sought]
    total = sum(rare) or 1.0
    return Weighed(language, sought, tuple(weight / total for weight in rare), of_passages)


def _rarity(holding: int, count: int) -> float:
    return math.log1p(count / (1 + holding))


def measures(
    question: str, passages: Sequence[str], weighed: Weighed, embedder: StaticEmbedder, most: int = 1
) -> list[tuple[float, float]]:
    """Return (the share of the question's terms in it, how near its tokens are) of each of the first `most` passages.

    Each is from 0 to 1, and depends on all passages, which say how rare each term is.
    """
    chosen = passages[:most]
    nearness = _nearness(question, passages, embedder, len(chosen))
    return [(weighed.covered(found), near) for found, near in zip(weighed.passages[:most], nearness, strict=True)]


def _nearness(question: str, passages: Sequence[str], embedder: StaticEmbedder, most: int) -> list[float]:
    sought = np.unique(embedder.token_ids(question))
    of_passages = [np.unique(embedder.token_ids(passage)) for passage in passages]
    if not len(sought):
        return [0.0] * most
    holding = np.array([sum(token in found for found in map(set, of_passages)) for token in sought.tolist()])
    weights = np.log1p(len(of_passages) / (1 + holding))
    wanted = unit_rows(embedder.token_rows(sought).astype(float))
    return [_near(own, wanted, weights / weights.sum(), embedder) for own in of_passages[:most]]


def _near(
    own: NDArray[np.integer], wanted: NDArray[np.float64], weights: NDArray[np.float64], embedder: StaticEmbedder
) -> float:
    if not len(own):
        return 0.0
    cosines = unit_rows(embedder.token_rows(own).astype(float)) @ wanted.T
    return float(np.clip(cosines.max(axis=0), 0, 1) @ weights)


def probability(covered: float, near: float) -> float:
    """Return how likely it is that the passages answer the question, 0 to 1."""
    return 1 / (1 + math.exp(-(_COVERED * covered + _NEAR * near + _CONSTANT)))
