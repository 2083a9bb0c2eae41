"""Computes ROUGE for the summary figures. What belongs here: the measure. What does not: corpora, summarizers.

ROUGE-1, ROUGE-2 and ROUGE-L are F1 scores (Lin 2004) over lower-cased runs of ASCII letters and digits. Runs of more than three
characters are stemmed (Porter 1980), and stop words are kept. The `rouge_score` package computes the same with
`use_stemmer=True`, except for its later additions to the stemmer, which change a mean by less than .002. ROUGE-L takes the whole
text as one sequence, not sentence by sentence.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import snowballstemmer

_TOKEN = re.compile(r"[a-z0-9]+")
_PORTER = snowballstemmer.stemmer("porter")


@dataclass(frozen=True, slots=True)
class Rouge:
    """The F1 scores of one comparison, each between 0 and 1."""

    rouge_1: float
    rouge_2: float
    rouge_l: float


def rouge(summary: str, reference: str) -> Rouge:
    """Return the three measures of one summary against one reference."""
    made, wanted = _tokens(summary), _tokens(reference)
    return Rouge(_ngrams(made, wanted, 1), _ngrams(made, wanted, 2), _longest_common(made, wanted))


def best_rouge(summary: str, references: Sequence[str]) -> Rouge:
    """Return each measure against the reference with the best result; `references` must not be empty."""
    scores = [rouge(summary, reference) for reference in references]
    return Rouge(
        max(score.rouge_1 for score in scores),
        max(score.rouge_2 for score in scores),
        max(score.rouge_l for score in scores),
    )


def stem(word: str) -> str:
    """Return the stem of a lower-case English word (Porter, "An algorithm for suffix stripping", Program 14(3), 1980)."""
    return _PORTER.stemWord(word)


def _tokens(text: str) -> list[str]:
    return [stem(token) if len(token) > 3 else token for token in _TOKEN.findall(text.lower())]


def _f1(common: int, made: int, wanted: int) -> float:
    return 2 * common / (made + wanted) if common else 0.0


def _ngrams(made: Sequence[str], wanted: Sequence[str], length: int) -> float:
    counts = [Counter(zip(*(tokens[i:] for i in range(length)), strict=False)) for tokens in (made, wanted)]
    return _f1((counts[0] & counts[1]).total(), counts[0].total(), counts[1].total())


def _longest_common(made: Sequence[str], wanted: Sequence[str]) -> float:
    row = np.zeros(len(wanted) + 1, dtype=np.int64)
    targets = np.array(wanted, dtype=object)
    for token in made:
        extended = np.where(targets == token, row[:-1] + 1, row[1:])
        row[1:] = np.maximum.accumulate(extended)
    return _f1(int(row[-1]), len(made), len(wanted))
