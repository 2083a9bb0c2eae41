"""The sink stage `lance_chunks`: the table `chunks`."""

from typing import Any

from resources.models.float_arrays import Float32Array
from seed_assets.core.text.chunking import Chunks
from seed_assets.graph.stage import sink_stage


@sink_stage(version="1", table="chunks", vectors="embedder")
def lance_chunks(
    document_id: str, content_digest: str, chunks: Chunks, embeddings: Float32Array
) -> list[dict[str, Any]]:
    """One partition: the rows of one document's chunks in the table `chunks`, with their vectors.

    They are written again when the chunks or their vectors change, for all documents of a run in one commit, which also
    removes the rows of chunks that no longer exist.
    """
    return [
        {
            "chunk_id": f"{document_id}#{index}",
            "document_id": document_id,
            "index": index,
            "title": chunks.title,
            "text": chunk.in_context,
            "start": chunk.start,
            "end": chunk.end,
            "vector": vector,
            **features.columns,
            "content_digest": content_digest,
        }
        for index, (chunk, vector, features) in enumerate(zip(chunks.chunks, embeddings, chunks.features, strict=True))
    ]
