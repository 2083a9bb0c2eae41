"""Cutting a text into chunks that can be found and read by themselves.

What belongs here: the chunk and the chunker. What does not: finding boundaries in long texts (boundaries), embedding and
storing chunks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from io_managers.store.fingerprint import Part
from seed_assets.core.text.boundaries import pieces_of


class Chunk(msgspec.Struct, frozen=True):
    """A piece of a document's text.

    text: the document's text from `start` to `end` (offsets in characters).
    """

    text: str
    start: int
    end: int


class Chunks(msgspec.Struct, frozen=True):
    """All chunks of one document.

    title: the document's title, which search considers with each of its chunks.
    chunks: the chunks in order.
    """

    title: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Chunker:
    """Cuts a text at the largest boundary that fits: sections, paragraphs, sentences, words, characters.

    The boundaries are those of the Rust crate text-splitter (Unicode sentence and word segmentation).

    characters: the most characters of a chunk.
    overlap: how many characters neighbours may share.
    """

    characters: int = 1000
    overlap: int = 0

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides where a text is cut."""
        return {"version": "1", "characters": self.characters, "overlap": self.overlap}

    def chunk(self, text: str, title: str) -> Chunks:
        """Cut a text into chunks; every character that is not white space is in at least one."""
        pieces = pieces_of(text, self.characters, self.overlap)
        return Chunks(title, tuple(Chunk(piece, start, start + len(piece)) for start, piece in pieces))
