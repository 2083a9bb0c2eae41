"""JSON files, and files with one JSON value in each line, as records whose values are named by their keys.

What does not belong here: how a record is written (record_text), and notebooks, which are JSON too (notebook).
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.records.header_rows import LONGEST_NAME
from seed_assets.core.reading.records.record_text import RecordText
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.reading.titles import cleaned_title

_TITLE_KEYS = ("title", "name")


class _Object(NamedTuple):
    """An object with all its pairs in order, those with equal keys as well."""

    pairs: list[tuple[str, object]]


# Numbers stay as they are written, so that no digit is lost and none takes long to convert.
_DECODER = json.JSONDecoder(object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=str)
_WORDS = {True: "true", False: "false"}


def read_json(data: bytes) -> ExtractedText:
    """Read a JSON file: each object of an array is a record; the path of keys to a value is its name ("address.city").

    Lists of objects inside an object follow it below headings. Null, and the data of embedded files, are left out. If the
    file is not JSON as a whole but some of its lines are, each line is a record, and a warning names the others.

    Raises DocumentError for a file without JSON, and RecursionError for one that is nested too deeply.
    """
    characters, encoding = decode_text(data)
    written = RecordText()
    try:
        value: object = _DECODER.decode(characters)
    except json.JSONDecodeError as error:
        warnings = _lines(characters, written, error)
        return ExtractedText(normalised(written.text()), "", encoding, warnings)
    _top(value, written)
    return ExtractedText(normalised(written.text()), _title(value), encoding)


def _lines(characters: str, written: RecordText, whole: json.JSONDecodeError) -> tuple[str, ...]:
    """Write each line as a record, and return a warning that names lines that are not JSON."""
    wrong: list[int] = []
    right = 0
    for number, line in enumerate(characters.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value: object = _DECODER.decode(line.strip())
        except json.JSONDecodeError:
            wrong.append(number)
            continue
        right += isinstance(value, _Object | list)
        _record(value, written)
    if not right:
        raise DocumentError(
            f"the file is not valid JSON: {whole.msg} in line {whole.lineno:,}, column {whole.colno:,}.",
            "Correct it, or give it the suffix .txt to have it read as text.",
        )
    if not wrong:
        return ()
    count = "1 line is" if len(wrong) == 1 else f"{len(wrong):,} lines are"
    return (f"{count} not valid JSON and not read, the first of them line {wrong[0]:,}.",)


def _top(value: object, written: RecordText) -> None:
    if isinstance(value, list):
        for item in value:
            _record(item, written)
    elif isinstance(value, _Object):
        _object(value, written)
    else:
        written.add([("", _scalar(value))])


def _object(value: _Object, written: RecordText) -> None:
    """Write the object of a file: its own values, then each object in it as a record, and each list of objects."""
    written.add((key, _joined(item)) for key, item in value.pairs if not _is_nested(item))
    for key, item in value.pairs:
        if isinstance(item, _Object):
            own = [(path, each) for path, each in _leaves(item, (_name(key),)) if each]
            written.add(own)
        elif isinstance(item, list) and _is_nested(item):
            written.heading(1, key)
            for each in item:
                _record(each, written)


def _record(value: object, written: RecordText) -> None:
    written.add(_leaves(value, ()))


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (path of keys, value) of everything in a value. Items of a list that are not simple are numbered from 1."""
    if isinstance(value, _Object):
        for key, item in value.pairs:
            yield from _leaves(item, (*path, _name(key)))
    elif isinstance(value, list) and _is_nested(value):
        for number, item in enumerate(value, 1):
            yield from _leaves(item, (*path, str(number)))
    elif text := _joined(value):
        yield ".".join(path), text


def _is_nested(value: object) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, _Object | list) for item in value)
    return isinstance(value, _Object)


def _joined(value: object) -> str:
    """Return a simple value, or a list of simple values, as text."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_scalar, value)))
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return "" if value.startswith("data:") and ";base64," in value[:LONGEST_NAME] else value
    return _WORDS[value] if isinstance(value, bool) else ""


def _name(key: str) -> str:
    return key if len(key) <= LONGEST_NAME else key[:LONGEST_NAME] + "…"


def _title(value: object) -> str:
    """Return what an object calls itself by the keys `title` or `name`; "" if it does not."""
    if isinstance(value, _Object):
        named = {key.lower(): item for key, item in reversed(value.pairs) if isinstance(item, str)}
        return next((title for key in _TITLE_KEYS if (title := cleaned_title(named.get(key, "")))), "")
    return ""
