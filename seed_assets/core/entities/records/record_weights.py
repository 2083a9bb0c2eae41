"""How likely two records are one, by how far their fields agree. What belongs here: the model, and estimating it without labels.
What does not: the levels of agreement (record_values), and which pairs are compared (record_pairs).

The model is that of Fellegi and Sunter ("A theory for record linkage", 1969), estimated by expectation and maximization, with
the frequencies of values in place of one chance of agreement (Winkler, 2000). They know two kinds of pairs: of one subject, and
of two at random. Two people of one family are neither: their address and last name agree, although they are two. So there is a
third kind, *relatives*, which needs no more estimates: what relatives share agrees as for one subject, and what is personal
agrees as for two at random. They may also have one personal thing in common: twins their day of birth, a father and a son their
name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.entities.records.record_values import FAR, LEVELS, MISSING, SAME, Compared, Levels

Chances = NDArray[np.float64]

# How often a field of one subject's records has each level, and how often one of two at random, before anything is known of the
# records; and how many pairs this counts for. Chosen by judgement; what the records say soon outweighs it.
_OF_ONE, _OF_TWO = (0.0, 0.85, 0.07, 0.03, 0.05), (0.0, 0.02, 0.005, 0.02, 0.955)
_COUNTED_PAIRS = 20.0
_LEAST = 1e-12
# Any field differs at least so often in records of one subject. A personal one may not be said to differ more often than this: a
# clear difference in it remains evidence against a pair, however bad the records are. Chosen with febrl_dataset1.
_LEAST_FAR, _MOST_FAR = 0.01, 0.05
# Pairs of relatives for each pair of one subject: those without one personal thing in common, since one lives with two others on
# average, and those with one. These are rarer: one birth in forty is one of twins, and few have a parent's name. Chosen with
# generated families (tests).
_RELATIVES, _ALIKE_RELATIVES = 2.0, 0.1
# How often the names of relatives have each level at least: titles by the same authors are alike more often than two at random.
_ALIKE_NAMES = (_LEAST, _LEAST, 0.01, 0.05, _LEAST)
# One pair of two at random among so many records is of one subject; at least as in a corpus of so many records.
_LEAST_RECORDS = 1_000
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class RecordWeights:
    """The estimated model. one, two: for each field and level, how likely records of one subject and of two have it."""

    compared: Compared
    records: int
    one: Chances
    two: Chances

    def probabilities(self, levels: Levels, chances: Chances) -> Chances:
        """Return for each pair how likely it is of one subject, 0 to 1; see RecordValues.levels.

        It is 0 if something personal clearly differs and nothing unique can be compared, since all else is shared by relatives.
        """
        same, apart = self._logarithms(levels, chances)
        alike = np.isin(np.arange(levels.shape[1]), self.compared.name)
        related = np.where(alike, np.maximum(apart, np.log(_ALIKE_NAMES)[levels]) * (levels != MISSING), apart)
        one = same.sum(axis=1)
        prior = np.log(1 / (self.records + _LEAST_RECORDS))
        kinds = [one + prior, apart.sum(axis=1)]
        shareable = self.compared.shareable if len(self.compared.personal) > 1 else ()
        for shared in (None, *shareable):
            rate = _RELATIVES if shared is None else _ALIKE_RELATIVES
            own = _columns([group for group in self.compared.personal if group != shared])
            kinds.append(one - same[:, own].sum(axis=1) + related[:, own].sum(axis=1) + prior + np.log(rate))
        differs = (levels[:, _columns(self.compared.shareable)] == FAR).any(axis=1)
        is_certain = (levels[:, _columns(self.compared.unique)] != MISSING).any(axis=1)
        return np.where(differs & ~is_certain, 0.0, np.exp(kinds[0] - np.logaddexp.reduce(kinds, axis=0)))

    def _logarithms(self, levels: Levels, chances: Chances) -> tuple[Chances, Chances]:
        fields = np.arange(levels.shape[1])
        same, apart = np.log(self.one)[fields, levels], np.log(self.two)[fields, levels]
        apart = np.where(levels == SAME, np.log(chances), apart)
        known = levels != MISSING
        return same * known, apart * known


def _columns(groups: Sequence[Sequence[int]]) -> list[int]:
    return [at for group in groups for at in group]


def estimate(
    compared: Compared, records: int, candidates: Sequence[NDArray], others: Sequence[NDArray]
) -> RecordWeights:
    """Estimate the model without labels.

    records: how many there are. candidates: (levels, chances) of pairs that may be of one subject. others: the same of pairs at
    random, of which hardly one is.
    """
    fields = len(compared.names)
    two = _shares(others[0], np.ones(len(others[0])), _OF_TWO)
    weights = RecordWeights(compared, records, np.tile(np.maximum(_OF_ONE, _LEAST), (fields, 1)), two)
    levels, chances = candidates
    for _ in range(_ROUNDS):
        one = _shares(levels, weights.probabilities(levels, chances), _OF_ONE)
        one[:, FAR] = np.maximum(one[:, FAR], _LEAST_FAR)
        personal = _columns(compared.personal)
        one[personal, FAR] = np.minimum(one[personal, FAR], _MOST_FAR)
        weights = RecordWeights(compared, records, one, two)
    return weights


def _shares(levels: Levels, weights: Chances, prior: Sequence[float]) -> Chances:
    """For each field the share of each level among pairs with weights, to which those of the prior are added."""
    found = np.empty((levels.shape[1], LEVELS))
    for at in range(levels.shape[1]):
        counts = np.bincount(levels[:, at], weights, LEVELS)
        counts[MISSING] = 0
        found[at] = (counts + _COUNTED_PAIRS * np.array(prior)) / (counts.sum() + _COUNTED_PAIRS)
    return np.maximum(found, _LEAST)
