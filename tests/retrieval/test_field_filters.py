"""Filters by the columns of tables, over a table of an extraction on the disk."""

import pytest

from resources.errors import ConfigurationError
from resources.tables.lance import LanceTables
from resources.tables.lance_rows import table_of
from resources.tables.lance_schema import TABLES
from resources.tables.table_spec import Column, TableSpec
from retrieval.field_filters import documents_where

SPEC = TableSpec(
    "contracts",
    "row_id",
    "one row a document",
    (
        Column("row_id", "string", "", ""),
        Column("document_id", "string", "", ""),
        Column("kind", "string", "", "", nullable=True),
        Column("parties", "list<string>", "", "", nullable=True),
        Column("price", "float64", "", "", nullable=True),
        Column("signed", "string", "", "", nullable=True),
        Column("valid", "bool", "", "", nullable=True),
        Column("content_digest", "string", "", ""),
    ),
)
ROWS = (
    ("a", "Lease", ["ACME", "Ada Byron"], 10.5, "2024-03", True),
    ("b", "sale", None, 500.0, "2025-01-31", False),
    ("o'b", None, ["ada  byron"], None, None, None),
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> LanceTables:
    """Tables with the three contracts."""
    made = LanceTables(tmp_path_factory.mktemp("lance"), {**TABLES, "contracts": SPEC})
    names = ("document_id", "kind", "parties", "price", "signed", "valid")
    rows = [dict(zip(names, row, strict=True)) | {"row_id": f"{row[0]}#0", "content_digest": "d"} for row in ROWS]
    made.write("contracts", table_of(rows, SPEC.schema(0)), ["a", "b", "o'b"])
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("contracts.kind=lease", {"a"}),
        ("contracts.kind != lease", {"b"}),
        ("contracts.kind=", {"o'b"}),
        ("contracts.kind!=", {"a", "b"}),
        ("contracts.parties=Ada Byron", {"a", "o'b"}),
        ("contracts.parties=", {"b"}),
        ("contracts.price>=10.5", {"a", "b"}),
        ("contracts.price<1e2", {"a"}),
        ("contracts.signed>=2024-06", {"b"}),
        ("contracts.valid=true", {"a"}),
        ("contracts.document_id=o'b", {"o'b"}),
        ("contracts.kind=' OR 1=1 --", set()),
    ],
)
def test_a_condition_holds_for_the_documents_of_its_rows(condition: str, found: set[str], tables: LanceTables) -> None:
    """Lists, numbers, dates and what was not found; nothing of a value is read as anything but a value."""
    assert documents_where(condition, tables) == found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("kind=lease", "is not a condition such as"),
        ("contracts.kind", "is not a condition such as"),
        ("contract.kind=lease", "There is no table 'contract' with rows of documents. Did you mean contracts"),
        ("contracts.kid=lease", "The table contracts has no column 'kid'. Did you mean kind?"),
        ("contracts.price=cheap", "needs a number"),
        ("contracts.valid=maybe", "needs true or false"),
        ("contracts.price>", "needs a value after >"),
    ],
)
def test_a_wrong_condition_says_what_is_wrong(condition: str, said: str, tables: LanceTables) -> None:
    """A filter that is not understood must not find everything, or nothing."""
    with pytest.raises(ConfigurationError) as error:
        documents_where(condition, tables)
    assert said in str(error.value)
