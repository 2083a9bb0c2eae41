"""The maintenance stage `search_index`: the indexes that search uses."""

from collections.abc import Mapping
from dataclasses import dataclass

from io_managers.store.fingerprint import Part
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import removed
from seed_assets.graph.stage import maintenance_stage


@dataclass(frozen=True, slots=True)
class Indexing:
    """The settings of the indexes.

    vector_index_rows: the number of chunks from which on their vectors are indexed. The default was chosen by judgement.
    """

    vector_index_rows: int = 5_000

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides which indexes are made."""
        return {"vector_index_rows": self.vector_index_rows}


@maintenance_stage(
    version="2",
    changes={"2": "The full-text index has the stemmer and the stop words of the language that most chunks are in."},
    table="chunks",
    works_on=("lance_documents", "lance_chunks", "lance_concepts"),
)
def search_index(tables: LanceTables, *, indexing: Indexing) -> str:
    """Not partitioned: the full-text index over all chunks and, beyond some thousand rows, the vector index.

    Words are stemmed by the language that most chunks are in. The indexes are updated when the published rows have changed; at
    the same time, small files of the tables are merged and their old versions are removed.
    """
    from resources.tables.lance_indexes import ensure_indexes
    from seed_assets.core.text.grammar.languages import language_of

    made = ensure_indexes(tables, vector_index_rows=indexing.vector_index_rows, language_of=language_of)
    done = {indexed.table: indexed.state for indexed in made}
    if "chunks" not in done:
        raise removed("chunks", tables.directory)
    return done["chunks"]
