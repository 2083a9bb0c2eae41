"""What a table is: its columns with types, meanings and sources, and the Arrow schema made from them.

What does not belong here: the project's own tables (lance_schema).
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import pyarrow as pa

ColumnType = Literal[
    "string",
    "list<string>",
    "int32",
    "list<int32>",
    "int64",
    "list<int64>",
    "float64",
    "list<float32>",
    "list<float64>",
    "bool",
    "list<bool>",
    "vector",
]
"""`vector` is a fixed-size list of float32, as long as the embedder's vectors."""


# The name of a table is that of a folder, and the name of a column stands in conditions of LanceDB.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
DIGEST_COLUMN = "content_digest"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    source: the stage and field from which its value comes. reported: whether people read it in the report on a knowledge base;
    the key of a row, its owner's name and its digest are left out there in any case.
    """

    name: str
    type: ColumnType
    meaning: str = ""
    source: str = ""
    nullable: bool = False
    reported: bool = True


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table.

    owner: the column with the owner of a row. The rows of an owner are replaced together; without an owner ("") all rows are.
    Every table also has the column `content_digest`: the digest of the results from which a row was written.
    """

    name: str
    key: str
    rows: str
    columns: tuple[Column, ...]
    owner: str = "document_id"

    def schema(self, dimensions: int) -> "pa.Schema":
        """The exact Arrow schema. dimensions: the length of vectors; it is ignored if there is no vector column."""
        import pyarrow as pa

        types: dict[str, pa.DataType] = {
            "string": pa.string(),
            "list<string>": pa.list_(pa.string()),
            "int32": pa.int32(),
            "list<int32>": pa.list_(pa.int32()),
            "int64": pa.int64(),
            "list<int64>": pa.list_(pa.int64()),
            "float64": pa.float64(),
            "list<float32>": pa.list_(pa.float32()),
            "list<float64>": pa.list_(pa.float64()),
            "bool": pa.bool_(),
            "list<bool>": pa.list_(pa.bool_()),
            "vector": pa.list_(pa.float32(), dimensions),
        }
        return pa.schema([pa.field(column.name, types[column.type], column.nullable) for column in self.columns])

    def problem(self) -> str:
        """What is wrong with the declaration, as a clause; "" if nothing is."""
        names = [column.name for column in self.columns]
        if not _NAME.fullmatch(self.name):
            return "its name has to begin with a small letter and consist of small letters, digits and underscores"
        for column in self.columns:
            if not _NAME.fullmatch(column.name):
                return f"the name of its column {column.name!r} has to consist of small letters, digits and underscores"
            if column.type not in get_args(ColumnType):
                return f"the type {column.type!r} of its column {column.name} is not one of {', '.join(get_args(ColumnType))}"
        if twice := next((name for name in names if names.count(name) > 1), ""):
            return f"it has two columns of the name {twice}"
        for name, what in (
            (self.key, "key"),
            (self.owner, "owner"),
            (DIGEST_COLUMN, "digest of what a row was written from"),
        ):
            column = next((column for column in self.columns if column.name == name), None)
            if name and (column is None or column.type != "string" or column.nullable):
                return f"it needs a column {name} of the type string, without nulls: the {what}"
        return ""

    def dimensions_of(self, schema: "pa.Schema") -> int:
        """The length of the vectors in tables of `schema`; 0 if there is no vector column of a fixed length."""
        import pyarrow as pa

        for column in self.columns:
            if column.type == "vector" and schema.get_field_index(column.name) >= 0:
                found = schema.field(column.name).type
                return found.list_size if pa.types.is_fixed_size_list(found) else 0
        return 0
