"""Finding the passages for words in one home, with their pages, and saying which rows were read.

What belongs here: the borders to search, the store and the settings of a home. What does not: ranking (retrieval), and keeping
what was found (asker).
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from answering.answers import Passage
from answering.passages import POOL, Retrieved, titled
from answering.relevance import measures, probability, weigh
from io_managers.store.errors import CorruptObjectError, MissingObjectError, UnknownFormatError
from io_managers.store.fingerprint import Part
from resources.models.embedder import WordLlamaEmbedder
from resources.tables.lance_schema import SEARCHED
from retrieval.filters import NO_FILTERS, Filters, condition_of
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.engine.runner import Asking
from seed_assets.memo.reuse import Reuse
from seed_assets.session.session import Session
from seed_assets.stages.documents.embeddings import embed_texts, embedding_actions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from resources.tables.lance import LanceTables
    from retrieval.search import Searcher, SearchHit

# Raise it if search ranks differently, or if a passage or its probability is made in another way.
_VERSION = "2"
# Where the pages of so many documents begin is kept in memory (a judgement).
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rows that search reads.

    rows: a digest of them, and of the documents that pass the filters; "" while rows are written that the search index does not
    cover yet, so that what is found now may not be kept.
    """

    rows: str


class Finder(Protocol):
    """Finds passages."""

    @property
    def identity(self) -> Part:
        """Everything that decides what is found besides the words and the rows."""
        ...

    def snapshot(self, filters: Filters = NO_FILTERS) -> Snapshot:
        """Return which rows are searched now; in microseconds if `is_ready`. Raises ConfigurationError for a filter."""
        ...

    def is_ready(self, filters: Filters) -> bool:
        """Whether it is known already which documents pass the filters; otherwise `snapshot` has to read tables."""
        ...

    def vector_is_kept(self, words: str) -> bool:
        """Whether the vector of these words is stored, if a server makes it."""
        ...

    async def find(self, words: str, reuse: Reuse, count: int = POOL, filters: Filters = NO_FILTERS) -> Retrieved:
        """Return the best passages for the words. reuse: pays for their vector. Raises ConfigurationError, DocumentError."""
        ...

    async def aclose(self) -> None:
        """Close the connections to a server."""
        ...


class HomeFinder:
    """Finds passages in the tables of a home; see Finder."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._page_starts: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._passed: OrderedDict[tuple[Filters, Hashable], str] = OrderedDict()
        self._searcher: tuple[LanceTables, Searcher] | None = None

    def _searcher_over(self, tables: "LanceTables") -> "Searcher":
        """The searcher over these tables; it is made again when others have become current."""
        if self._searcher is None or self._searcher[0] is not tables:
            self._searcher = tables, self._session.searcher()
        return self._searcher[1]

    @cached_property
    def _index_stage(self) -> str:
        """The stage that indexes the searched table; its last run says which rows there were."""
        stages = self._session.pipeline.maintenance_stages
        return next(stage.name for stage in stages if stage.table == SEARCHED)

    @cached_property
    def embedder(self) -> WordLlamaEmbedder:
        """The bundled embedder, which compares words in this process."""
        return WordLlamaEmbedder()

    @property
    def identity(self) -> Part:
        """The version of this module, and the embedders of queries and of sentences."""
        return {
            "version": _VERSION,
            "embedder": dict(self._session.query_embedder.identity),
            "compared by": dict(self.embedder.identity),
        }

    def snapshot(self, filters: Filters = NO_FILTERS) -> Snapshot:
        """See Finder. Rows that were written after the index was brought up to date are not covered by it."""
        session = self._session
        if session.mirrored is not None:
            digest = session.mirrored.current().digest
            return Snapshot(f"{digest} {self._passing(filters)}" if filters else digest)
        ref = session.store.refs.get(self._index_stage, [""]).get("")
        if ref is None or ref.state != session.tables.state(SEARCHED):
            return Snapshot("")
        return Snapshot(f"{ref.action_key} {self._passing(filters)}" if filters else ref.action_key)

    def is_ready(self, filters: Filters) -> bool:
        """See Finder."""
        return not filters or (filters, self._state_of(filters)) in self._passed

    def _passing(self, filters: Filters) -> str:
        """Return a digest of the documents that pass the filters now."""
        known = filters, self._state_of(filters)
        passing = self._passed.get(known)
        if passing is None:
            condition = condition_of(filters, self._session.tables, self._session.modified_at)
            passing = self._passed[known] = hashlib.sha256(condition.encode()).hexdigest()[:32]
            if len(self._passed) > _REMEMBERED:
                with suppress(KeyError):
                    self._passed.popitem(last=False)
        return passing

    def _state_of(self, filters: Filters) -> Hashable:
        """Return what changes whenever other documents may pass the filters."""
        tables, index = self._session.tables, self._session.home.corpus_index
        # An unknown table is refused where the condition is applied.
        read = [table for table in filters.tables if table in tables.specs]
        versions = (str(tables.directory), *(tables.version(table) for table in read))
        with suppress(OSError):
            return (*versions, index.stat().st_mtime_ns)
        return versions

    def vector_is_kept(self, words: str) -> bool:
        """See Finder."""
        (action,) = embedding_actions([words], self._session.query_embedder)
        return action.key in self._session.store.actions.existing([action.key])

    async def find(self, words: str, reuse: Reuse, count: int = POOL, filters: Filters = NO_FILTERS) -> Retrieved:
        """See Finder."""
        embedder = self._session.query_embedder
        vector = (await embed_texts([words], embedder, reuse))[0] if isinstance(embedder, Asking) else None
        return await asyncio.to_thread(self._found, words, count, filters, vector)

    def _found(self, words: str, count: int, filters: Filters, vector: "NDArray[np.float32] | None") -> Retrieved:
        hits = self._searcher_over(self._session.tables).search(words, count, filters, vector=vector)
        passages = tuple(self._passage(hit) for hit in hits)
        texts = titled(passages)
        found = measures(words, texts, weigh(words, texts), self.embedder, len(texts))
        return Retrieved(passages, tuple(round(probability(*one), 6) for one in found))

    async def aclose(self) -> None:
        """See Finder."""
        embedder = self._session.query_embedder
        if isinstance(embedder, Asking):
            await embedder.endpoint.aclose()

    def _passage(self, hit: "SearchHit") -> Passage:
        starts = self._starts_of(hit.document)
        page = sum(start <= hit.start for start in starts) or None
        within = tuple(start - hit.start for start in starts if hit.start < start < hit.end)
        return Passage(hit.document, hit.title, hit.start, hit.end, hit.text, hit.header, page, within, hit.score)

    def _starts_of(self, document: str) -> Sequence[int]:
        """Where the pages of a document begin in its text; nothing if it has none, or if its text is not stored any more."""
        session = self._session
        stage = next(iter(session.pipeline.document_stages))
        ref = session.store.refs.get(stage.name, [document]).get(document)
        if ref is None:
            return ()
        # Other threads may remove any of them meanwhile.
        found = self._page_starts.get(ref.content_digest)
        if found is None:
            try:
                found = session.store.load(ref.content_digest, ExtractedText).page_starts
            except (CorruptObjectError, MissingObjectError, UnknownFormatError):
                return ()
            self._page_starts[ref.content_digest] = found
            if len(self._page_starts) > _REMEMBERED:
                with suppress(KeyError):
                    self._page_starts.popitem(last=False)
        return found
