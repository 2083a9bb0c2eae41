"""docs/tables.md says what resources/tables/lance_schema.py declares."""

from pathlib import Path

from resources.tables.lance_schema import TABLES

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "tables.md"


def shown_columns() -> dict[str, list[str]]:
    """The rows of each section's table of columns, by the section's heading."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| `"):
            sections.setdefault(heading, []).append(line)
    return sections


def test_every_table_and_column_is_documented_as_it_is_declared() -> None:
    """Guards against a column that is added, renamed or retyped in one place alone."""
    declared = {
        name: [
            f"| `{column.name}` | {column.type} | {column.meaning}{' (*may be null*)' if column.nullable else ''} "
            f"| {column.source} |"
            for column in spec.columns
        ]
        for name, spec in TABLES.items()
    }
    assert shown_columns() == declared


def test_every_table_names_whose_its_rows_are_and_what_they_were_written_from() -> None:
    """Guards what `LanceTables` needs of every table to replace the rows of one document, or one cluster."""
    for spec in TABLES.values():
        types = {column.name: column.type for column in spec.columns}
        needed = {*filter(None, (spec.owner, spec.key)), "content_digest"}
        assert {types[name] for name in needed} == {"string"}
        assert not [column.name for column in spec.columns if column.nullable and column.name in needed]
