"""Values of fields in one form, whatever they were written in. What does not belong here: reading them (document_fields,
field_table)."""

import re
import unicodedata
from collections.abc import Iterable

_SEPARATORS = re.compile("[,;，；、]")


def cleaned_values(values: Iterable[str]) -> tuple[str, ...]:
    """Each once, sorted: NFC, without blanks around it, white space inside as single spaces, without control characters."""
    return tuple(sorted({value for raw in values if (value := _cleaned(raw))}))


def split_values(text: str) -> list[str]:
    """The values of a list that is written as text: `a, b; c`."""
    return _SEPARATORS.split(text)


def field_name(raw: str) -> str:
    """A field's name as all spell it: case-folded."""
    return _cleaned(unicodedata.normalize("NFC", _cleaned(raw)).casefold())


def _cleaned(raw: str) -> str:
    # Lone surrogates, which a YAML escape can make, are no text.
    text = "".join(" " if character.isspace() else character for character in raw if not _is_control(character))
    return " ".join(unicodedata.normalize("NFC", text).split())


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") and not character.isspace()
