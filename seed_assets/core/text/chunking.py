"""Chunks of a text, which can be found and read by themselves.

What belongs here: the chunk, and the chunker with what decides its chunks. What does not: where a text is cut (chunk_places),
embedding and storing chunks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from io_managers.store.fingerprint import Part
from retrieval.stored_features import PassageFeatures


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of a document's text.

    text: the document's text from `start` to `end` (offsets in characters).
    header: if the piece begins inside a table, the header row and the rule of that table, which stand before the piece.
    """

    text: str
    start: int
    end: int
    header: str = ""

    @property
    def in_context(self) -> str:
        """The text as it is embedded and searched: below the header of its table, if it begins inside of one."""
        return f"{self.header}\n{self.text}" if self.header else self.text


class Chunks(msgspec.Struct, frozen=True):
    """All chunks of one document.

    title: the document's title, which search considers with each of its chunks.
    chunks: the chunks in order.
    features: for each chunk, what search compares of its text (`in_context`) with a query.
    """

    title: str
    chunks: tuple[Chunk, ...]
    features: tuple[PassageFeatures, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunker:
    """Cuts a text at the largest boundary that fits: sections, paragraphs, sentences, words, characters.

    The boundaries are those of the Rust crate text-splitter (Unicode sentence and word segmentation). A table is cut between its
    rows only, unless a row is longer than a chunk.

    characters: the most characters of a chunk. With the header of its table it may have twice as many.
    overlap: how many characters neighbours may share; rows of a table that is cut are not shared.
    """

    characters: int = 1000
    overlap: int = 0

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides where a text is cut."""
        return {"version": "1", "characters": self.characters, "overlap": self.overlap}

    def chunk(self, text: str, title: str) -> Chunks:
        """Cut a text into chunks; every character that is not white space is in at least one."""
        from seed_assets.core.text.chunk_places import ChunkPlaces

        places = ChunkPlaces(self.characters, self.overlap).of(text)
        return Chunks(title, tuple(Chunk(text[start:end], start, end, header) for start, end, header in places))
