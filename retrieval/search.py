"""Search over the knowledge base: from a query to hits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from resources.errors import ConfigurationError
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableError, check_schema, read_error
from resources.tables.lance_indexes import TEXT_COLUMNS, uncovered_rows
from resources.tables.lance_schema import TABLES
from retrieval.candidates import Candidate, find_candidates
from retrieval.passage_features import PassageCache, TextEmbedder
from retrieval.ranking import DECIMALS, best, best_sentence_scores, coarse_scores, fine_scores, token_scores

if TYPE_CHECKING:
    from lancedb.table import Table

_TABLE = "chunks"
LONGEST_QUERY_CHARACTERS = 2_000
"""Longer queries are cut: more text does not describe better what is sought, and each word costs a look-up (a judgement)."""
_CANDIDATES = 200
# Sentences and tokens are compared for the best candidates only. Measured: this takes an eighth of the time that comparing
# all candidates takes, and the first ten results are not worse.
_COMPARED_CLOSELY = 50


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One chunk that was found."""

    document: str
    """The id of the document."""
    chunk: int
    """The position of the chunk in its document, from 0."""
    score: float
    """From 0 to 1; comparable only within one search."""
    text: str
    """The document's extracted text from `start` to `end`."""
    start: int
    """The offset of the first character in the document's extracted text."""
    end: int
    """The offset after the last character."""
    title: str
    """The title of the document."""
    header: str = ""
    """The header row and the rule of the table inside which the chunk begins; "" if it begins inside of none."""


class Searcher:
    """Searches the newest version of the table of chunks. Creating one is cheap; the first search opens the table."""

    def __init__(
        self,
        tables: LanceTables,
        embedder: TextEmbedder,
        embed_query: Callable[[str], NDArray[np.float32]] | None = None,
    ) -> None:
        """embedder: compares sentences and tokens offline. embed_query: embeds the query with the model that embedded the
        chunks, if that is not `embedder`."""
        self._tables = tables
        self._embed_query = embed_query
        self._embedder = embedder
        self._passages = PassageCache(embedder)
        self._opened: tuple[tuple[str | None, int | None], Table] | None = None

    def search(self, query: str, limit: int = 10) -> list[SearchHit]:
        """The best `limit` chunks, best first; equal scores by document and position. [] if the table is empty.

        query: any text; it has no operators, and only its first 2,000 characters are used.
        Raises ConfigurationError, with a remedy, for an empty query, for a limit below 1, if nothing was seeded or indexed
        yet, and if the table is damaged or holds the vectors of another embedder.
        """
        sought = query.strip()[:LONGEST_QUERY_CHARACTERS]
        if not sought:
            raise ConfigurationError("The query is empty. Enter words or a question to search for.")
        if limit < 1:
            raise ConfigurationError(f"The number of results must be at least 1, not {limit}.")
        # LanceDB does not accept lone surrogates, which come from a command line that is not UTF-8.
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
        passages = [self._passages.features_of(candidates[place].text) for place in close]
        distinct = np.unique(np.concatenate([passage.token_ids for passage in passages]))
        tokens = token_scores(
            *self._embedder.token_vectors(query), passages, distinct, self._passages.token_vectors(distinct)
        )
        scores = coarse[close] + fine_scores(best_sentence_scores(own_vector, passages), tokens)
        return [_hit(candidates[close[place]], float(scores[place])) for place in best(scores, limit)]

    def _table(self) -> "Table":
        """The current table. It is opened again if it was replaced or written since the last search."""
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
                    f"Table {_TABLE} in {folder} has no full-text index on {', '.join(missing)} yet, because the run that "
                    "creates it has not finished. Run `seedbank seed`."
                )
            self._opened = (seen, table)
        return self._opened[1]


def _check_dimensions(table: "Table", expected: int) -> None:
    found = table.schema.field("vector").type.list_size
    if found != expected:
        raise ConfigurationError(
            f"Table {_TABLE} holds vectors of length {found}, but the configured embedder produces length {expected}. "
            "Configure the embedder that the table was seeded with, or run `seedbank seed` and `seedbank seed --rebuild-sink` "
            "with this one."
        )


def _hit(candidate: Candidate, score: float) -> SearchHit:
    # Above the text from `start` to `end`, a row may have the header of a table, which is not a part of that text.
    above = len(candidate.text) - (candidate.end - candidate.start)
    return SearchHit(
        document=candidate.document_id,
        chunk=candidate.index,
        score=round(score, DECIMALS),
        text=candidate.text[above:],
        start=candidate.start,
        end=candidate.end,
        title=candidate.title,
        header=candidate.text[:above].rstrip("\n"),
    )
