"""Learns the weights of the offline judge (seed_assets/core/judging/confidence.py), and prints them.

What belongs here: the two regressions. What does not: the sets (judge_sets), and how good the judge is (judge_figures).

FAITHFUL: the signals of a summary are the means over its claims, and what is learnt is whether people found it faithful. Each
part of the set has an intercept of its own, so that what distinguishes the parts is not learnt; both classes weigh the same in
each part. The weights are shrunk strongly, since the signals of copied wording say nearly the same. Then the scale and the
intercept are learnt alone, so that the confidence is a probability where both classes are equally frequent.

ALTERED: claims of faithful summaries and of abstracts of PEPs, unchanged or rephrased, against the same with one fact changed;
both classes weigh the same.

Run: python -m benchmarks.judge_weights --sets DIR --wordnet /usr/share/wordnet [--corpora DIR]
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.antonyms import Antonyms
from benchmarks.corpora import find_corpora
from benchmarks.judge_sets import RatedSummary, cliff, edited_claims
from benchmarks.judging import pep_abstracts
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.judging.claims import claims_of
from seed_assets.core.judging.copies import CopiedTexts
from seed_assets.core.judging.judging import SimilarityJudge
from seed_assets.core.judging.signals import COPIED, Signals
from seed_assets.core.judging.verdicts import SourceText

FAITHFUL_SIGNALS = ["copied", "trigrams", "longest", "density", "likeness", "meaning", "novel", "numbers", "names"]
ALTERED_SIGNALS = [
    "numbers",
    "names",
    "opposed",
    "edited",
    "negated",
    "prefixed",
    "parity",
    "exchanged",
    "exchanged_within",
]
# The strength of shrinking (C of scikit-learn); the rest of the module was fixed before it was measured on QAGS.
_FAITHFUL_C, _ALTERED_C = 0.01, 0.1
# Intercepts of the parts are hardly shrunk.
_PART_SCALE = 3.0
_SEED = 20261130
_Rows = NDArray[np.float64]


def main() -> None:
    """Learn, and print the weights as they stand in the code."""
    parser = argparse.ArgumentParser(description="Learns the weights of the judge without a model.")
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--wordnet", type=Path, required=True)
    parser.add_argument("--corpora", type=Path)
    arguments = parser.parse_args()
    summaries = list(cliff(arguments.sets))
    judge = SimilarityJudge(WordLlamaEmbedder())
    _show("FAITHFUL", FAITHFUL_SIGNALS, learn_faithful(judge, summaries))
    bodies, abstracts = pep_abstracts(find_corpora(arguments.corpora) / "peps")
    texts = [(one.source, one.text) for one in summaries if one.is_faithful]
    texts += [(bodies[one.source], one.text) for one in abstracts]
    _show("ALTERED", ALTERED_SIGNALS, learn_altered(judge, texts, Antonyms(arguments.wordnet)))


def learn_faithful(judge: SimilarityJudge, summaries: Sequence[RatedSummary]) -> _Rows:
    """Return the weights of FAITHFUL_SIGNALS, then the intercept."""
    sources: dict[str, list[str]] = defaultdict(list)
    for one in summaries:
        sources[one.source].extend(claims_of(one.text))
    taken = {
        source: dict(zip(claims, signals_of_claims(judge, claims, source), strict=True))
        for source, claims in sources.items()
    }
    means = [[taken[one.source][claim] for claim in claims_of(one.text)] for one in summaries]
    rows = np.array([_values(signals, FAITHFUL_SIGNALS).mean(axis=0) for signals in means])
    right = np.array([one.is_faithful for one in summaries])
    parts = np.array([[one.part == part for part in sorted({one.part for one in summaries})] for one in summaries])
    shares = np.zeros(len(rows))
    for part in parts.T:
        for kind in (right, ~right):
            shares[part & kind] = part.sum() / 2 / (part & kind).sum()
    centre, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    spread = np.hstack([(rows - centre) / scale, _PART_SCALE * parts])
    weights = _fit(spread, right, shares, _FAITHFUL_C)[: len(FAITHFUL_SIGNALS)] / scale
    stretched = _fit(rows @ weights[:, None], right, shares, np.inf)
    return np.append(weights * stretched[0], stretched[1])


def learn_altered(judge: SimilarityJudge, texts: Iterable[tuple[str, str]], antonyms: Antonyms) -> _Rows:
    """Return the weights of ALTERED_SIGNALS, then the intercept."""
    claims: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for one in edited_claims(texts, antonyms, random.Random(_SEED)):
        claims[one.source].append((one.text, one.is_right))
    rows = np.vstack(
        [
            _values(signals_of_claims(judge, [text for text, _ in some], source), ALTERED_SIGNALS)
            for source, some in claims.items()
        ]
    )
    right = np.array([is_right for some in claims.values() for _, is_right in some])
    shares = np.where(right, 1 / right.sum(), 1 / (~right).sum()) * len(right) / 2
    scale = rows.std(axis=0) + 1e-9
    found = _fit(rows / scale, right, shares, _ALTERED_C)
    return np.append(found[:-1] / scale, found[-1])


def signals_of_claims(judge: SimilarityJudge, claims: Sequence[str], source: str) -> list[Signals]:
    """Return the signals of each claim, also of those that are copied."""
    sources = [SourceText("", "", source)]
    copies = CopiedTexts(sources)
    others = [claim for claim in claims if copies.passage(claim) is None]
    taken = dict(zip(others, judge.signals(others, sources), strict=True))
    return [taken.get(claim, COPIED) for claim in claims]


def _values(signals: Sequence[Signals], names: Sequence[str]) -> _Rows:
    return np.array([[getattr(one, name) for name in names] for one in signals], dtype=float)


def _fit(rows: _Rows, right: NDArray[np.bool_], shares: _Rows, strength: float) -> _Rows:
    found = LogisticRegression(C=strength, max_iter=5000).fit(rows, right, sample_weight=shares)
    return np.append(found.coef_[0], found.intercept_[0])


def _show(name: str, signals: Sequence[str], weights: _Rows) -> None:
    print(f"{name}: Mapping[str, float] = {{")
    for signal, weight in zip([*signals, ""], weights.tolist(), strict=True):
        print(f'    "{signal}": {weight:.3f},')
    print("}")


if __name__ == "__main__":
    main()
