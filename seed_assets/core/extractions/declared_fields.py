"""Fields as users declare them in the settings.

What belongs here: their meaning, and messages about what is wrong. What does not: fields from a JSON Schema (schema_fields),
and names that a table needs for itself (stages.extractions).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from resources.settings.extract_settings import FieldSettings
from resources.wording import did_you_mean
from seed_assets.core.extractions.fields import KINDS, QUOTE, Field, Kind

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_LIST_OF = "list of "
_PLURALS = {"texts": "text", "numbers": "number", "integers": "integer", "dates": "date", "records": "record"}


class FieldError(ValueError):
    """A field cannot be used. Its message begins with the name of the field."""


def declared_fields(declared: Mapping[str, FieldSettings], *, quotes: bool) -> tuple[Field, ...]:
    """Return the fields in their order. quotes: whether a value needs a quotation if its field does not say. Raises
    FieldError.
    """
    return checked_names(_declared(declared, quotes))


def checked_names(fields: Iterable[Field], above: str = "") -> tuple[Field, ...]:
    """Return the fields if each has a name of its own that can be the name of a column. Raises FieldError."""
    found: dict[str, Field] = {}
    for one in fields:
        if not _NAME.fullmatch(one.name):
            raise FieldError(
                f"{above}{one.name}: a name begins with a letter and has only letters without accents, digits and _, at most 63"
            )
        if one.name.casefold() in found:
            raise FieldError(f"{above}{one.name}: there is a field {found[one.name.casefold()].name} already")
        if above and one.name == QUOTE:
            raise FieldError(f"{above}{one.name}: this is the name of the quotation of the record")
        found[one.name.casefold()] = one
        checked_names(one.fields, f"{above}{one.name}.")
    return tuple(found.values())


def check_choices(where: str, choices: Collection[str]) -> None:
    """Raise FieldError if two values of `one of` would be taken for the same, or one is empty."""
    if len({" ".join(choice.split()).casefold() for choice in choices} - {""}) < len(choices):
        raise FieldError(f"{where}: two of its values are the same, or one is empty")


def _declared(declared: Mapping[str, FieldSettings], quotes: bool, above: str = "") -> Iterator[Field]:
    for name, one in declared.items():
        where = f"{above}{name}"
        kind, is_list = _kind(where, one)
        if bool(one.values) != (kind == "one of"):
            raise FieldError(f"{where}: `values` and the type `one of` need each other")
        check_choices(where, one.values)
        if bool(one.fields) != (kind == "record"):
            raise FieldError(f"{where}: `fields` and the type `record` need each other")
        if above and (one.fields or is_list or one.quote is not None):
            raise FieldError(f"{where}: a field of a record is a single value, and is quoted with its record")
        if (one.unit or one.units) and kind not in ("number", "integer"):
            raise FieldError(f"{where}: a unit is for a number or an integer, not for {kind}")
        if one.units and not one.unit:
            raise FieldError(f"{where}: `units` needs `unit`, which they are converted to")
        quoted = not above and (quotes if one.quote is None else one.quote)
        yield Field(
            name,
            kind,
            one.description,
            is_list,
            one.values,
            one.unit,
            tuple(one.units.items()),
            quoted,
            tuple(_declared(one.fields, quotes=False, above=f"{where}.")),
        )


def _kind(where: str, one: FieldSettings) -> tuple[Kind, bool]:
    """The kind of a field, and whether it is a list."""
    name = " ".join(one.type.split()).casefold().replace("_", " ")
    if not name:
        name = "one of" if one.values else "record" if one.fields else ""
        if not name:
            raise FieldError(f"{where}: a type is needed, one of {_known()}")
    is_list = name.startswith(_LIST_OF)
    name = name.removeprefix(_LIST_OF)
    name = _PLURALS.get(name, name) if is_list else name
    kinds: dict[str, Kind] = {kind: kind for kind in KINDS}
    if name not in kinds:
        raise FieldError(f"{where}: there is no type {one.type!r}.{did_you_mean(name, KINDS)} The types are {_known()}")
    return kinds[name], is_list


def _known() -> str:
    return f"{', '.join(KINDS)}, or `list of` one of these"
