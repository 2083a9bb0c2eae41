"""The frozen selection of examples. What belongs here: its file, and its digests. What does not: which results get into it
(freezing), and which of them are shown (choosing).

The file is JSON that people may read and edit. It changes only when it is frozen again, edited, or when a document is erased.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from io_managers.store.fingerprint import content_digest, encode_part
from io_managers.store.whole_files import open_regular, write_whole
from resources.errors import ConfigurationError

# Raise it when a file is read in another way than before.
_FORMAT = 1
# Far more than any selection has: 500 examples of 20,000 characters. A larger file is another one.
_MOST_BYTES = 32 << 20


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One accepted result. document: whose it is. title, text: of the document. answer: the JSON that a model answers."""

    document: str
    title: str
    text: str
    answer: dict[str, Any]

    @property
    def written_answer(self) -> str:
        """The answer as a model would write it."""
        return msgspec.json.encode(self.answer).decode()


class StageExamples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The examples of one stage. version: raised whenever it is frozen with another content. schema: see `schema_digest`."""

    version: int
    schema: str
    examples: tuple[Example, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    stages: dict[str, StageExamples]


class _Format(msgspec.Struct, frozen=True):
    format: int


def schema_digest(schema: Mapping[str, Any]) -> str:
    """Return the content digest of a JSON schema of answers, whatever the order of its keys."""
    return content_digest(msgspec.json.encode(schema, order="sorted"))


def digest_of(examples: Sequence[Example]) -> str:
    """Return the content digest of examples in their order."""
    return content_digest(encode_part([[one.document, one.title, one.text, one.written_answer] for one in examples]))


@dataclass(frozen=True)
class Selection:
    """The selection in a file, which is read once, when it is first needed, and may be missing.

    Everything except the constructor raises ConfigurationError, which names the file and the remedy.
    """

    path: Path

    @property
    def files(self) -> Sequence[str]:
        """The file; see OfFiles."""
        return [str(self.path)]

    @cached_property
    def stages(self) -> Mapping[str, StageExamples]:
        """The examples by the name of their stage; nothing if there is no file."""
        try:
            with open_regular(self.path) as file:
                data = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._refuse(f"cannot be read: {error.strerror or error}.")
        if len(data) > _MOST_BYTES:
            self._refuse(f"has more than {_MOST_BYTES >> 20} MB, so it is no selection.")
        try:
            if (found := msgspec.json.decode(data, type=_Format).format) != _FORMAT:
                self._refuse(f"has the format {found}, and this version of Seedbank reads {_FORMAT}.")
            return msgspec.json.decode(data, type=_File).stages
        except msgspec.MsgspecError as error:
            self._refuse(f"is damaged: {error}.")

    def examples(self, stage: str, schema: str) -> tuple[Example, ...]:
        """Return the examples of a stage whose answers have this schema."""
        found = self.stages.get(stage)
        remedy = f"Run `seedbank examples freeze {stage}`, or take {stage} out of examples.show."
        if found is None:
            raise ConfigurationError(f"The selection {self.path} has no examples of {stage}. {remedy}")
        if found.schema != schema:
            raise ConfigurationError(
                f"The examples of {stage} in {self.path} were frozen when its answers had another shape. {remedy}"
            )
        return found.examples

    def freeze(self, stage: str, schema: str, examples: Sequence[Example]) -> int:
        """Write the examples of a stage, beside those of others, and return their version; if nothing changed, it stays."""
        before = self.stages.get(stage)
        if before is not None and before.schema == schema and digest_of(before.examples) == digest_of(examples):
            return before.version
        version = 1 + (before.version if before else 0)
        self._write({**self.stages, stage: StageExamples(version, schema, tuple(examples))})
        return version

    def of_documents(self, documents: Collection[str]) -> int:
        """Return how many examples are of these documents."""
        return sum(one.document in documents for found in self.stages.values() for one in found.examples)

    @property
    def documents(self) -> set[str]:
        """The documents that have an example."""
        return {one.document for found in self.stages.values() for one in found.examples}

    def erase(self, documents: Collection[str]) -> None:
        """Write the file without the examples of these documents. A stage may be left without any, and then shows none."""
        kept: dict[str, StageExamples] = {}
        for stage, found in self.stages.items():
            left = tuple(one for one in found.examples if one.document not in documents)
            changed = len(left) != len(found.examples)
            kept[stage] = StageExamples(found.version + changed, found.schema, left)
        self._write(kept)

    def _write(self, stages: Mapping[str, StageExamples]) -> None:
        data = msgspec.json.encode(_File(_FORMAT, dict(sorted(stages.items()))))
        write_whole(self.path, msgspec.json.format(data, indent=1) + b"\n")

    def _refuse(self, reason: str) -> NoReturn:
        raise ConfigurationError(
            f"The selection of examples {self.path} {reason} Restore the file, or delete it and run `seedbank examples freeze` "
            "for each stage of examples.show."
        )
