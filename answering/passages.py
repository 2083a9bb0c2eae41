"""The passages of one question, as they are kept, and which of them an answer is made from.

What belongs here: what identifies a passage, and when an earlier choice of passages still holds. What does not: finding them
(retrieval), and keeping them (asker).
"""

import hashlib
from collections.abc import Sequence

import msgspec

from answering.answers import Passage
from answering.relevance import FOUND

POOL = 24
"""How many passages are looked at for a question. An answer is made from the first of them; the others are those of which it is
known that they were looked at and left out. The number was chosen by judgement."""

# That the documents do not say holds until the probability that they do has risen by this, to FOUND at least (a judgement).
_NO_LIKELIER = 0.1


class Retrieved(msgspec.Struct, frozen=True):
    """The passages that were found for a question, best first.

    probabilities: how likely it is that each of them answers it, 0 to 1.
    """

    passages: tuple[Passage, ...]
    probabilities: tuple[float, ...]

    @property
    def probability(self) -> float:
        """How likely it is that the documents answer the question: that of the best passage."""
        return self.probabilities[0] if self.probabilities else 0.0


class Choice(msgspec.Struct, frozen=True, array_like=True):
    """Which passages an answer was made from.

    chosen: their digests, in the order in which the answerer gets them. cited: those that the answer cites; none if the documents
    did not say. known: the digests of all that were found then. probability: that these answer the question.
    """

    chosen: tuple[str, ...]
    cited: tuple[str, ...]
    known: tuple[str, ...]
    probability: float


def digest_of(passage: Passage) -> str:
    """Return a digest of what an answerer sees of a passage, and of the document that it is from.

    Its place is not in it: a passage that has only moved inside of its document gives the same answer.
    """
    seen = "\0".join((passage.document, passage.title, passage.header, passage.text))
    return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def lacks_cited(found: Retrieved, before: Choice) -> bool:
    """Whether a passage that an earlier answer cites is not among those that were found."""
    return not set(before.cited) <= {digest_of(passage) for passage in found.passages}


def with_cited(found: Retrieved, others: Retrieved, before: Choice) -> Retrieved:
    """Return the passages, and after them those of others that an earlier answer cites."""
    here = {digest_of(passage) for passage in found.passages}
    more = [
        (msgspec.structs.replace(passage, score=0.0), likely)
        for passage, likely in zip(others.passages, others.probabilities, strict=True)
        if (digest := digest_of(passage)) in before.cited and digest not in here
    ]
    return Retrieved(
        (*found.passages, *(passage for passage, _ in more)), (*found.probabilities, *(likely for _, likely in more))
    )


def choose(found: Retrieved, limit: int, before: Choice | None) -> Choice:
    """Choose the passages for an answer: those of an earlier choice as long as it holds, otherwise the best ones.

    An earlier choice holds if all passages that the answer cites are still there, and the best passage is not a new one that is
    likely to answer, and at least as likely as the cited ones. If the answer was that the documents do not say, it has to be
    likelier than what was found then. So documents that have nothing to do with a question do not change its answer, although
    their words change all scores a little.
    """
    if before is not None and _holds(before, found):
        return before
    digests = tuple(dict.fromkeys(map(digest_of, found.passages)))
    return Choice(digests[:limit], (), digests, found.probability)


def _holds(before: Choice, found: Retrieved) -> bool:
    """Whether a choice holds, now that these passages are found."""
    found_now = zip(found.passages, found.probabilities, strict=True)
    by_digest = {digest_of(passage): (passage.score, likely) for passage, likely in found_now}
    if not by_digest.keys() >= set(before.cited):
        return False
    best = next(iter(by_digest), None)
    if best is None or best in before.known:
        return True
    score, likely = by_digest[best]
    if not before.cited:
        return likely < max(FOUND, before.probability + _NO_LIKELIER)
    scores, chances = zip(*(by_digest[digest] for digest in before.cited), strict=True)
    # A copy of a cited passage has the same score.
    return score <= max(scores) or likely < max(FOUND, *chances)


def titled(passages: Sequence[Passage]) -> list[str]:
    """Return the text of each passage below its document's title and the header of its table."""
    return [f"{passage.title}\n{text}" for passage, text in zip(passages, joined(passages), strict=True)]


def joined(passages: Sequence[Passage]) -> list[str]:
    """Return the text of each passage below the header of its table."""
    return [f"{passage.header}\n{passage.text}" if passage.header else passage.text for passage in passages]
