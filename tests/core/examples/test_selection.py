"""The file of the frozen selection: versions, erasure, and files that are none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from seed_assets.core.examples.selection import Example, Selection, schema_digest

ONE = Example("a.md", "A", "The text of a.", {"summary": "About a."})
TWO = Example("b.md", "B", "The text of b, with \u2028 and ‹ in it.", {"summary": "About b."})


def frozen(path: Path, *examples: Example, stage: str = "summaries", schema: str = "s") -> int:
    return Selection(path).freeze(stage, schema, examples)


def test_the_version_rises_only_with_the_content(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "examples.json"
    assert frozen(path, ONE, TWO) == 1
    before = path.stat()
    assert frozen(path, ONE, TWO) == 1
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert frozen(path, ONE, stage="concepts") == 1
    assert frozen(path, TWO) == 2
    assert frozen(path, TWO, schema="other") == 3
    found = Selection(path)
    assert found.examples("summaries", "other") == (TWO,)
    assert found.examples("concepts", "s") == (ONE,)


def test_what_is_erased_of_a_document_leaves_the_other_examples(tmp_path: Path) -> None:
    path = tmp_path / "examples.json"
    frozen(path, ONE, TWO)
    frozen(path, ONE, stage="concepts")
    assert Selection(path).of_documents(["a.md", "c.md"]) == 2
    Selection(path).erase(["a.md"])
    assert "About a" not in path.read_text()
    found = Selection(path)
    assert (found.examples("summaries", "s"), found.examples("concepts", "s")) == ((TWO,), ())
    assert {stage: one.version for stage, one in found.stages.items()} == {"summaries": 2, "concepts": 2}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b'{"format": 1}', "is damaged"),
        (
            b'{"format": 1, "stages": {"summaries": {"version": 1, "schema": "s", "examples": [{"document": 7}]}}}',
            "is damaged",
        ),
        (
            b'{"format": 1, "stages": {"summaries": {"version": 1, "schema": "s", "examples": [], "more": 1}}}',
            "is damaged",
        ),
        (b'{"format": 2, "stages": []}', "has the format 2"),
        (b"[" * 100_000, "is damaged"),
        (b" " * ((32 << 20) + 1), "has more than 32 MB"),
    ],
    ids=["empty", "no text", "cut off", "another type", "more", "newer", "deep", "large"],
)
def test_a_file_that_is_no_selection_is_refused_by_name(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "examples.json"
    path.write_bytes(data)
    uses: list[Callable[[Selection], object]] = [
        lambda found: found.stages,
        lambda found: found.freeze("summaries", "s", [ONE]),
        lambda found: found.erase(["a.md"]),
    ]
    for use in uses:
        with pytest.raises(ConfigurationError, match=said) as refused:
            use(Selection(path))
        assert str(path) in str(refused.value)
        assert "seedbank examples freeze" in str(refused.value)
    assert path.read_bytes() == data


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        _ = Selection(tmp_path).stages


def test_examples_of_another_shape_and_missing_ones_name_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "examples.json"
    with pytest.raises(
        ConfigurationError, match=r"has no examples of summaries\. Run `seedbank examples freeze summaries`"
    ):
        Selection(path).examples("summaries", "s")
    frozen(path, ONE)
    with pytest.raises(ConfigurationError, match="were frozen when its answers had another shape"):
        Selection(path).examples("summaries", "other")


def test_the_digest_of_a_schema_does_not_depend_on_the_order_of_its_keys() -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}}
    other = json.loads('{"properties": {"b": {}, "a": {"type": "string"}}, "type": "object"}')
    assert schema_digest(one) == schema_digest(other)
    assert schema_digest(one) != schema_digest({**one, "required": ["a"]})
