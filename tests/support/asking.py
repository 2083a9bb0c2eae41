"""What tests of answers share: a finder over texts in memory, and an answerer that counts.

What belongs here: fakes of the Protocols in `answering`. What does not: a model server (tests.support.model_server).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from answering.answers import Passage, Question
from answering.asked import Asked
from answering.asker import Asker
from answering.drafts import Draft, DraftSentence, Place
from answering.finding import Snapshot
from answering.follow_ups import FollowUps
from answering.passages import POOL, Retrieved
from io_managers.store.fingerprint import Part
from io_managers.store.store import Store
from retrieval.filters import NO_FILTERS, FilterError, Filters
from seed_assets.memo.reuse import Reuse


class TextFinder:
    """Finds the documents that share most words with a question. Changing `documents` changes the snapshot."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self.documents = dict(documents)
        self.behind = False
        self.searches = 0

    @property
    def identity(self) -> Part:
        return "words"

    def snapshot(self, filters: Filters = NO_FILTERS) -> Snapshot:
        if unknown := set(filters.documents) - set(self.documents):
            raise FilterError(f"There is no document {min(unknown)!r}.")
        shown = {name: self.documents[name] for name in filters.documents or self.documents}
        return Snapshot("" if self.behind else str(sorted(shown.items())))

    def is_ready(self, filters: Filters) -> bool:
        return not filters

    def vector_is_kept(self, words: str) -> bool:
        return False

    async def find(
        self, words: str, reuse: Reuse | None = None, count: int = POOL, filters: Filters = NO_FILTERS
    ) -> Retrieved:
        self.searches += 1
        sought = set(words.casefold().strip("?").split())
        scored = [
            (len(sought & set(text.casefold().strip(".").split())), name)
            for name, text in self.documents.items()
            if name in (filters.documents or self.documents)
        ]
        best = sorted((-score, name) for score, name in scored if score)[:count]
        passages = [
            Passage(name, name, 0, len(self.documents[name]), self.documents[name], score=-score / 10)
            for score, name in best
        ]
        return Retrieved(tuple(passages), (0.9,) * len(passages))

    async def aclose(self) -> None:
        pass


class CountingAnswerer:
    """Answers with the first passage, word for word; `asked` are the questions that it was given."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: Exception | None = None

    @property
    def identity(self) -> Mapping[str, Part]:
        return {"answerer": "first passage"}

    async def draft(self, question: Question, passages: Sequence[Passage], reuse: Reuse) -> Draft:
        self.asked.append(question.text)
        if self.failure is not None:
            raise self.failure
        first = passages[0].text
        return Draft((DraftSentence(first, (Place(0, 0, len(first)),)),), "first passage")


@contextmanager
def asker_over(
    home: Path, finder: TextFinder, answerer: CountingAnswerer, follow_ups: FollowUps | None = None
) -> Iterator[Asker]:
    """An asker with a store of its own, closed in the end."""
    store = Store(home / "store")
    asker = Asker(
        store,
        finder,
        answerer,
        Asked(home / "asked" / "asked.db"),
        lambda no_cache: Reuse(store, no_cache=no_cache),
        passages=2,
        follow_ups=follow_ups,
    )
    try:
        yield asker
    finally:
        asker.close()
        store.close()
