"""What the offline judge measures of a claim. What belongs here: the measures, and how they are taken. What does not: what they
say about the claim (confidence), and the decision (judging).
"""

from dataclasses import dataclass

from seed_assets.core.judging.copied_wording import CopiedWording
from seed_assets.core.judging.evidence import ClaimEvidence


@dataclass(frozen=True, slots=True)
class Signals:
    """Measures of a claim, each from 0 to 1 unless a line says otherwise.

    copied: 1 if the claim is copied as a whole, sentence by sentence.
    trigrams, longest, density: how much of its wording is copied; see CopiedWording.
    likeness, meaning, novel: how similar the sources are to it; see ClaimEvidence.
    numbers, names: how many of its numbers and names are not in their place, 0 to 2.
    opposed, edited, negated, prefixed: see ClaimEvidence.
    parity: 1 if a negation is added or left out between words that are together in a source.
    exchanged: the share of copied pairs of words, if a word was exchanged beside copied ones; 0 otherwise.
    exchanged_within: 1 if a word was exchanged with copied words on both sides.
    """

    copied: float = 0.0
    trigrams: float = 0.0
    longest: float = 0.0
    density: float = 0.0
    likeness: float = 0.0
    meaning: float = 0.0
    novel: float = 0.0
    numbers: float = 0.0
    names: float = 0.0
    opposed: float = 0.0
    edited: float = 0.0
    negated: float = 0.0
    prefixed: float = 0.0
    parity: float = 0.0
    exchanged: float = 0.0
    exchanged_within: float = 0.0


COPIED = Signals(copied=1.0, trigrams=1.0, longest=1.0, density=1.0, likeness=1.0, meaning=1.0)
"""The signals of a claim that is copied as a whole."""

# More misplaced details do not make a claim worse; chosen by judgement.
_MOST_DETAILS = 2


def signals_of(evidence: ClaimEvidence, wording: CopiedWording) -> Signals:
    """Return the signals of a claim that is not copied as a whole."""
    return Signals(
        trigrams=wording.trigrams,
        longest=wording.longest,
        density=wording.density,
        likeness=evidence.likeness,
        meaning=evidence.meaning,
        novel=evidence.novel,
        numbers=min(_MOST_DETAILS, evidence.numbers),
        names=min(_MOST_DETAILS, evidence.names),
        opposed=evidence.opposed,
        edited=float(evidence.edited),
        negated=float(evidence.negated),
        prefixed=float(evidence.prefixed),
        parity=float(wording.negated),
        exchanged=wording.bigrams if wording.exchanged else 0.0,
        exchanged_within=float(wording.exchanged_within),
    )
