"""The stage `chunks`: a text in pieces."""

from seed_assets.core.chunking import Chunker, Chunks
from seed_assets.core.extraction import ExtractedText
from seed_assets.core.validity import uncovered
from seed_assets.stage import value_stage


@value_stage(
    version="1",
    preview=lambda value: f"{len(value.chunks)} chunks",
    problem=lambda value, extracted_text: uncovered(value, extracted_text.text),
)
async def chunks(extracted_text: ExtractedText, *, chunker: Chunker) -> Chunks:
    """One partition: the chunks of one document, with their character offsets into its text.

    Made again when the text, or the length or overlap of chunks, changes. Costs about a millisecond a document.
    """
    return chunker.chunk(extracted_text.text, extracted_text.title)
