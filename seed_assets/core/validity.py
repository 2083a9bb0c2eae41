"""Whether a result can be what it is said to be, whoever made it.

What belongs here: what is wrong with one document's chunks, vectors and concepts, in words. What does not: acting on it (the
runner fails that document; checks look at what is published).
"""

import numpy as np
from numpy.typing import NDArray

from seed_assets.core.chunking import Chunks
from seed_assets.core.concepts import Concepts

_LENGTH_TOLERANCE = 1e-3


def uncovered(chunks: Chunks, text: str) -> str:
    """What is wrong with the chunks of a text; "" where each is what stands there and all together are the text, but for
    white space.
    """
    end = 0
    for number, chunk in enumerate(chunks.chunks):
        if not 0 <= chunk.start <= chunk.end <= len(text) or text[chunk.start : chunk.end] != chunk.text:
            return f"chunk {number} is not what stands in the text from {chunk.start} to {chunk.end}"
        if chunk.start > end and text[end : chunk.start].strip():
            return f"the text from {end} to {chunk.start} is in no chunk"
        end = max(end, chunk.end)
    return f"the text from {end} on is in no chunk" if text[end:].strip() else ""


def unlike(vectors: NDArray[np.float32], dimensions: int = 0) -> str:
    """What is wrong with vectors, a row each; "" where all numbers are finite and each is of length 1, or zeros.

    dimensions: how many numbers each is to have; 0 for any.
    """
    if vectors.ndim != 2 or (dimensions and vectors.shape[1] != dimensions):
        return f"the vectors are of shape {vectors.shape}, not (chunks, {dimensions or 'numbers'})"
    if not np.isfinite(vectors).all():
        return f"vector {int(np.argmin(np.isfinite(vectors).all(axis=1)))} has numbers that are not finite"
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    wrong = (np.abs(lengths - 1) > _LENGTH_TOLERANCE) & (lengths > 0)
    if wrong.any():
        place = int(np.argmax(wrong))
        return f"vector {place} is of length {lengths[place]:.3f}, not 1"
    return ""


def ungrounded(concepts: Concepts, text: str) -> str:
    """What is wrong with the concepts of a text; "" where each names a passage that is there."""
    for concept in concepts.concepts:
        if not 0 <= concept.start < concept.end <= len(text):
            return f"{concept.name!r} is said to stand from {concept.start} to {concept.end}; the text has {len(text)}"
        stands = " ".join(text[concept.start : concept.end].casefold().split())
        # A model shows a concept by a passage, in the author's words.
        if stands != concept.name if not concept.kind else not stands:
            return f"where {concept.name!r} is said to stand, the text has {stands[:80]!r}"
    return ""
