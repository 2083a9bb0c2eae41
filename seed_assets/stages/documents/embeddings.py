"""The stage `embeddings`: one vector per chunk."""

from collections.abc import Sequence
from typing import Any

from io_managers.store.fingerprint import Action, KeyTemplate, content_digest
from resources.models.embedder import Embedder
from resources.models.float_arrays import Float32Array
from resources.wording import counted
from seed_assets.core.text.chunking import Chunks
from seed_assets.graph.stage import value_stage
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.documents.checks import OF_ONE_KIND
from seed_assets.stages.documents.validity import unlike

TEXT_EMBEDDING = "text_embedding"


def _problem(value: Float32Array, chunks: Chunks) -> str:
    if len(value) != len(chunks.chunks):
        return f"there are {counted(len(value), 'vector')} of {counted(len(chunks.chunks), 'chunk')}"
    return unlike(value)


@value_stage(
    version="1",
    preview=lambda value: f"{counted(len(value), 'vector')} of {counted(value.shape[1], 'number')}",
    checks=(OF_ONE_KIND,),
    problem=_problem,
)
async def embeddings(chunks: Chunks, *, embedder: Embedder, reuse: Reuse) -> Float32Array:
    """One partition: the vectors of one document's chunks, one row per chunk, each of length 1.

    Each vector is an action of its own, so that only the changed chunks of an edited document are embedded, and equal chunks
    of different documents are embedded once. A chunk that begins inside a table is embedded below the header of that table. The
    vectors are made again when the chunks or the embedder change.
    """
    return await embed_texts([chunk.in_context for chunk in chunks.chunks], embedder, reuse)


def embedding_actions(texts: Sequence[str], embedder: Embedder) -> list[Action]:
    """Return the action by which the vector of each text is stored."""
    template = KeyTemplate(TEXT_EMBEDDING, {"embedder": dict(embedder.identity)})
    return [template.action({"text": content_digest(text.encode())}) for text in texts]


async def embed_texts(texts: Sequence[str], embedder: Embedder, reuse: Reuse) -> Float32Array:
    """Embed texts and return their vectors, shape (len(texts), dimensions).

    Each vector is an action of its own, and the vectors of each request are stored as soon as they arrive. Raises what the
    embedder raises.
    """
    import numpy as np

    if not texts:
        return np.zeros((0, embedder.dimensions), np.float32)
    actions = embedding_actions(texts, embedder)
    by_key = dict(zip((action.key for action in actions), texts, strict=True))

    async def embed(missing: Sequence[Action], own: Reuse) -> list[tuple[Any, str]]:
        vectors = await embedder.embed([by_key[action.key] for action in missing], own.costs)
        return [(vector, "") for vector in vectors]

    unique = list({action.key: action for action in actions}.values())
    there: list[Action] = []
    if len(unique) > embedder.batch:
        # Texts whose vectors are stored already take no place in a request.
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
