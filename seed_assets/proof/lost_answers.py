"""Which answers of the server are missing in the knowledge base.

What belongs here: the comparison of the server's answers with the rows of the tables, for the documents that are in the
folder. What does not: reading the tables (knowledge_base).
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seed_assets.proof.answers import vector
from seed_assets.proof.counting_server import Exchange
from seed_assets.proof.documents import body_of

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
# Vectors are scaled to length 1 once more before they are stored.
_TOLERANCE = 1e-5


def lost_answers(
    folder: Path, exchanges: Sequence[Exchange], embedded: Collection[str], rows: Rows, judge: str
) -> list[str]:
    """Return a sentence for each answer about a document of the folder that is not in the tables.

    exchanges, embedded: what the server has answered. rows: the tables, see knowledge_base. judge: the model that judges.
    """
    return list(_lost(folder, exchanges, embedded, rows, judge))


def _lost(
    folder: Path, exchanges: Sequence[Exchange], embedded: Collection[str], rows: Rows, judge: str
) -> Iterator[str]:
    documents = {row["document_id"]: row for row in rows["documents"]}
    chunks: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows["chunks"]:
        chunks.setdefault(row["document_id"], []).append(row)
    judged = {row["document_id"] for row in rows["judgements"] if row["judge"] == judge}
    paths = sorted(folder.iterdir())
    for path in paths:
        name, body = path.name, body_of(path)
        row = documents.get(name)
        if row is None:
            yield f"{name} has no row."
            continue
        summary = _last(exchanges, "summaries", body, lambda answer: answer["summary"])
        if summary is None or _one_line(row["summary"]) != _one_line(summary):
            yield f"The summary of {name} is not the one that was answered."
        concepts = (
            _last(exchanges, "concepts", body, lambda answer: [each["name"] for each in answer["concepts"]]) or []
        )
        if not concepts or {each.casefold() for each in concepts} - {each.casefold() for each in row["concepts"]}:
            yield f"Concepts of {name} are missing."
        if name not in judged:
            yield f"The judgement of {name} is missing."
        vectors = chunks.get(name, [])
        found = _one_line(" ".join(chunk["text"] for chunk in vectors))
        if _one_line(body) not in found or not all(_is_answer(chunk, embedded) for chunk in vectors):
            yield f"Vectors of {name} are missing."
    for name in documents.keys() - {path.name for path in paths}:
        yield f"{name} has a row, and no file."
    summaries = {
        _one_line(json.loads(each.answer)["summary"]) for each in exchanges if each.schema == "cluster_summaries"
    }
    for cluster in rows["clusters"]:
        if _one_line(cluster["summary"]) not in summaries:
            yield f"The summary of the cluster {cluster['cluster_id']} is not one that was answered."


def _last(exchanges: Sequence[Exchange], schema: str, body: str, read: Callable[[Any], Any]) -> Any:
    """What was last answered about a text; None if nothing was."""
    wanted = _one_line(body)
    for each in reversed(exchanges):
        if each.schema == schema and wanted in _one_line(each.said):
            return read(json.loads(each.answer))
    return None


def _is_answer(chunk: Mapping[str, Any], embedded: Collection[str]) -> bool:
    text, found = chunk["text"], np.asarray(chunk["vector"])
    return text in embedded and bool(np.abs(found - vector(text, len(found))).max() < _TOLERANCE)


def _one_line(text: str) -> str:
    return " ".join(text.split())
