"""Rows that are written as an answer are read as the same rows."""

import pytest

from seed_assets.core.extractions.answer_values import Passage, read_answer
from seed_assets.core.extractions.fields import Field
from seed_assets.core.extractions.written_answers import written_answer

TEXT = "Ada Byron and Charles Babbage signed the lease of the mill on 3 May 1834. It costs 20 mg a day, or 0.5 g in a month."
FIELDS = (
    Field("people", "text", is_list=True, quoted=True),
    Field("signed", "date", quoted=True),
    Field("kind", "one of", choices=("sale", "lease")),
    Field("dose", "number", unit="mg", quoted=True),
    Field("doses", "number", is_list=True, unit="mg"),
    Field("open", "boolean"),
    Field(
        "party", "record", is_list=True, quoted=True, fields=(Field("name", "text"), Field("dose", "number", unit="mg"))
    ),
    Field("missing", "text", is_list=True),
    Field("nothing", "record", fields=(Field("name", "text"),)),
)
ROW = {
    "people": [{"quote": "Ada Byron", "value": "Ada Byron"}, {"quote": "Charles Babbage", "value": "Charles Babbage"}],
    "signed": {"quote": "3 May 1834", "value": "1834-05-03"},
    "kind": "lease",
    "dose": {"quote": "20 mg", "value": 20, "unit": "mg"},
    "doses": [{"value": 0.5, "unit": "g"}, {"value": 20, "unit": None}],
    "open": False,
    "party": [
        {"quote": "Ada Byron", "name": "Ada", "dose": {"value": 0.5, "unit": "g"}},
        {"quote": "the mill", "name": "Mill", "dose": None},
    ],
    "missing": [],
    "nothing": None,
}


@pytest.mark.parametrize("many", [False, True])
def test_rows_come_back_as_they_were(many: bool) -> None:
    """An example whose answer says something else than the accepted result would teach it."""
    answer = {"rows": [ROW, {"people": [{"quote": "Ada Byron", "value": "A. Byron"}]}]} if many else ROW
    found = read_answer(answer, FIELDS, Passage(TEXT), many=many)
    assert not found.warnings
    written = written_answer(found, FIELDS, many=many)
    assert read_answer(written, FIELDS, Passage(TEXT), many=many) == found
    first = written["rows"][0] if many else written
    assert list(first) == [one.name for one in FIELDS]
    assert first["doses"] == [{"value": 500.0, "unit": "mg"}, {"value": 20.0, "unit": "mg"}]
    assert (first["missing"], first["nothing"]) == ([], None)
