"""Search over the knowledge base: from a query to hits."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from resources.errors import ConfigurationError
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableError, check_schema, read_error
from resources.tables.lance_indexes import TEXT_COLUMNS, uncovered_rows
from resources.tables.lance_schema import TABLES
from retrieval.candidates import SHOWN, find_candidates, read_rows
from retrieval.passage_features import Passages, StaticEmbedder
from retrieval.ranking import DECIMALS, Scores, best, best_sentence_scores, coarse_scores, fine_scores, token_scores

if TYPE_CHECKING:
    from lancedb.table import Table

_TABLE = "chunks"
LONGEST_QUERY_CHARACTERS = 2_000
"""Longer queries are cut: more text does not describe better what is sought, and each word costs a look-up (a judgement)."""
_CANDIDATES = 200
# Sentences and tokens are compared for the best candidates only. Measured: this takes an eighth of the time that comparing
# all candidates takes, and the first ten results are not worse.
_COMPARED_CLOSELY = 50


class StaticTextEmbedder(StaticEmbedder, Protocol):
    """The embedder that search needs."""

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of norm 1, shape (len(texts), dimensions); zeros for a text without content."""
        ...


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
        embedder: StaticTextEmbedder,
        embed_query: Callable[[str], NDArray[np.float32]] | None = None,
    ) -> None:
        """embedder: compares sentences and tokens offline. embed_query: embeds the query with the model that embedded the
        chunks, if that is not `embedder`."""
        self._tables = tables
        self._embed_query = embed_query
        self._embedder = embedder
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._opened: tuple[tuple[str | None, int | None], Table, int] | None = None

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
            table, dimensions = self._table()
            own_vector = self._embedder.embed_sync([sought])[0]
            query_vector = self._embed_query(sought) if self._embed_query else own_vector
            _check_dimensions(dimensions, len(query_vector))
            return self._hits(table, sought, query_vector, own_vector, limit)
        except TableError as error:
            raise ConfigurationError(str(error)) from error

    def _hits(
        self,
        table: "Table",
        query: str,
        query_vector: NDArray[np.float32],
        own_vector: NDArray[np.float32],
        limit: int,
    ) -> list[SearchHit]:
        try:
            found = find_candidates(table, query, query_vector, max(_CANDIDATES, 2 * limit), self._beside)
            if not len(found.rows):
                return []
            coarse = coarse_scores(found.text_scores, found.vector_scores)
            close = np.sort(best(coarse, max(_COMPARED_CLOSELY, limit)))
            rows = read_rows(table, found.rows[close])
        except (RuntimeError, OSError, ValueError) as error:
            raise read_error(_TABLE, self._tables.folder(_TABLE), error) from error
        scores = coarse[close] + self._fine_scores(query, own_vector, Passages.of_rows(rows))
        hits = [_hit(row, float(score)) for row, score in zip(rows.select(SHOWN).to_pylist(), scores, strict=True)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.document, hit.chunk))[:limit]

    def _fine_scores(self, query: str, query_vector: NDArray[np.float32], passages: Passages) -> Scores:
        """See ranking.fine_scores. Each token is compared once, however often it occurs in the passages."""
        distinct, places = np.unique(passages.token_ids, return_inverse=True)
        vectors = self._embedder.token_rows(distinct)
        query_token_ids = self._embedder.token_ids(query)
        cosines = _unit_rows(vectors) @ _unit_rows(self._embedder.token_rows(query_token_ids)).T
        return fine_scores(
            best_sentence_scores(passages, (vectors @ query_vector)[places]),
            token_scores(passages, query_token_ids, cosines[places]),
        )

    def _table(self) -> "tuple[Table, int]":
        """The current table and the length of its vectors. It is opened again if it was written or replaced since then."""
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
            self._opened = (seen, table, spec.dimensions_of(table.schema))
        return self._opened[1:]


def _check_dimensions(found: int, expected: int) -> None:
    if found != expected:
        raise ConfigurationError(
            f"Table {_TABLE} holds vectors of length {found}, but the configured embedder produces length {expected}. "
            "Configure the embedder that the table was seeded with, or run `seedbank seed` and `seedbank seed --rebuild-sink` "
            "with this one."
        )


def _unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def _hit(row: dict[str, Any], score: float) -> SearchHit:
    # Above the text from `start` to `end`, a row may have the header of a table, which is not a part of that text.
    text, start, end = row["text"], row["start"], row["end"]
    above = len(text) - (end - start)
    return SearchHit(
        document=row["document_id"],
        chunk=row["index"],
        score=round(score, DECIMALS),
        text=text[above:],
        start=start,
        end=end,
        title=row["title"],
        header=text[:above].rstrip("\n"),
    )
