"""The stage `embeddings`: a vector a chunk."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Action, KeyTemplate, content_digest
from resources.embedder import Embedder
from seed_assets.core.chunking import Chunks
from seed_assets.reuse import Reuse
from seed_assets.stage import document_stage

TEXT_EMBEDDING = "text_embedding"


@document_stage(version="1", preview=lambda value: f"{len(value)} vectors of {value.shape[1]} numbers")
async def embeddings(chunks: Chunks, *, embedder: Embedder, reuse: Reuse) -> NDArray[np.float32]:
    """One partition: the vectors of one document's chunks, a row a chunk, each of length 1.

    Each text's vector is an action of its own, so that an edited document embeds only the chunks that changed, and equal
    chunks of different documents are embedded once. Made again when the chunks or the embedder change.
    """
    template = KeyTemplate(TEXT_EMBEDDING, {"embedder": dict(embedder.identity)})
    texts: dict[str, str] = {}
    actions: list[Action] = []
    for chunk in chunks.chunks:
        action = template.action({"text": content_digest(chunk.text.encode())})
        actions.append(action)
        texts[action.key] = chunk.text

    async def embed(missing: Sequence[Action]) -> list[tuple[Any, str]]:
        vectors = await embedder.embed([texts[action.key] for action in missing])
        return [(vector, "") for vector in vectors]

    unique = list({action.key: action for action in actions}.values())
    vectors = dict(zip((action.key for action in unique), await reuse.values(unique, embed), strict=True))
    if not actions:
        return np.zeros((0, embedder.dimensions), np.float32)
    return np.stack([vectors[action.key] for action in actions])
