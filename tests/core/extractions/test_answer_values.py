"""What is kept of a model's answer: values in their normal form, with quotations that are where they say."""

import json
from typing import Any

import pytest

from resources.errors import DocumentError
from resources.settings.extract_settings import ExtractSettings
from seed_assets.core.extractions import answer_values
from seed_assets.core.extractions.answer_values import Passage, read_answer
from seed_assets.core.extractions.declared_fields import declared_fields
from seed_assets.core.extractions.extraction import Extraction, FoundRow, Quotation
from seed_assets.core.extractions.fields import Field
from seed_assets.core.extractions.merging import merged
from seed_assets.core.extractions.normal_values import normal_value
from seed_assets.core.extractions.schema_fields import schema_fields

TEXT = "Dose: 0.5\u2009g of Aspirin, given by Dr.  Ada\nByron on 3 March 2024. Ada Byron signed."


def read(fields: Any, answer: Any, *, quotes: bool = False, many: bool = False, start: int = 0) -> Extraction:
    """What is read about TEXT."""
    settings = ExtractSettings.model_validate({"prompt": "prompt.txt", "fields": fields})
    declared = declared_fields(settings.fields, quotes=quotes)
    return read_answer(answer, declared, Passage(TEXT, start, (0, 40)), many=many)


def test_a_quotation_is_kept_with_its_place_and_page() -> None:
    """The quotation is that of the document, whose spaces a model does not repeat; offsets count from its beginning."""
    found = read({"who": "text"}, {"who": {"quote": "Dr. Ada Byron", "value": " Ada  Byron "}}, quotes=True, start=100)
    start = TEXT.index("Dr.")
    assert found.rows == (
        FoundRow({"who": "Ada Byron"}, {"who": (Quotation("Dr.  Ada\nByron", 100 + start, 100 + start + 14, 2),)}),
    )


def test_a_value_whose_quotation_is_not_in_the_text_is_not_kept_and_said() -> None:
    """Nothing invented gets into the table; the rest of the answer is sound, and is kept."""
    answer = {
        "who": {"quote": "Charles Babbage", "value": "Charles Babbage"},
        "drugs": [{"quote": "Aspirin", "value": "Aspirin"}, {"quote": "Ibuprofen", "value": "Ibuprofen"}],
    }
    found = read({"who": "text", "drugs": "list of text"}, answer, quotes=True)
    assert found.rows[0].values == {"drugs": ["Aspirin"]}
    assert [warning.split(" is not kept")[0] for warning in found.warnings] == [
        "`who`: 'Charles Babbage'",
        "`drugs`: 'Ibuprofen'",
    ]


@pytest.mark.parametrize("answer", [{}, {"a": None, "b": []}, {"a": "", "b": [None, " N/A "]}])
def test_what_was_not_found_has_no_value(answer: Any) -> None:
    """Models write null, nothing, or words for nothing; none of these is a value."""
    assert read({"a": "text", "b": "list of text"}, answer).rows == (FoundRow({}),)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"a": "text"}, []),
        ({"a": "text"}, {"a": 3}),
        ({"a": "number"}, {"a": "3"}),
        ({"a": "number"}, {"a": True}),
        ({"a": "boolean"}, {"a": 1}),
        ({"a": "list of text"}, {"a": "b"}),
        ({"a": {"type": "text", "quote": True}}, {"a": "b"}),
        ({"a": {"type": "text", "quote": True}}, {"a": {"value": "b"}}),
        ({"a": {"fields": {"b": "text"}}}, {"a": "b"}),
    ],
)
def test_an_answer_of_another_shape_is_refused(fields: Any, answer: Any) -> None:
    """The model is told and may correct it; a value of another type would break the table."""
    with pytest.raises(ValueError, match=r"needed|not of the type"):
        read(fields, answer)


def test_a_row_of_many_without_any_value_is_left_out() -> None:
    """A row of nulls says nothing."""
    found = read({"a": "text"}, {"rows": [{"a": "x"}, {"a": None}]}, many=True)
    assert found.rows == (FoundRow({"a": "x"}),)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("2024-03-09", "2024-03-09"), ("2024-03", "2024-03"), ("2024", "2024"), ("2024-03-09T10:00:00Z", "2024-03-09")],
)
def test_a_date_has_only_the_parts_that_are_known(value: str, kept: str) -> None:
    """A month does not become its first day."""
    assert normal_value(Field("on", "date"), value) == kept


@pytest.mark.parametrize("value", ["2024-02-30", "2024-13", "3 March 2024", "24-03-09"])
def test_what_is_no_date_is_not_kept(value: str) -> None:
    """A date that nobody can sort or compare is worse than none."""
    found = read({"on": "date"}, {"on": value})
    assert found.rows == (FoundRow({}),)
    assert value in found.warnings[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("declared", "value", "unit", "kept"),
    [
        ("mg", 0.5, "g", 500.0),
        ("mg", 3, "mg", 3.0),
        ("mg", 3, None, 3.0),
        ("mg", 2, "Tablets", 500.0),
        ("°C", 98.6, "°F", 37.0),
        ("km/h", 10, "m/s", 36.0),
        ("EUR", 3, "eur", 3.0),
    ],
)
def test_a_number_is_converted_to_the_declared_unit(declared: str, value: float, unit: str | None, kept: float) -> None:
    """Numbers of one column can be compared only in one unit."""
    assert normal_value(Field("n", "number", unit=declared, units=(("tablets", 250.0),)), value, unit) == kept


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["m", "USD", "9^9^9", "m^9^9", "m**9**9", "(" * 30, "mg" * 30, "__import__"])
def test_a_number_in_another_kind_of_unit_is_not_kept(unit: str) -> None:
    """Units come from documents: no such text may be calculated with for ever, or taken for a unit that it is not."""
    with pytest.raises(ValueError, match="cannot be converted to mg"):
        normal_value(Field("n", "number", unit="mg"), 3, unit)


def test_a_choice_has_the_declared_spelling() -> None:
    """Documents write `final`, the table has `Final`; what is no choice is not kept."""
    fields = {"status": ["Draft", "Final"]}
    assert read(fields, {"status": "FINAL "}).rows[0].values == {"status": "Final"}
    assert read(fields, {"status": "open"}).rows == (FoundRow({}),)


def test_a_value_beyond_the_limits_of_the_schema_is_not_kept() -> None:
    """The limits of a JSON Schema hold although a server may not enforce them."""
    fields = schema_fields({"properties": {"share": {"type": "number", "maximum": 100}}}, quotes=False)
    found = read_answer({"share": 120}, fields, Passage(TEXT), many=False)
    assert found.rows == (FoundRow({}),)
    assert "maximum" in found.warnings[0]


@pytest.mark.slow
def test_a_pattern_that_never_ends_fails_the_document_by_the_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text that is compared comes from a document: it must not be able to stop a seed."""
    monkeypatch.setattr(answer_values, "_MOST_SECONDS", 1)
    fields = schema_fields({"properties": {"code": {"type": "string", "pattern": "(a+)+$"}}}, quotes=False)
    with pytest.raises(DocumentError, match=r"`code` with its limits took longer than 1 seconds") as raised:
        read_answer({"code": "a" * 60 + "b"}, fields, Passage(TEXT), many=False)
    assert "(a+)+$" in raised.value.remedy


def rows(*values: dict[str, Any]) -> Extraction:
    """An extraction with these values."""
    return Extraction(tuple(FoundRow(one) for one in values))


def test_rows_that_agree_in_the_declared_keys_are_merged() -> None:
    """Neighbouring chunks name the same thing; what one of them does not say, another may."""
    fields = (Field("name", "text"), Field("role", "text"), Field("dates", "date", is_list=True))
    found = merged(
        [
            rows({"name": "Ada  Byron", "dates": ["1815"]}),
            rows({"name": "ada byron", "role": "author", "dates": ["1815", "1852"]}),
        ],
        fields,
        ["name"],
        many=True,
    )
    assert found == rows({"name": "Ada  Byron", "role": "author", "dates": ["1815", "1852"]})
    apart = merged(
        [rows({"name": "A", "role": "x"}), rows({"name": "A", "role": "y"}, {"role": "x"})], fields, ["name"], many=True
    )
    assert len(apart.rows) == 2
    assert len(merged([rows({"name": "A", "role": "x"}, {"name": "A"})], fields, [], many=True).rows) == 2


def test_one_row_has_the_first_value_of_each_field() -> None:
    """The parts of a long text give one row, with the quotations of the values that are kept."""
    fields = (Field("a", "text", quoted=True), Field("b", "list of", is_list=True, quoted=True))  # type: ignore[arg-type]
    quotes = [Quotation(text, place, place + 1) for place, text in enumerate("xyz")]
    first = Extraction((FoundRow({"b": ["x"]}, {"b": (quotes[0],)}),), ("said",))
    second = Extraction(
        (FoundRow({"a": "y", "b": ["X", "z"]}, {"a": (quotes[1],), "b": (quotes[0], quotes[2])}),), ("said",)
    )
    assert merged([first, second], fields, (), many=False) == Extraction(
        (FoundRow({"a": "y", "b": ["x", "z"]}, {"a": (quotes[1],), "b": (quotes[0], quotes[2])}),), ("said",)
    )
    assert json.loads(json.dumps(merged([], fields, (), many=False).rows[0].values)) == {}
