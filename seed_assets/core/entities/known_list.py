"""The list of names that a user knows. What belongs here: reading it from a CSV file, and its digest. What does not: finding
the names in a text (known_names).
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from io_managers.store.fingerprint import content_digest, encode_part
from resources.errors import ConfigurationError

_NAME, _TYPE, _ALIASES = "name", "type", "aliases"
# A longer name is a mistake in the file, such as a missing quotation mark.
_LONGEST = 200


@dataclass(frozen=True)
class KnownNames:
    """Names with their types and aliases, from a CSV file with the columns `name`, `type` and `aliases`, separated by `;`.

    It is read once, when it is first needed. Everything except the constructor raises ConfigurationError, which names the
    file, the line and the remedy.

    path: the file; None means that no names are known. types: the types that entities can have.
    """

    path: Path | None = None
    types: Sequence[str] = ()

    @cached_property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """Name or alias, as it stands in the file -> (type, "" if the file does not say; the name that it is an alias of)."""
        found: dict[str, tuple[str, str]] = {}
        for line, row in self._rows():
            name, kind = row[_NAME].strip(), (row.get(_TYPE) or "").strip()
            if not name:
                self._refuse(f"names nothing in line {line}.", f"Fill the column `{_NAME}`, or remove the line.")
            if kind and kind not in self.types:
                self._refuse(
                    f"has the type {kind[:60]!r} in line {line}, and entities.types has {', '.join(self.types)}.",
                    "Write one of these, or add the type to entities.types.",
                )
            for one in (name, *(row.get(_ALIASES) or "").split(";")):
                if len(one) > _LONGEST:
                    self._refuse(f"has a name of {len(one)} characters in line {line}.", "Shorten it.")
                if one.strip():
                    found.setdefault(one.strip(), (kind, name))
        return found

    @property
    def files(self) -> Sequence[str]:
        """The file; nothing if there is none."""
        return [str(self.path)] if self.path is not None else []

    @cached_property
    def digest(self) -> str:
        """The digest of the names; the order of the lines does not change it. It is "" if no names are known."""
        if self.path is None:
            return ""
        return content_digest(encode_part(sorted([name, kind, of] for name, (kind, of) in self.names.items())))

    def _rows(self) -> list[tuple[int, dict[str, str]]]:
        if self.path is None:
            return []
        try:
            text = self.path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self._refuse(
                f"cannot be read: {error}.", "Put it there as CSV in UTF-8, or name another in entities.known."
            )
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        try:
            rows = [(reader.line_num, row) for row in reader]
        except csv.Error as error:
            self._refuse(f"is not valid CSV in line {reader.line_num}: {error}.", "Correct it.")
        if rows and _NAME not in (reader.fieldnames or ()):
            self._refuse(f"has no column `{_NAME}` in its first line.", f"Name the columns {_NAME},{_TYPE},{_ALIASES}.")
        return rows

    def _refuse(self, reason: str, remedy: str) -> NoReturn:
        raise ConfigurationError(f"The list of known names {self.path} {reason} {remedy}")
