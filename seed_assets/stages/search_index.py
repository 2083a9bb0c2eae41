"""The upkeep stage `search_index`: what search needs beside the rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from io_managers.store.fingerprint import Part
from resources.lance import LanceTables
from resources.lance_indexes import ensure_indexes
from seed_assets.stage import upkeep_stage


@dataclass(frozen=True, slots=True)
class Indexing:
    """Which indexes there are. vector_index_rows: from so many chunks on, their vectors have one."""

    vector_index_rows: int = 5_000

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides which indexes there are."""
        return {"vector_index_rows": self.vector_index_rows}


@upkeep_stage(version="1", table="chunks", over=("lance_documents", "lance_chunks", "lance_concepts"))
def search_index(tables: LanceTables, *, indexing: Indexing) -> str:
    """Not partitioned: the full-text index over all chunks and, past some thousand rows, the vector index.

    Brought up to date when the published rows are others than those it was made for; small files of the tables are
    merged and their old versions removed at the same time.
    """
    done = {
        indexed.table: indexed.state for indexed in ensure_indexes(tables, vector_index_rows=indexing.vector_index_rows)
    }
    return done["chunks"]
