"""Remembers what the last plan found current, so that the next one forms keys only for what has changed since.

This module finds the documents that have certainly not changed, and keeps the file that remembers them. States and reasons
are found in planner; the answer that needs no plan at all is in seeding.standing_answer.

For each document of which everything made of itself alone was current, the memory holds a fingerprint: the digest of its
file, how files of its format are read, and the action key and the content digest that are published of it in each of these
stages. Whether a result is current follows from these, from the pipeline and from what the store has for the key; nothing else
decides it. So a document whose fingerprint is the same, under the same pipeline, is current still, and its keys need not be
formed.

The file is only a memory. If it is missing, damaged, unreadable or from another pipeline, every key is formed.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec

from io_managers.store.fingerprint import Part, encode_part
from io_managers.store.refs import Published
from io_managers.store.whole_files import read_memory, write_memory
from resources.corpus.corpus import Scan
from seed_assets.engine.currency import value_currency
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import SOURCE, Stage

# The format of the file. Raise it whenever the rule changes by which a plan finds a document current.
_FORMAT = 1
# The length of a digest, in bytes. The birthday bound makes a collision among billions of documents practically impossible.
_FINGERPRINT_BYTES = 16


class _Remembered(msgspec.Struct, array_like=True, frozen=True):
    pipeline: bytes
    documents: dict[str, bytes]


class PlanMemory:
    """The memory of one home, as it was when it was opened, for one plan."""

    def __init__(self, path: Path, pipeline: Pipeline) -> None:
        self._path = path
        self._pipeline = pipeline
        # The stages, by name, whose results follow from the document's file alone.
        self.stages = _own_stages(pipeline)
        self._digest = _pipeline_digest(pipeline, self.stages.values())
        remembered = _load(path)
        same = remembered is not None and remembered.pipeline == self._digest
        self._before = remembered.documents if remembered is not None and same else {}
        self._now: dict[str, bytes] = {}

    def unchanged(self, scan: Scan, published: Mapping[str, Mapping[str, Published]]) -> set[str]:
        """The documents of which each of `stages` was current and is published as it was then.

        published: stage -> document -> what is current, with what the store has for it.
        """
        columns = [published[name] for name in self.stages]
        values = [stage.kind == "value" for stage in self.stages.values()]
        formats = {source.format for source in scan.documents.values()}
        ways = {name: _digest(encode_part(self._pipeline.source_part("", name))).hex() for name in formats}
        for document, source in scan.documents.items():
            said = [source.content_digest, ways[source.format]]
            for column, is_value in zip(columns, values, strict=True):
                ref = column.get(document)
                # The store has lost the result, or has it with other content: then the plan decides.
                if ref is None or (is_value and value_currency(ref, ref.action_key, ref.result) != "current"):
                    break
                said += ref[:2]
            else:
                # None of these contains a line break.
                data = "\n".join(said).encode()
                self._now[document] = _digest(data)
        before = self._before
        return {document for document, found in self._now.items() if before.get(document) == found}

    def keep(self, current: Iterable[AbstractSet[str]]) -> None:
        """Remember the documents that the plan has found current in each of `stages`: their sets, in the same order."""
        kept: AbstractSet[str] = self._now.keys()
        for documents in current:
            kept = kept & documents
        now = {document: found for document, found in self._now.items() if document in kept}
        if now != self._before or not now:
            _save(self._path, _Remembered(self._digest, now))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_FINGERPRINT_BYTES).digest()


def _own_stages(pipeline: Pipeline) -> dict[str, Stage]:
    own: dict[str, Stage] = {}
    for stage in pipeline.document_stages:
        if not stage.over and all(name == SOURCE or name in own for name in stage.inputs):
            own[stage.name] = stage
    return own


def _pipeline_digest(pipeline: Pipeline, stages: Iterable[Stage]) -> bytes:
    """Return a digest of everything in a pipeline that decides whether results of these stages are current."""
    said: list[Part] = [
        [stage.name, stage.kind, stage.table, list(stage.inputs), pipeline.action(stage, {}).key, pipeline.keeps(stage)]
        for stage in stages
    ]
    return hashlib.sha256(b"seedbank plan memory" + encode_part([_FORMAT, said])).digest()


def _load(path: Path) -> _Remembered | None:
    data = read_memory(path)
    try:
        return msgspec.msgpack.decode(data, type=_Remembered) if data is not None else None
    except msgspec.MsgspecError:
        return None


def _save(path: Path, remembered: _Remembered) -> None:
    with contextlib.suppress(OSError):  # a read-only home is reported by the code that has to write there
        write_memory(path, msgspec.msgpack.encode(remembered))
