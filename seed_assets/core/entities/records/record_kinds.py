"""What a record is: which of its fields name it, and which of them stay the same. What does not belong here: finding records in
texts (record_texts), and comparing them (record_likeness).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from io_managers.store.fingerprint import Part

Fields = tuple[tuple[str, str], ...]
"""The fields of a record in the order in which they stand: (name, value); the names are case-folded and differ."""


@dataclass(frozen=True, slots=True)
class RecordKind:
    """The records of one type. All names of fields are in the form that `field_name` gives.

    type: the type of the entities. name: the fields that name one, of a person the given name first. stable: further fields that
    stay the same, such as a date of birth. unique: those that also belong to one alone, such as a number that an authority gave;
    a record without a name is called by it. ignored: fields that say nothing, such as the number of a row.
    """

    type: str
    name: tuple[str, ...]
    stable: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def part(self) -> Part:
        """All of it, as a part of a key."""
        return {part: list(getattr(self, part)) for part in ("name", "stable", "unique", "ignored")}


def kinds_part(kinds: Sequence[RecordKind]) -> Mapping[str, Part]:
    """Return what decides the records, as parts of a key; nothing if there are none, so that other keys stay as they are."""
    return {"records": {kind.type: kind.part for kind in kinds}} if kinds else {}
