"""The check of rows by the pydantic model that a user gives in the place of fields: its validators may refuse what was found.

What belongs here: which values the model is shown, and what of its complaints counts. What does not: running it, and asking again
(core.prompting).

The model is shown the values in their normal form. What was not found is left out: a field that the model requires may well be
missing in a document.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from seed_assets.core.extractions.declarations import Declaration, GivenModel
from seed_assets.core.extractions.extraction import Extraction
from seed_assets.core.extractions.fields import Field
from seed_assets.core.prompting.structured_output import UsersCheck
from seed_assets.core.prompting.users_models import refused_values, validated

_DAY_CHARACTERS = len("2026-01-31")


def users_check(declaration: Declaration) -> UsersCheck | None:
    """Return the check of the rows of an answer; None if no model was given."""
    shape = declaration.shape
    return UsersCheck(lambda found: _check(declaration, shape, found), shape.digest) if shape is not None else None


def _check(declaration: Declaration, shape: GivenModel, found: Extraction) -> None:
    """Raise ValueError if the model refuses a row, and DocumentError if its code fails."""
    refused: list[str] = []
    for place, row in enumerate(found.rows):
        values = _whole(declaration.fields, row.values)
        if not values:
            continue
        try:
            # A model of a list has the rows as its items.
            validated(shape.kind, [values] if _is_list(shape.kind) else values, strict=False)
        except ValidationError as error:
            where = f"row {place + 1}, " if declaration.many else ""
            refused += [f"{where}{one}" for one in refused_values(error)]
    if refused:
        raise ValueError("; ".join(refused))


def _is_list(model: type[BaseModel]) -> bool:
    return issubclass(model, RootModel) and get_origin(model.model_fields["root"].annotation) is list


def _whole(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without dates of which only the month or the year is known, which are no dates for pydantic."""
    found: dict[str, Any] = {}
    for one in fields:
        items = values.get(one.name, [])
        kept = [kept for item in (items if one.is_list else [items]) if (kept := _kept(one, item)) not in (None, {})]
        if kept and one.name in values:
            found[one.name] = kept if one.is_list else kept[0]
    return found


def _kept(one: Field, value: Any) -> Any:
    if one.fields:
        return _whole(one.fields, value) if isinstance(value, Mapping) else None
    return None if one.kind == "date" and len(str(value)) < _DAY_CHARACTERS else value
