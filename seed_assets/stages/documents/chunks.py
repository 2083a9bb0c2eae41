"""The stage `chunks`: a document's text, cut into pieces for search."""

from resources.models.embedder import LocalEmbedder
from resources.wording import counted
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.text.chunking import Chunker, Chunks
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.stage import value_stage
from seed_assets.stages.documents.checks import COVER_THE_TEXT
from seed_assets.stages.documents.validity import uncovered


@value_stage(
    version="2",
    changes={
        "2": "A table is cut between its rows only, and a chunk that begins inside of one has its header beside it."
    },
    preview=lambda value: counted(len(value.chunks), "chunk"),
    checks=(COVER_THE_TEXT,),
    problem=lambda value, extracted_text: uncovered(value, extracted_text.text),
)
async def chunks(
    extracted_text: ExtractedText, *, chunker: Chunker, local_embedder: LocalEmbedder, work: TextWork
) -> Chunks:
    """One partition: the chunks of one document, with their character offsets into its text, and what search compares of them.

    A table is cut between its rows only, and each chunk that begins inside of it has its header beside the text. Chunks are made
    again when the text, the length or overlap of chunks, or the offline embedder changes. A document takes some milliseconds.
    """
    # The identity of the embedder is a part of the key; the worker has an embedder of its own.
    del local_embedder
    return await work.run("chunks", chunker.characters, chunker.overlap, extracted_text.text, extracted_text.title)
