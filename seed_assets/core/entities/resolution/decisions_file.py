"""What people decide about entities, in a file of the home. What belongs here: reading and writing the file, and which
pairs a decision is about. What does not: putting entities together (grouping), and the command that decides (cli.entities).
"""

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NoReturn

from io_managers.store.fingerprint import Part, content_digest, encode_part
from io_managers.store.whole_files import write_whole
from resources.errors import ConfigurationError
from seed_assets.core.entities.normal_names import name_key, normal_name
from seed_assets.core.entities.resolution.grouping import Group
from seed_assets.core.entities.resolution.local_entities import LocalEntity

SAME, DIFFERENT = "same", "different"
_COLUMNS = ("decision", "name", "document", "other", "other_document")


@dataclass(frozen=True, slots=True)
class EntityDecision:
    """One decision: that two names are one entity, or are not.

    document, other_document: the documents in which the names are meant; "" for all. If both names are the same, it is about two
    different documents.
    """

    decision: Literal["same", "different"]
    name: str
    document: str
    other: str
    other_document: str

    @property
    def sides(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """(key of the name, document) of both."""
        return (_key(self.name), self.document), (_key(self.other), self.other_document)


def _key(name: str) -> str:
    return name_key(normal_name(name)) or name


def _is_of(entity: LocalEntity, side: tuple[str, str]) -> bool:
    return side[0] in entity.keys and side[1] in ("", entity.document_id)


@dataclass(frozen=True)
class EntityDecisions:
    """The decisions in a file, the last of which holds where several are about one pair.

    It is read once, when it is first needed, and may be missing. Everything except the constructor raises
    ConfigurationError, which names the file, the line and the remedy.

    path: a CSV file with the columns `decision`, `name`, `document`, `other` and `other_document`.
    """

    path: Path | None = None

    @property
    def identity(self) -> Mapping[str, Part]:
        """The digest of the decisions."""
        rows = [[one.decision, one.name, one.document, one.other, one.other_document] for one in self.decisions]
        return {"decisions": content_digest(encode_part(rows)) if rows else ""}

    @property
    def files(self) -> Sequence[str]:
        """The file; see OfFiles."""
        return [str(self.path)] if self.path is not None else []

    @cached_property
    def decisions(self) -> Sequence[EntityDecision]:
        """All decisions, in the order of the file."""
        return [self._decision(line, row) for line, row in self._rows()]

    @cached_property
    def _by_key(self) -> Mapping[str, list[EntityDecision]]:
        found: dict[str, list[EntityDecision]] = {}
        for decision in self.decisions:
            for key, _ in dict.fromkeys(decision.sides):
                known = found.setdefault(key, [])
                if not known or known[-1] is not decision:
                    known.append(decision)
        return found

    def of(self, one: LocalEntity, other: LocalEntity) -> bool | None:
        """Return whether a pair is one entity; None if nobody says."""
        if not self._by_key:
            return None
        for key in one.keys:
            for decision in reversed(self._by_key.get(key, [])):
                first, second = decision.sides
                if (_is_of(one, first) and _is_of(other, second)) or (_is_of(one, second) and _is_of(other, first)):
                    return decision.decision == SAME
        return None

    @property
    def keys(self) -> Collection[str]:
        """The names of which anything is said, as keys."""
        return self._by_key.keys()

    def required(self, groups: Sequence[Group]) -> Iterator[tuple[int, int]]:
        """Yield the indexes of groups of which somebody says that they are one."""
        wanted = {key for one in self.decisions if one.decision == SAME for key, _ in one.sides}
        places: dict[str, list[int]] = {}
        for at, group in enumerate(groups):
            for key in {key for member in group.members for key in member.keys} & wanted:
                places.setdefault(key, []).append(at)
        for decision in self.decisions:
            if decision.decision == SAME:
                first, second = decision.sides
                yield from (
                    (a, b)
                    for a in places.get(first[0], [])
                    for b in places.get(second[0], [])
                    if a != b and self._joins(groups[a], groups[b])
                )

    def _joins(self, one: Group, other: Group) -> bool:
        return any(self.of(a, b) is True for a in one.members[:_LOOKED_AT] for b in other.members[:_LOOKED_AT])

    def add(self, decisions: Sequence[EntityDecision]) -> None:
        """Write the file with further decisions at its end."""
        self._write((*self.decisions, *decisions))

    def about(self, documents: Collection[str]) -> list[EntityDecision]:
        """Return the decisions that hold in one of these documents only."""
        return [one for one in self.decisions if {one.document, one.other_document} & set(documents)]

    def remove(self, decisions: Collection[EntityDecision]) -> None:
        """Write the file without some decisions."""
        self._write([one for one in self.decisions if one not in decisions])

    def _write(self, decisions: Sequence[EntityDecision]) -> None:
        assert self.path is not None
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for one in decisions:
            writer.writerow((one.decision, one.name, one.document, one.other, one.other_document))
        write_whole(self.path, text.getvalue().encode())

    def _rows(self) -> list[tuple[int, dict[str, str]]]:
        if self.path is None or not self.path.exists():
            return []
        try:
            reader = csv.DictReader(io.StringIO(self.path.read_text("utf-8-sig"), newline=""), strict=True)
            rows = [(reader.line_num, row) for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self._refuse(f"cannot be read: {error}.", "Correct it, or remove it to decide anew.")
        if rows and set(_COLUMNS) - set(reader.fieldnames or ()):
            self._refuse("lacks a column in its first line.", f"Its columns are {', '.join(_COLUMNS)}.")
        return rows

    def _decision(self, line: int, row: Mapping[str, str | None]) -> EntityDecision:
        decision, name, document, other, other_document = ((row.get(column) or "").strip() for column in _COLUMNS)
        if decision not in (SAME, DIFFERENT):
            self._refuse(f"has the decision {decision[:60]!r} in line {line}.", f"Write {SAME} or {DIFFERENT}.")
        if not name or not other:
            self._refuse(f"names nothing in line {line}.", "Fill the columns `name` and `other`, or remove the line.")
        return EntityDecision("same" if decision == SAME else "different", name, document, other, other_document)

    def _refuse(self, reason: str, remedy: str) -> NoReturn:
        raise ConfigurationError(f"The file of decisions about entities {self.path} {reason} {remedy}")


# So many members of two groups are looked at to see whether a decision is about them.
_LOOKED_AT = 200
