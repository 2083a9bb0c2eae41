"""What a search finds: passages, the parts of their scores, and passages that are nearly the same.

What belongs here: the types. What does not: finding and ranking passages (search), and how they are shown (seed_assets.reports).
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class ScoreParts(NamedTuple):
    """What each comparison adds to the score of a passage; see ranking. Each part is at most the weight of its comparison."""

    text: float = 0.0
    vector: float = 0.0
    sentence: float = 0.0
    token: float = 0.0


@dataclass(frozen=True, slots=True)
class AlikePassage:
    """A passage that says nearly the same as a hit. Its fields are those of SearchHit."""

    document: str
    chunk: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One chunk that was found."""

    document: str
    """The id of the document."""
    chunk: int
    """The position of the chunk in its document, from 0."""
    score: float
    """From 0 to 1; comparable only within one search."""
    text: str
    """The document's extracted text from `start` to `end`."""
    start: int
    """The offset of the first character in the document's extracted text."""
    end: int
    """The offset after the last character."""
    title: str
    """The title of the document."""
    header: str = ""
    """The header row and the rule of the table inside which the chunk begins; "" if it begins inside of none."""
    parts: ScoreParts = field(default=ScoreParts(), compare=False)
    """What the score consists of."""
    alike: tuple[AlikePassage, ...] = ()
    """Passages that say nearly the same and were found with a score that is not higher, best first; only if they are folded."""
