"""The normal form of fields' names and values. What does not belong here: reading them (document_fields, field_table)."""

import re
import unicodedata
from collections.abc import Iterable

from seed_assets.core.text.unicode_forms import normal_form

_SEPARATORS = re.compile("[,;，；、]")


def cleaned_values(values: Iterable[str]) -> tuple[str, ...]:
    """Return each distinct value once, sorted, in NFC, trimmed, with single spaces and without control characters."""
    return tuple(sorted({value for raw in values if (value := _cleaned(raw))}))


def split_values(text: str) -> list[str]:
    """Split a list that is written as text, such as `a, b; c`, into its values."""
    return _SEPARATORS.split(text)


def field_name(raw: str) -> str:
    """Return the normal form of a field's name, which is case-folded."""
    return _cleaned(normal_form("NFC", _cleaned(raw)).casefold())


def _cleaned(raw: str) -> str:
    # Lone surrogates, which YAML escapes can produce, are removed too.
    text = "".join(" " if character.isspace() else character for character in raw if not _is_control(character))
    return " ".join(normal_form("NFC", text).split())


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") and not character.isspace()
