"""The means of each language in a corpus, which are subtracted so that subjects are grouped and not languages.

What belongs here: which languages have means of their own, and subtracting them. What does not: which language a text is in
(grammar.languages), and the coordinates (topic_space).

A vector of an embedder says as much about the language of a text as about its subject: of the articles of XQuAD in English,
German and Spanish, the nearest other one is the same article in .08 of all cases. Without the means of the languages it is in
.97.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from seed_assets.core.clusters.neighbours import rounded_unit_rows
from seed_assets.core.text.grammar.languages import language_of

# With fewer documents, the mean of a language would say more about their subjects than about the language; a judgement.
_FEWEST_DOCUMENTS = 8
# The part of a text by which its language is found.
_READ_CHARACTERS = 2_000

Rows = NDArray[np.float32]


class LanguageMeans(msgspec.Struct, frozen=True):
    """The means of the documents in one language.

    vectors: of their vectors, float32, shape (dimensions,).
    wording: of their wording, float32, shape (directions,).
    """

    vectors: bytes
    wording: bytes


def languages_of(texts: Sequence[str]) -> list[str]:
    """Return the code of the language of each text, "" if it is not known."""
    return [language_of(text[:_READ_CHARACTERS]) for text in texts]


def language_means(languages: Sequence[str], vectors: Rows, wording: Rows) -> dict[str, LanguageMeans]:
    """Return the means of each language that has at least eight documents; nothing if there are not two such languages.

    languages: the code of each document, n.
    vectors, wording: shapes (n, dimensions) and (n, directions).
    """
    counts = Counter(code for code in languages if code)
    frequent = sorted(code for code, count in counts.items() if count >= _FEWEST_DOCUMENTS)
    if len(frequent) < 2:
        return {}
    members = {code: np.array([language == code for language in languages]) for code in frequent}
    return {
        code: LanguageMeans(_mean(vectors[rows]).tobytes(), _mean(wording[rows]).tobytes())
        for code, rows in members.items()
    }


def means_for(languages: Sequence[str], vectors: Rows, means: Mapping[str, LanguageMeans]) -> tuple[Rows, Rows]:
    """Return the means of vectors and of wording for each document, shapes (n, dimensions) and (n, directions).

    A document of unknown language, or of one without means, gets those whose vector is nearest to its own.

    means: not empty.
    """
    codes = list(means)
    of_vectors = np.stack([np.frombuffer(means[code].vectors, np.float32) for code in codes])
    of_wording = np.stack([np.frombuffer(means[code].wording, np.float32) for code in codes])
    nearest = np.round(vectors @ rounded_unit_rows(of_vectors).T, 5).argmax(axis=1)
    places = [codes.index(code) if code in means else place for code, place in zip(languages, nearest, strict=True)]
    return of_vectors[places], of_wording[places]


def _mean(rows: Rows) -> Rows:
    return rows.mean(axis=0, dtype=np.float64).astype(np.float32)
