"""The passages of one question, as they are kept, and which of them an answer is made from.

What belongs here: what identifies a passage, and when an earlier choice of passages still holds. What does not: finding them
(retrieval), and keeping them (asker).
"""

import hashlib
from collections.abc import Sequence

import msgspec

from answering.answers import Passage

POOL = 24
"""How many passages are looked at for a question. An answer is made from the first of them; the others are those of which it is
known that they were looked at and left out. The number was chosen by judgement."""


class Retrieved(msgspec.Struct, frozen=True):
    """The passages that were found for a question, best first, and how likely it is that they answer it, 0 to 1."""

    passages: tuple[Passage, ...]
    probability: float


class Choice(msgspec.Struct, frozen=True, array_like=True):
    """Which passages an answer was made from.

    chosen: their digests, in the order in which the answerer gets them. known: the digests of all that were found then.
    probability: that of the passages, when they were chosen.
    """

    chosen: tuple[str, ...]
    known: tuple[str, ...]
    probability: float


def digest_of(passage: Passage) -> str:
    """Return a digest of what an answerer sees of a passage, and of the document that it is from.

    Its place is not in it: a passage that has only moved inside of its document gives the same answer.
    """
    seen = "\0".join((passage.document, passage.title, passage.header, passage.text))
    return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def choose(found: Retrieved, limit: int, before: Choice | None) -> tuple[Choice, list[Passage]]:
    """Choose the passages for an answer: those of an earlier choice as long as it holds, otherwise the best ones.

    An earlier choice holds if all of its passages are still among those that were found, and if all of the best ones were known
    then. So documents that have nothing to do with a question do not change its answer, although their words change all scores
    a little.
    """
    by_digest = {digest_of(passage): passage for passage in found.passages}
    digests = tuple(by_digest)
    best = digests[:limit]
    if (
        before is not None
        and before.chosen
        and by_digest.keys() >= set(before.chosen)
        and set(before.known).issuperset(best)
    ):
        return before, [by_digest[digest] for digest in before.chosen]
    choice = Choice(best, digests, found.probability)
    return choice, [by_digest[digest] for digest in best]


def joined(passages: Sequence[Passage]) -> list[str]:
    """Return the text of each passage below the header of its table."""
    return [f"{passage.header}\n{passage.text}" if passage.header else passage.text for passage in passages]
