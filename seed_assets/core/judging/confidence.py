"""What the signals of a claim say about it. What belongs here: two logistic regressions over signals, with their weights. What
does not: taking the signals (signals), learning the weights (benchmarks/judge_weights.py), and decisions (judging).

The weights and intercepts were learnt by `python -m benchmarks.judge_weights`. Those of FAITHFUL come from what people said of
600 summaries of news by two models (CLIFF). Those of ALTERED come from sentences of the faithful ones among them and of
abstracts of PEPs, left as they were, rephrased without a change of meaning, or with one fact changed. docs/benchmarks.md
(Judges) says how the judge performs on texts from which nothing was learnt.
"""

import math
from collections.abc import Mapping

from seed_assets.core.judging.signals import COPIED, Signals

FAITHFUL: Mapping[str, float] = {
    "copied": 0.220,
    "trigrams": 0.217,
    "longest": 0.225,
    "density": 0.207,
    "likeness": 0.507,
    "meaning": 0.403,
    "novel": -0.615,
    "numbers": -0.410,
    "names": -0.122,
    "": -0.511,
}
ALTERED: Mapping[str, float] = {
    "numbers": -1.514,
    "names": -1.346,
    "opposed": -2.423,
    "edited": -1.138,
    "negated": -2.061,
    "prefixed": -1.085,
    "parity": -1.698,
    "exchanged": -1.231,
    "exchanged_within": -0.576,
    "": 1.338,
}
"""The weights by signal; the intercept is under "". Positive weights are for a claim, negative ones against it."""

# A claim counts as altered if it is more likely altered than not, when both are equally frequent.
_ALTERED_BELOW = 0.5
# Below this probability of being unaltered, the confidence is reduced in proportion; chosen by judgement.
_DOUBTED_BELOW = 0.2
_DECIMALS = 4


def is_altered(signals: Signals) -> bool:
    """Whether a claim looks like one of the sources with a fact changed."""
    return _probability(ALTERED, signals) < _ALTERED_BELOW


def confidence(signals: Signals) -> float:
    """Return how likely a claim is to be faithful to its sources, 0 to 1, rounded."""
    doubted = min(1.0, _probability(ALTERED, signals) / _DOUBTED_BELOW)
    return round(_probability(FAITHFUL, signals) * doubted, _DECIMALS)


def mean_confidence(confidences: list[float], copied: int) -> float | None:
    """Return the confidence in a text: the mean over its claims. None if all of them are copied.

    confidences: those of the claims that are not copied. copied: the number of the others.
    """
    if not confidences:
        return None
    return round((sum(confidences) + copied * confidence(COPIED)) / (len(confidences) + copied), _DECIMALS)


def _probability(weights: Mapping[str, float], signals: Signals) -> float:
    total = sum(weight * (getattr(signals, name) if name else 1.0) for name, weight in weights.items())
    return 1 / (1 + math.exp(-total))
