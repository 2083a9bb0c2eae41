"""The tasks of workers besides parsing, by name; each works on a document's text or on its pages.

What belongs here: the tasks, as functions of plain values. What does not: sending them (parser_frames), their callers (the
offline implementations of each stage), and what they compute (one module each).

msgspec encodes arguments and results by their annotations: nothing is unpickled, and only what TASKS names can be called. A
worker has one embedder, the bundled one, which is loaded when a task first needs it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

from resources.models.embedder import WordLlamaEmbedder
from retrieval.passage_features import features_of
from seed_assets.core.clusters.cluster_members import ClusterMaterial
from seed_assets.core.clusters.cluster_summarizing import ClusterSummary, ExtractiveClusterSummarizer
from seed_assets.core.concepts.concepts import Concepts, StatisticalConceptExtractor
from seed_assets.core.entities.entities import entities_in
from seed_assets.core.judging.judging import SimilarityJudge, Thresholds
from seed_assets.core.judging.source_extracts import Extract, extracts_for
from seed_assets.core.judging.verdicts import SourceText, Verdict
from seed_assets.core.profiles.passages import entity_passages_in
from seed_assets.core.reading.document_fields import read_fields
from seed_assets.core.reading.ocr.page_pictures import picture_digests
from seed_assets.core.reading.ocr.page_tasks import scan_page
from seed_assets.core.relationships.together import mentioned_together
from seed_assets.core.summaries.summarizing import ExtractiveSummarizer, Summary
from seed_assets.core.text.chunking import Chunker, Chunks
from seed_assets.core.text.text_parts import parts_within


class Vectors(msgspec.Struct, array_like=True, frozen=True):
    """Vectors in the form in which they are sent between processes.

    rows, columns: the shape.
    data: the float32 numbers, row by row.
    """

    rows: int
    columns: int
    data: bytes

    def array(self) -> NDArray[np.float32]:
        """Return the vectors as a read-only array of shape (rows, columns)."""
        return np.frombuffer(self.data, dtype=np.float32).reshape(self.rows, self.columns)


@dataclass(frozen=True, slots=True)
class Task:
    """A function that a worker can be asked to run.

    function: its annotations decide how arguments and result are encoded.
    doing: its name in failure messages, as in "cutting it into chunks did not end within 120 seconds".
    """

    function: Callable[..., Any]
    doing: str

    def arguments(self, data: bytes) -> tuple[Any, ...]:
        """Decode the arguments. Raises msgspec.DecodeError."""
        return msgspec.msgpack.decode(data, type=_types(self.function)[0])

    def result(self, data: bytes) -> Any:
        """Decode the result. Raises msgspec.DecodeError."""
        return msgspec.msgpack.decode(data, type=_types(self.function)[1])


@cache
def _types(function: Callable[..., Any]) -> tuple[Any, Any]:
    hints = get_type_hints(function)
    returns = hints.pop("return")
    return tuple[tuple(hints.values())], returns


@cache
def _embedder() -> WordLlamaEmbedder:
    return WordLlamaEmbedder()


def chunks(characters: int, overlap: int, text: str, title: str) -> Chunks:
    """Run Chunker.chunk, and features_of for each chunk."""
    found = Chunker(characters, overlap).chunk(text, title)
    return msgspec.structs.replace(
        found, features=tuple(features_of(chunk.in_context, _embedder()) for chunk in found.chunks)
    )


def vectors(texts: list[str]) -> Vectors:
    """Run WordLlamaEmbedder.embed_sync."""
    found = _embedder().embed_sync(texts)
    return Vectors(found.shape[0], found.shape[1], found.tobytes())


def summary(words: int, text: str, title: str) -> Summary:
    """Run ExtractiveSummarizer.summarize_sync."""
    return ExtractiveSummarizer(_embedder(), words).summarize_sync(text, title)


def concepts(count: int, text: str, title: str) -> Concepts:
    """Run StatisticalConceptExtractor.extract_sync."""
    return StatisticalConceptExtractor(_embedder(), count).extract_sync(text, title)


def verdict(accept: float, reject: float, text: str, concepts: list[str], sources: list[SourceText]) -> Verdict:
    """Run SimilarityJudge.judge_sync."""
    return SimilarityJudge(_embedder(), Thresholds(accept, reject)).judge_sync(text, concepts, sources)


def cluster_summary(words: int, material: ClusterMaterial) -> ClusterSummary:
    """Run ExtractiveClusterSummarizer.write_sync."""
    return ExtractiveClusterSummarizer(_embedder(), words).write_sync(material)


def extracts(claims: list[str], sources: list[SourceText], room: int) -> list[Extract]:
    """Run extracts_for."""
    return extracts_for(claims, sources, _embedder(), room)


TASKS: Mapping[str, Task] = {
    "chunks": Task(chunks, "cutting it into chunks"),
    "vectors": Task(vectors, "embedding its chunks"),
    "summary": Task(summary, "choosing sentences for its summary"),
    "concepts": Task(concepts, "finding its concepts"),
    "entities": Task(entities_in, "finding its entities"),
    "passages": Task(entity_passages_in, "choosing passages about its entities"),
    "relations": Task(mentioned_together, "finding which entities are mentioned together"),
    "verdict": Task(verdict, "comparing its summary with it"),
    "cluster_summary": Task(cluster_summary, "choosing sentences for its summary"),
    "extracts": Task(extracts, "finding passages in it"),
    "parts": Task(parts_within, "cutting it into parts for a model"),
    "fields": Task(read_fields, "reading its fields"),
    "picture_digests": Task(picture_digests, "drawing its pages"),
    "scan_page": Task(scan_page, "reading a picture of it"),
}


def as_sent(arguments: Sequence[Any]) -> bytes:
    """Encode the arguments of a task. Raises TypeError for a value that cannot be encoded."""
    return msgspec.msgpack.encode(arguments)
