"""Which accepted results become examples. What does not belong here: finding accepted results, and the file of the selection."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from resources.models.embedder import LocalEmbedder
from seed_assets.core.examples.selection import Example
from seed_assets.core.text.mmr import choose, spread

# Both were chosen by judgement: so many of the best results are compared with each other (32 MB), and what the score of a result
# counts against its likeness to those chosen before, so that the examples cover what the documents are about.
_MOST_COMPARED, _RELEVANCE = 2_000, 0.3


class Candidate(NamedTuple):
    """An accepted result. score: how well it was judged, 0 to 1."""

    example: Example
    score: float


def frozen_examples(candidates: Sequence[Candidate], most: int, embedder: LocalEmbedder) -> list[Example]:
    """Return at most `most` examples that were judged well and differ from each other, by their documents; deterministic.

    Of documents with the same text, the first one by its name is chosen.
    """
    by_text: dict[str, Candidate] = {}
    for one in sorted(candidates, key=lambda one: (-one.score, one.example.document)):
        by_text.setdefault(one.example.text, one)
    best = list(by_text.values())[:_MOST_COMPARED]
    if not best:
        return []
    vectors = embedder.embed_sync([one.example.text for one in best])
    likeness = np.round((vectors @ vectors.T).astype(np.float64), 4)
    scores = spread(np.array([one.score for one in best], dtype=np.float64))
    costs = np.ones(len(best), dtype=np.int64)
    chosen = choose(scores, likeness, costs, budget=most, relevance=_RELEVANCE)
    return sorted((best[at].example for at in chosen), key=lambda one: one.document)
