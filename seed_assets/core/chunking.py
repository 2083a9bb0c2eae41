"""Cutting a text into chunks that can be found and read alone.

What belongs here: the chunk and the cutter. What does not: embedding and storing chunks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from io_managers.store.fingerprint import Part


class Chunk(msgspec.Struct, frozen=True):
    """A piece of a text: `text` is source[start:end], offsets in characters."""

    text: str
    start: int
    end: int


class Chunks(msgspec.Struct, frozen=True):
    """All chunks of one document in order. title: the document's, which search weighs with each of its chunks."""

    title: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Chunker:
    """Cuts at the largest boundary that fits: sections, paragraphs, sentences, words, characters.

    characters: longest chunk. overlap: how many characters neighbours may share.
    The boundaries are those of the Rust crate text-splitter (Unicode sentence and word segmentation).
    """

    characters: int = 1000
    overlap: int = 0

    @property
    def identity(self) -> Mapping[str, Part]:
        """What decides where a text is cut."""
        return {"version": "1", "characters": self.characters, "overlap": self.overlap}

    def chunk(self, text: str, title: str) -> Chunks:
        """The chunks of a text; every character that is not white space is in at least one."""
        from semantic_text_splitter import TextSplitter

        splitter = TextSplitter(self.characters, overlap=self.overlap)
        pieces = splitter.chunk_indices(text)
        return Chunks(title, tuple(Chunk(piece, start, start + len(piece)) for start, piece in pieces))
