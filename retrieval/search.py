"""Search over the knowledge base: from a query to hits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from resources.errors import ConfigurationError
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableError, check_schema, read_error
from resources.tables.lance_indexes import TEXT_COLUMNS, uncovered_rows
from resources.tables.lance_schema import SEARCHED
from retrieval.candidates import SHOWN, find_candidates, read_rows
from retrieval.filters import NO_FILTERS, Filters, ModifiedAt, condition_of
from retrieval.hits import AlikePassage, ScoreParts, SearchHit
from retrieval.near_duplicates import groups
from retrieval.passage_features import Passages, StaticEmbedder
from retrieval.ranking import DECIMALS, Scores, best, best_sentence_scores, coarse_parts, fine_parts, token_scores

if TYPE_CHECKING:
    from lancedb.table import Table

LONGEST_QUERY_CHARACTERS = 2_000
"""Longer queries are cut: more text does not describe better what is sought, and each word costs a look-up (a judgement)."""
_CANDIDATES = 200
# Sentences and tokens are compared for the best candidates only. Measured: this takes an eighth of the time that comparing
# all candidates takes, and the first ten results are not worse.
_COMPARED_CLOSELY = 50
# So many chunks are compared at most to find those that are not nearly the same (a judgement; it takes a second).
_MOST_FOLDED = 2_560


class StaticTextEmbedder(StaticEmbedder, Protocol):
    """The embedder that search needs."""

    def embed_sync(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of norm 1, shape (len(texts), dimensions); zeros for a text without content."""
        ...


@dataclass(frozen=True, slots=True)
class _Query:
    """A query with its vectors and its condition. own_vector: that of the offline embedder."""

    text: str
    vector: NDArray[np.float32]
    own_vector: NDArray[np.float32]
    condition: str


@dataclass(frozen=True, slots=True)
class _Compared:
    """Chunks that were compared closely. order: their places, best first. are_all: whether there are no other candidates."""

    hits: list[SearchHit]
    order: list[int]
    passages: Passages
    are_all: bool


class Searcher:
    """Searches the newest version of the table of chunks. Creating one is cheap; the first search opens the table."""

    def __init__(
        self,
        tables: LanceTables,
        embedder: StaticTextEmbedder,
        embed_query: Callable[[str], NDArray[np.float32]] | None = None,
        modified_at: ModifiedAt | None = None,
    ) -> None:
        """embedder: compares sentences and tokens offline. embed_query: embeds the query with the model that embedded the
        chunks, if that is not `embedder`. modified_at: see Filters.since, which needs it."""
        self._tables = tables
        self._embed_query = embed_query
        self._embedder = embedder
        self._modified_at = modified_at
        self._opened: tuple[tuple[str | None, int | None], Table, int] | None = None

    def search(
        self,
        query: str,
        limit: int = 10,
        filters: Filters = NO_FILTERS,
        *,
        fold: bool = False,
        vector: NDArray[np.float32] | None = None,
    ) -> list[SearchHit]:
        """The best `limit` chunks, best first; equal scores by document and position. [] if the table is empty.

        query: any text; it has no operators, and only its first 2,000 characters are used. filters: only chunks of documents
        that pass them are candidates. fold: of chunks that are nearly the same, only the best one is a hit, and the others are
        in its `alike`. vector: that of the query, if it is known already, by the model that embedded the chunks.

        Raises ConfigurationError, with a remedy, for an empty query, for a limit below 1, for a filter that names something
        unknown, if nothing was seeded or indexed yet, and if the table is damaged or holds the vectors of another embedder.
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
            condition = condition_of(filters, self._tables, self._modified_at)
            own_vector = self._embedder.embed_sync([sought])[0]
            if vector is None:
                vector = self._embed_query(sought) if self._embed_query else own_vector
            assert vector is not None
            _check_dimensions(dimensions, len(vector))
            asked = _Query(sought, vector, own_vector, condition)
            if fold:
                return self._folded(table, asked, limit)
            found = self._compared(table, asked, limit)
            return [found.hits[place] for place in found.order[:limit]]
        except TableError as error:
            raise ConfigurationError(str(error)) from error

    def _folded(self, table: "Table", asked: "_Query", limit: int) -> list[SearchHit]:
        """The best `limit` chunks of which no two are nearly the same; more are compared until there are so many."""
        wanted = limit
        while True:
            found = self._compared(table, asked, wanted)
            alike = groups(found.passages, found.order)
            if len(alike) >= limit or found.are_all or wanted >= _MOST_FOLDED:
                break
            wanted *= 4
        return [_with_alike([found.hits[place] for place in group]) for group in alike[:limit]]

    def _compared(self, table: "Table", asked: "_Query", limit: int) -> "_Compared":
        """At least the best `limit` chunks."""
        most = max(_CANDIDATES, 2 * limit)
        try:
            found = find_candidates(table, asked.text, asked.vector, most, asked.condition)
            text, vector = coarse_parts(found.text_scores, found.vector_scores)
            close = np.sort(best(text + vector, max(_COMPARED_CLOSELY, limit)))
            rows = read_rows(table, found.rows[close])
        except (RuntimeError, OSError, ValueError) as error:
            raise read_error(SEARCHED, self._tables.folder(SEARCHED), error) from error
        passages = Passages.of_rows(rows)
        sentence, token = self._fine_parts(asked, passages)
        scores = (text[close] + vector[close]) + (sentence + token)
        parts = np.stack([text[close], vector[close], sentence, token], axis=1).round(DECIMALS).tolist()
        hits = [
            _hit(row, float(score), ScoreParts(*own))
            for row, score, own in zip(rows.select(SHOWN).to_pylist(), scores, parts, strict=True)
        ]
        order = sorted(
            range(len(hits)), key=lambda place: (-hits[place].score, hits[place].document, hits[place].chunk)
        )
        return _Compared(hits, order, passages, len(found.rows) < most and len(close) == len(found.rows))

    def _fine_parts(self, asked: "_Query", passages: Passages) -> tuple[Scores, Scores]:
        """See ranking.fine_parts. Each token is compared once, however often it occurs in the passages."""
        distinct, places = distinct_tokens(passages.token_ids)
        vectors = self._embedder.token_rows(distinct)
        query_token_ids = self._embedder.token_ids(asked.text)
        cosines = _unit_rows(vectors) @ _unit_rows(self._embedder.token_rows(query_token_ids)).T
        return fine_parts(
            best_sentence_scores(passages, (vectors @ asked.own_vector)[places]),
            token_scores(passages, query_token_ids, cosines[places]),
        )

    def _table(self) -> "tuple[Table, int]":
        """The current table and the length of its vectors. It is opened again if it was written or replaced since then."""
        folder = self._tables.folder(SEARCHED)
        seen = (self._tables.state(SEARCHED), self._tables.version(SEARCHED))
        if self._opened is None or self._opened[0] != seen:
            table = self._tables.open(SEARCHED)
            spec = self._tables.specs[SEARCHED]
            expected = spec.schema(spec.dimensions_of(table.schema))
            check_schema(SEARCHED, expected=expected, found=table.schema, where=f"the table in {folder}")
            missing = [column for column in TEXT_COLUMNS if uncovered_rows(table, column) is None]
            if missing:
                raise ConfigurationError(
                    f"Table {SEARCHED} in {folder} has no full-text index on {', '.join(missing)} yet, because the run that "
                    "creates it has not finished. Run `seedbank seed`."
                )
            self._opened = (seen, table, spec.dimensions_of(table.schema))
        return self._opened[1:]


def _check_dimensions(found: int, expected: int) -> None:
    if found != expected:
        raise ConfigurationError(
            f"Table {SEARCHED} holds vectors of length {found}, but the configured embedder produces length {expected}. "
            "Configure the embedder that the table was seeded with, or run `seedbank seed` and `seedbank seed --rebuild-sink` "
            "with this one."
        )


def distinct_tokens(token_ids: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The distinct ids in ascending order, and the place of each given id among them; of shapes (distinct,) and (n,).

    The same as `np.unique` with `return_inverse`, without a sort: ids are small numbers.
    """
    occurs = np.zeros(token_ids.max(initial=-1) + 1, dtype=bool)
    occurs[token_ids] = True
    distinct = np.flatnonzero(occurs)
    places = np.empty(len(occurs), dtype=np.intp)
    places[distinct] = np.arange(len(distinct))
    return distinct, places[token_ids]


def _unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows, each divided by its length; rows of zeros stay."""
    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    lengths[lengths == 0] = 1
    return rows / lengths


def _with_alike(found: Sequence[SearchHit]) -> SearchHit:
    first, *others = found
    return replace(first, alike=tuple(AlikePassage(one.document, one.chunk, one.start, one.end) for one in others))


def _hit(row: dict[str, Any], score: float, parts: ScoreParts) -> SearchHit:
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
        parts=parts,
    )
