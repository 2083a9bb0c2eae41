"""Rows of several answers about one document, put together: the same thing is often found in more than one part of a text.

What belongs here: which rows are the same, and what a merged row has. What does not: reading an answer (answer_values).
"""

from collections.abc import Iterable, Sequence

from seed_assets.core.extractions.extraction import Extraction, FoundRow
from seed_assets.core.extractions.fields import Field
from seed_assets.core.extractions.normal_values import folded


def merged(found: Sequence[Extraction], fields: Sequence[Field], merge_by: Sequence[str], *, many: bool) -> Extraction:
    """Return the rows of all answers as those of one. found: in the order of the text.

    Several answers about one row give a row with the first value of each field that was found, and with all values of a list.
    If there are many rows, those are merged that agree in all fields of `merge_by` (of all fields if it is empty), in upper
    or lower case and with any spaces. A row that has none of these fields stays as it is.
    """
    rows = [row for one in found for row in one.rows]
    warnings = tuple(dict.fromkeys(warning for one in found for warning in one.warnings))
    if not many:
        return Extraction((_one(rows, fields),), warnings)
    groups: dict[object, list[FoundRow]] = {}
    for place, row in enumerate(rows):
        key = tuple(folded(row.values.get(name)) for name in merge_by or [one.name for one in fields])
        groups.setdefault(key if any(part is not None for part in key) else place, []).append(row)
    return Extraction(tuple(_one(group, fields) for group in groups.values()), warnings)


def _one(rows: Sequence[FoundRow], fields: Iterable[Field]) -> FoundRow:
    """One row of several."""
    if len(rows) == 1:
        return rows[0]
    made = FoundRow({}, {})
    for one in fields:
        having = [row for row in rows if one.name in row.values]
        if having and one.is_list:
            _add_list(made, one.name, having)
        elif having:
            made.values[one.name] = having[0].values[one.name]
            if one.name in having[0].quotes:
                made.quotes[one.name] = having[0].quotes[one.name]
    return made


def _add_list(made: FoundRow, name: str, rows: Sequence[FoundRow]) -> None:
    """Add all different values of a list, each with its first quotation."""
    places: dict[object, tuple[int, int]] = {}
    for number, row in enumerate(rows):
        for place, value in enumerate(row.values[name]):
            places.setdefault(folded(value), (number, place))
    made.values[name] = [rows[number].values[name][place] for number, place in places.values()]
    if all(name in row.quotes for row in rows):
        made.quotes[name] = tuple(rows[number].quotes[name][place] for number, place in places.values())
