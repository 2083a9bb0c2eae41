"""What a document is about, in a few phrases. What belongs here: the seam that every extractor fills, and the
offline default, which ranks phrases. What does not: candidates (phrases.py), names of people and places and how they
are related, the stage that asks for concepts.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from resources.embedder import LocalEmbedder
from seed_assets.core.phrases import Phrase, Unit, find_phrases

Identity = Mapping[str, str | int | float | bool]

# Only so many candidates are compared by meaning; they are the best by counts.
_COMPARED = 300
# The document's direction is taken from at most 20 evenly spaced parts of 1,000 characters.
_PARTS, _PART_CHARACTERS = 20, 1000


class Concept(msgspec.Struct, frozen=True):
    """A phrase that says what a document is about.

    name: case-folded, with single spaces. score: 1 for the best, then falling. count: mentions, plural or not.
    start, end: where the name first occurs, in characters: `" ".join(text[start:end].casefold().split())` is it.
    """

    name: str
    score: float
    count: int
    start: int
    end: int


class Concepts(msgspec.Struct, frozen=True):
    """A document's concepts, best first; none only where the document has no words but stop words and numbers."""

    concepts: tuple[Concept, ...]


class ConceptExtractor(Protocol):
    """Turns a document into its concepts, by counting or by asking a model."""

    @property
    def identity(self) -> Identity:
        """Everything but the document that decides the concepts: part of their action key."""
        ...

    async def extract(self, text: str, title: str) -> Concepts:
        """The concepts of one document; `title` is empty where none is known. Raises DocumentError."""
        ...
