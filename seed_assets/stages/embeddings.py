"""The stage `embeddings`: a vector a chunk."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from io_managers.store.fingerprint import Action, KeyTemplate, content_digest
from resources.embedder import Embedder
from seed_assets.core.chunking import Chunks
from seed_assets.core.concurrently import all_of
from seed_assets.core.validity import unlike
from seed_assets.reuse import Reuse
from seed_assets.stage import value_stage

TEXT_EMBEDDING = "text_embedding"


def _problem(value: NDArray[np.float32], chunks: Chunks) -> str:
    if len(value) != len(chunks.chunks):
        return f"there are {len(value)} vectors of {len(chunks.chunks)} chunks"
    return unlike(value)


@value_stage(
    version="1",
    preview=lambda value: f"{len(value)} vectors of {value.shape[1]} numbers",
    problem=_problem,
)
async def embeddings(chunks: Chunks, *, embedder: Embedder, reuse: Reuse) -> NDArray[np.float32]:
    """One partition: the vectors of one document's chunks, a row a chunk, each of length 1.

    Each text's vector is an action of its own, so that an edited document embeds only the chunks that changed, and equal
    chunks of different documents are embedded once. Made again when the chunks or the embedder change.
    """
    return await embed_texts([chunk.text for chunk in chunks.chunks], embedder, reuse)


async def embed_texts(texts: Sequence[str], embedder: Embedder, reuse: Reuse) -> NDArray[np.float32]:
    """Vectors of shape (len(texts), dimensions); each text's is an action, and each request's are kept as they come."""
    if not texts:
        return np.zeros((0, embedder.dimensions), np.float32)
    template = KeyTemplate(TEXT_EMBEDDING, {"embedder": dict(embedder.identity)})
    actions = [template.action({"text": content_digest(text.encode())}) for text in texts]
    by_key = dict(zip((action.key for action in actions), texts, strict=True))

    async def embed(missing: Sequence[Action]) -> list[tuple[Any, str]]:
        vectors = await embedder.embed([by_key[action.key] for action in missing], reuse)
        return [(vector, "") for vector in vectors]

    unique = list({action.key: action for action in actions}.values())
    there: list[Action] = []
    if len(unique) > embedder.batch:
        # What is there needs no place in a request.
        found = reuse.finished(action.key for action in unique)
        there = [action for action in unique if action.key in found]
        unique = [*there, *(action for action in unique if action.key not in found)]
    starts = range(len(there), len(unique), embedder.batch)
    batches = [there, *(unique[start : start + embedder.batch] for start in starts)]
    vectors = await all_of(reuse.values(batch, embed) for batch in batches)
    by_action = dict(
        zip((action.key for action in unique), (vector for batch in vectors for vector in batch), strict=True)
    )
    return np.stack([by_action[action.key] for action in actions])
