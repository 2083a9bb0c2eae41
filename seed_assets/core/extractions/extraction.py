"""What an extraction found in a document: the types of its results.

What does not belong here: asking a model (model_extracting), and the table for the rows (stages.extractions).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from io_managers.store.fingerprint import Part
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.text.chunking import Chunk
from seed_assets.memo.reuse import Reuse


class Quotation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The words of the document that a value was found in.

    text: the document's text from `start` to `end`, offsets in characters. page: the number of the page on which it begins,
    from 1 on; 0 if the document has no pages.
    """

    text: str
    start: int
    end: int
    page: int = 0


class FoundRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row.

    values: the values by field, without fields that were not found: text, number, true or false, a date as ISO 8601 has it (a
    day, a month or a year), a record as a mapping, or a list of these. quotes: for each quoted field, the quotation of each
    value.
    """

    values: dict[str, Any]
    quotes: dict[str, tuple[Quotation, ...]] = {}


class Extraction(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rows of one document.

    rows: in the order of the text; exactly one if a document has one row. warnings: a sentence for each value of the model that
    was not kept.
    """

    rows: tuple[FoundRow, ...]
    warnings: tuple[str, ...] = ()


class Extractor(Protocol):
    """Finds the declared facts of a document."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the rows besides the inputs; part of their action key."""
        ...

    async def extract(
        self,
        source: ExtractedText | None,
        chunks: Sequence[Chunk] | None,
        given: Mapping[str, Any],
        reuse: Reuse,
    ) -> Extraction:
        """Find the facts. Raises DocumentError.

        source: the document; None if the model is not shown its text. chunks: the pieces of the text that are asked about one
        by one; None to ask about the text as a whole. given: values of other extractions, by
        name. reuse: requests go through it, so that each request is an action.
        """
        ...
