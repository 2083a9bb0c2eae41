"""Whether results are valid, independently of the code that made them.

What belongs here: describing the problems of one document's chunks, vectors and concepts. What does not: acting on them (the
runner fails the document, and checks report published results).
"""

from resources.models.float_arrays import Float32Array
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.text.chunking import Chunks

# Far larger than the rounding errors of float32; chosen by judgement.
_LENGTH_TOLERANCE = 1e-3


def uncovered(chunks: Chunks, text: str) -> str:
    """Return the problem with the chunks of a text; "" if each is a part of the text as recorded, and together they cover it
    except for white space.
    """
    end = 0
    for number, chunk in enumerate(chunks.chunks):
        if not 0 <= chunk.start <= chunk.end <= len(text) or text[chunk.start : chunk.end] != chunk.text:
            return f"chunk {number} is not what stands in the text from {chunk.start} to {chunk.end}"
        if chunk.start > end and text[end : chunk.start].strip():
            return f"the text from {end} to {chunk.start} is in no chunk"
        end = max(end, chunk.end)
    return f"the text from {end} on is in no chunk" if text[end:].strip() else ""


def unlike(vectors: Float32Array, dimensions: int = 0) -> str:
    """Return the problem with vectors; "" if all numbers are finite and each vector has length 1 or is all zeros.

    vectors: one per row.
    dimensions: the required number of dimensions; 0 for any.
    """
    import numpy as np

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
    """Return the problem with the concepts of a text; "" if each names a passage that is there."""
    for concept in concepts.concepts:
        if not 0 <= concept.start < concept.end <= len(text):
            return f"{concept.name!r} is said to stand from {concept.start} to {concept.end}; the text has {len(text)}"
        stands = " ".join(text[concept.start : concept.end].casefold().split())
        # A concept of a model has a passage as evidence, which need not contain its name.
        if stands != concept.name if not concept.kind else not stands:
            return f"where {concept.name!r} is said to stand, the text has {stands[:80]!r}"
    return ""
