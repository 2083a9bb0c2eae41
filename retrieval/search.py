"""Search over the knowledge base. What belongs here: from query to hits. What does not: answers, printing, caching."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from resources.errors import ConfigurationError
from resources.lance import LanceTables
from resources.lance_errors import TableError, check_schema, read_error
from resources.lance_indexes import TEXT_COLUMNS, uncovered_rows
from resources.lance_schema import TABLES
from retrieval.candidates import Candidate, find_candidates
from retrieval.passages import Passages, TextEmbedder
from retrieval.ranking import DECIMALS, best, best_sentence_scores, coarse_scores, fine_scores, token_scores

if TYPE_CHECKING:
    from lancedb.table import Table

_TABLE = "chunks"
# More than this many characters say no more about what is sought, and each word costs a look-up.
LONGEST_QUERY_CHARACTERS = 2_000
_CANDIDATES = 200
# Sentences and tokens are compared for the best candidates only: that takes an eighth of the time that all of them
# take, and the first ten were measured to be no worse.
_COMPARED_CLOSELY = 50


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One chunk found. `score` is 0 to 1 and comparable within one search; `start` and `end` are character offsets
    into the document's extracted text."""

    document: str
    chunk: int
    score: float
    text: str
    start: int
    end: int
    title: str


class Searcher:
    """Searches the chunks, always in their newest version. Cheap to make; the first search opens the table."""

    def __init__(
        self,
        tables: LanceTables,
        embedder: TextEmbedder,
        embed_query: Callable[[str], NDArray[np.float32]] | None = None,
    ) -> None:
        """embedder: compares sentences and tokens, here. embed_query: a query's vector by whoever embedded the chunks,
        where that is another."""
        self._tables = tables
        self._embed_query = embed_query
        self._embedder = embedder
        self._passages = Passages(embedder)
        self._opened: tuple[tuple[str | None, int | None], Table] | None = None

    def search(self, query: str, limit: int = 10) -> list[SearchHit]:
        """The best `limit` chunks, best first; equal scores by document and position. [] where nothing is stored.

        Any text will do as a query: nothing in it is an operator. Of a longer query the first 2,000 characters count.
        Raises ConfigurationError for an empty query or limit, where nothing was seeded or indexed yet, or where the
        table is damaged or holds another embedder's vectors: each with what to do.
        """
        sought = query.strip()[:LONGEST_QUERY_CHARACTERS]
        if not sought:
            raise ConfigurationError("The query is empty: say what to search for.")
        if limit < 1:
            raise ConfigurationError(f"The number of results must be at least 1, not {limit}.")
        # A lone surrogate (a command line that is not UTF-8) cannot be handed to LanceDB.
        sought = sought.encode("utf-8", "replace").decode("utf-8")
        try:
            table = self._table()
            own_vector = self._embedder.embed_sync([sought])[0]
            query_vector = self._embed_query(sought) if self._embed_query else own_vector
            _check_dimensions(table, len(query_vector))
            candidates = self._candidates(table, sought, query_vector, max(_CANDIDATES, 2 * limit))
        except TableError as error:
            raise ConfigurationError(str(error)) from error
        if not candidates:
            return []
        return self._ranked(sought, query_vector, own_vector, candidates, limit)

    def _candidates(self, table: "Table", query: str, query_vector: NDArray[np.float32], limit: int) -> list[Candidate]:
        try:
            return find_candidates(table, query, query_vector, limit)
        except (RuntimeError, OSError, ValueError) as error:
            raise read_error(_TABLE, self._tables.folder(_TABLE), error) from error

    def _ranked(
        self,
        query: str,
        query_vector: NDArray[np.float32],
        own_vector: NDArray[np.float32],
        candidates: list[Candidate],
        limit: int,
    ) -> list[SearchHit]:
        vectors = np.stack([candidate.vector for candidate in candidates])
        coarse = coarse_scores(
            np.array([candidate.text_score for candidate in candidates]), (vectors @ query_vector).astype(float)
        )
        close = np.sort(best(coarse, max(_COMPARED_CLOSELY, limit)))
        passages = [self._passages.of(candidates[place].text) for place in close]
        distinct = np.unique(np.concatenate([passage.token_ids for passage in passages]))
        tokens = token_scores(
            *self._embedder.token_vectors(query), passages, distinct, self._passages.token_vectors(distinct)
        )
        scores = coarse[close] + fine_scores(best_sentence_scores(own_vector, passages), tokens)
        return [_hit(candidates[close[place]], float(scores[place])) for place in best(scores, limit)]

    def _table(self) -> "Table":
        """The table as it is now; opened anew when it was replaced or written since."""
        folder = self._tables.folder(_TABLE)
        seen = (self._tables.state(_TABLE), self._tables.version(_TABLE))
        if self._opened is None or self._opened[0] != seen:
            table = self._tables.open(_TABLE)
            spec = TABLES[_TABLE]
            expected = spec.schema(spec.dimensions_of(table.schema))
            check_schema(_TABLE, expected=expected, found=table.schema, where=f"the table in {folder}")
            missing = [column for column in TEXT_COLUMNS if uncovered_rows(table, column) is None]
            if missing:
                raise ConfigurationError(
                    f"Table {_TABLE} in {folder} has no full-text index on {', '.join(missing)} yet: the run that "
                    "makes it has not finished. Run `seedbank seed`."
                )
            self._opened = (seen, table)
        return self._opened[1]


def _check_dimensions(table: "Table", expected: int) -> None:
    found = table.schema.field("vector").type.list_size
    if found != expected:
        raise ConfigurationError(
            f"Table {_TABLE} holds vectors of {found} numbers, but the embedder in use makes {expected}. Set the "
            "embedder that it was seeded with, or run `seedbank seed` and `seedbank seed --rebuild-sink` with this one."
        )


def _hit(candidate: Candidate, score: float) -> SearchHit:
    return SearchHit(
        document=candidate.document_id,
        chunk=candidate.index,
        score=round(score, DECIMALS),
        text=candidate.text,
        start=candidate.start,
        end=candidate.end,
        title=candidate.title,
    )
