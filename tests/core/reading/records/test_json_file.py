"""JSON and JSON Lines: records with readable paths, texts as paragraphs."""

import json

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract


def text_of(value: object) -> str:
    return extract(json.dumps(value).encode(), "json").text


def test_objects_of_an_array_are_records_with_paths_of_keys():
    gates = [
        {"name": "Upper", "at": {"river": "Tarn", "km": 4.50}, "tags": ["old", "stone"], "open": True, "none": None},
        {"name": "Größe", "levels": [{"cm": 1}, {"cm": 2}]},
    ]
    assert text_of(gates) == (
        "name: Upper; at.river: Tarn; at.km: 4.5; tags: old, stone; open: true\n\n"
        "name: Größe; levels.1.cm: 1; levels.2.cm: 2"
    )


def test_an_object_gives_its_title_and_its_lists_of_records_below_headings():
    value = {
        "title": "Gates",
        "year": 1904,
        "owner": {"name": "Harbour"},
        "gates": [{"name": "Upper"}, {"name": "Lower"}],
    }
    result = extract(json.dumps(value).encode(), "json")
    assert result.title == "Gates"
    assert result.text == ("title: Gates; year: 1904\n\nowner.name: Harbour\n\n# gates\n\nname: Upper\n\nname: Lower")


def test_texts_are_paragraphs():
    assert text_of([{"id": 1, "body": "First line.\nSecond line."}]) == "id: 1\n\nbody: First line.\nSecond line."


def test_numbers_stay_as_they_are_written():
    assert extract(b'[{"a": 1.10, "b": 1e400, "c": ' + b"9" * 5_000 + b"}]", "json").text.startswith(
        "a: 1.10; b: 1e400"
    )


def test_both_values_of_a_repeated_key_are_kept():
    assert extract(b'[{"a": "first", "a": "second"}]', "json").text == "a: first; a: second"


def test_the_data_of_a_picture_is_no_text():
    assert text_of([{"name": "x", "picture": "data:image/png;base64,AAAA"}]) == "name: x"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_each_line_is_a_record(codec: str):
    data = '{"gate": "Oberes Tor, früh"}\n\n{"gate": "Lower"}\n'.encode(codec)
    assert extract(data, "json").text == "gate: Oberes Tor, früh\n\ngate: Lower"


def test_lines_that_are_broken_are_named():
    result = extract(b'{"a": 1}\n{"a": \n{"a": 3}\nxx', "json")
    assert result.text == "a: 1\n\na: 3"
    assert result.warnings == ("2 lines are not valid JSON and not read, the first of them line 2.",)


@pytest.mark.parametrize("data", [b'{"a": 1', b"no JSON", b"{'a': 1}", b'[{"a": 1},]'])
def test_a_file_that_is_not_json_is_named_with_the_place(data: bytes):
    with pytest.raises(DocumentError, match=r"not valid JSON: .* in line 1, column \d"):
        extract(data, "json")


@pytest.mark.parametrize("data", [b"[" * 200_000, b'{"a":' * 200_000, b"[" * 5_000 + b"]" * 5_000])
def test_deep_nesting_is_named(data: bytes):
    with pytest.raises(DocumentError, match="nested too deeply"):
        extract(data, "json")


@pytest.mark.slow
def test_crafted_paths_become_no_text_of_any_length():
    inner = "{" + ",".join(f'"{number}":1' for number in range(50_000)) + "}"
    with pytest.raises(DocumentError, match="more than 100,000,000 characters"):
        extract((f'{{"{"k" * 99}":' * 100 + inner + "}" * 100).encode(), "json")
