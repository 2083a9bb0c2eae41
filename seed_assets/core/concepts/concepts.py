"""Concepts: the few phrases that say what a document is about. What belongs here: the protocol of extractors, and the offline
default with what decides its concepts. What does not: choosing phrases (phrase_choice), named entities and their relations,
and the stage that requests concepts.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import msgspec

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.reuse import Reuse

# The part of a document that is read. A character of Chinese takes as much time here as a word of English.
_READ_CHARACTERS = 500_000


# Defaults are omitted, so that a concept without a kind has the same bytes as before the field `kind` existed.
class Concept(msgspec.Struct, frozen=True, omit_defaults=True):
    """A phrase that says what a document is about.

    name: the phrase, case-folded, with single spaces.
    score: 1 for the best concept, smaller for the others.
    count: the number of mentions, in singular and plural.
    start, end: where the name first occurs, in characters: the name is `" ".join(text[start:end].casefold().split())`. If a
        model found the concept, they are the passage that is evidence for it.
    kind: "term", "method", "person", ...; "" if it is not known.
    """

    name: str
    score: float
    count: int
    start: int
    end: int
    kind: str = ""


class Concepts(msgspec.Struct, frozen=True):
    """The concepts of a document.

    concepts: best first. It is empty only if the document has no words besides stop words and numbers.
    """

    concepts: tuple[Concept, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the concepts, best first."""
        return tuple(concept.name for concept in self.concepts)


class ConceptExtractor(Protocol):
    """Finds the concepts of a document, by counting or by asking a model."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the concepts besides the document; part of their action key."""
        ...

    async def extract(self, text: str, title: str, reuse: Reuse) -> Concepts:
        """Find the concepts of one document. Raises DocumentError.

        title: the document's title; "" if none is known.
        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class StatisticalConceptExtractor:
    """Ranks the document's own phrases by counts and by meaning, without a model or a network; it is deterministic.

    The weight of a word depends on how often and how early it occurs; a word of the title counts as the first of the text.
    The score of a phrase of one to four words is the sum of its words' weights, times their cohesion, times the phrase's
    similarity to the document. The best phrases are chosen one after the other, and a word of an earlier phrase counts only
    a fiftieth in a later one, so that each phrase adds something new. If enough phrases are repeated, only repeated phrases
    and single words are candidates. A phrase that occurs once and contains a repeated phrase is never a candidate.

    The time is linear in the length of the text, of which the first 500,000 characters (a novel) are read; only the 300
    best candidates by counts are embedded.

    embedder: compares phrases with the document.
    count: the most concepts of a document.
    work: the workers that find the concepts; None means a thread of this process.
    """

    embedder: LocalEmbedder
    count: int = 15
    work: TextWork | None = field(default=None, compare=False, repr=False)

    changes: ClassVar[Mapping[str, str]] = {
        "2": "Concepts are whole noun phrases in English and German, and none comes from a header block."
    }

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, the number of phrases, and the embedder's identity under `embedder.`."""
        own = {"extractor": "statistical", "version": "2", "count": self.count}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def extract(self, text: str, title: str, reuse: Reuse | None = None) -> Concepts:
        """Do what `extract_sync` does, in a worker or a thread; see `work`."""
        if self.work is None:
            return await asyncio.to_thread(self.extract_sync, text, title)
        return await self.work.run("concepts", self.count, text[:_READ_CHARACTERS], title)

    def extract_sync(self, text: str, title: str) -> Concepts:
        """Find at most `count` concepts, best first; `title` only guides the choice, and every concept is in `text`."""
        from seed_assets.core.concepts.phrase_choice import best_phrases

        found = best_phrases(text[:_READ_CHARACTERS], title, self.count, self.embedder)
        return Concepts(tuple(Concept(one.name, score, one.count, one.start, one.end) for one, score in found))
