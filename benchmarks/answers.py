"""Measures answers on the XQuAD questions (English): how often they hold what is asked, and whether it is known when they do not.

What belongs here: the offline answer, the probability that the documents answer, and how long a kept answer takes. What does
not: finding passages (quality_search), answers by a model, and the service.

Each question is asked twice: with all chunks, and without those that hold its answer. The weights of `answering.relevance` were
learnt from the questions about every second article (`--learn` prints them); all figures are of the other articles.

Run: python -m benchmarks.answers [--learn] [CORPORA]
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

from answering import relevance
from answering.answers import Passage
from answering.answers import Question as Asked
from answering.asked import Asked as AskedFile
from answering.asker import Asker
from answering.drafts import resolved
from answering.finding import Snapshot
from answering.passages import POOL, Retrieved, titled
from answering.sentence_answers import SentenceAnswerer
from benchmarks.corpora import corpora_directory
from benchmarks.quality_search import Question, as_chunks, read_corpus, write_chunks
from io_managers.store.store import Store
from resources.models.embedder import WordLlamaEmbedder
from resources.tables.lance import LanceTables
from retrieval.filters import NO_FILTERS, Filters
from retrieval.search import Searcher, SearchHit
from seed_assets.memo.reuse import Reuse

_PASSAGES = 8
_TIMED = 300
# How many passages are looked at to find those of a few documents: the tables of the benchmark cannot be filtered.
_DEEP = 10 * POOL


class Tables:
    """Finds passages in the tables of the benchmark, without a home; see answering.finding.Finder."""

    identity = "benchmark"

    def __init__(self, searcher: Searcher, embedder: WordLlamaEmbedder, rows: str = "articles") -> None:
        self.searcher = searcher
        self._embedder = embedder
        self._rows = rows

    def snapshot(self, filters: Filters = NO_FILTERS) -> Snapshot:
        """Return the name of the rows, with the documents that may be searched."""
        return Snapshot(f"{self._rows} {filters.documents}" if filters else self._rows)

    def is_ready(self, filters: Filters) -> bool:
        """Return whether the rows are known: they always are."""
        return True

    def vector_is_kept(self, words: str) -> bool:
        """Return whether it need not be computed: it always is."""
        return False

    async def find(
        self, words: str, reuse: Reuse | None = None, count: int = POOL, filters: Filters = NO_FILTERS
    ) -> Retrieved:
        """Return the passages that search finds. filters: only their documents count."""
        hits = self.searcher.search(words, _DEEP if filters else count)
        return self.judged(words, [hit for hit in hits if not filters or hit.document in filters.documents][:count])

    async def aclose(self) -> None:
        """Do nothing: nothing is connected."""

    def judged(self, words: str, hits: Sequence[SearchHit]) -> Retrieved:
        """Return these passages, with the probability that they answer."""
        passages = [Passage(h.document, h.title, h.start, h.end, h.text, h.header, score=h.score) for h in hits]
        likely = (relevance.probability(*one) for one in self.measured(words, passages))
        return Retrieved(tuple(passages), tuple(likely))

    def measured(self, words: str, passages: Sequence[Passage]) -> list[tuple[float, float]]:
        """Return the measures by which each passage is judged."""
        texts = titled(passages)
        return relevance.measures(words, texts, relevance.weigh(words, texts), self._embedder, len(texts))


def measure(corpora: Path, *, learn: bool) -> dict[str, Any]:
    """Return all figures, by name."""
    documents, questions = read_corpus(corpora)
    names = sorted(documents)
    titles = {name: Path(name).stem.split("_", 1)[1].replace("_", " ") for name in documents}
    embedder = WordLlamaEmbedder()
    with tempfile.TemporaryDirectory() as directory:
        _, searcher = write_chunks(LanceTables(Path(directory) / "tables"), documents, titles, as_chunks)
        finder = Tables(searcher, embedder)
        halves = [[q for q in questions if names.index(q.document) % 2 == half] for half in (0, 1)]
        if learn:
            return {"weights": _learnt(finder, halves[0])}
        return {
            "questions": len(halves[1]),
            **_quality(finder, SentenceAnswerer(embedder), halves[1], documents),
            **_times(Path(directory), finder, SentenceAnswerer(embedder), halves[1][:_TIMED]),
            **_kept(Path(directory), corpora, documents, titles, finder, halves[1]),
            **_improved(Path(directory), finder, halves[1]),
        }


def _kept(
    directory: Path,
    corpora: Path,
    documents: dict[str, str],
    titles: dict[str, str],
    finder: Tables,
    questions: Sequence[Question],
) -> dict[str, Any]:
    """Return how many kept answers stay when documents about other matters are added: the PEPs."""
    embedder = WordLlamaEmbedder()
    others = {path.name: path.read_text() for path in sorted((corpora / "peps" / "docs").glob("*.rst"))}
    tables = LanceTables(directory / "more")
    _, searcher = write_chunks(tables, documents | others, titles | {name: name for name in others}, as_chunks)
    replies = []
    for searched in (finder, Tables(searcher, embedder, "articles and others")):
        with _asker(directory, searched, SentenceAnswerer(embedder)) as asker, asyncio.Runner() as runner:
            replies = [runner.run(asker.ask(Asked(question.text))) for question in questions]
    kept = sum(reply.cache.answer_hit for reply in replies)
    searched_again = sum(not reply.cache.retrieval_hit for reply in replies)
    return {"documents added": len(others), "answers kept, of": [kept, len(replies)], "searched again": searched_again}


class _Growing(Tables):
    """Finds passages, except those of one document as long as it is named."""

    without = ""

    def snapshot(self, filters: Filters = NO_FILTERS) -> Snapshot:
        """Return the name of the rows."""
        return Snapshot(f"{super().snapshot(filters).rows} without {self.without}")

    async def find(
        self, words: str, reuse: Reuse | None = None, count: int = POOL, filters: Filters = NO_FILTERS
    ) -> Retrieved:
        """Return the passages that search finds in the other documents."""
        hits = self.searcher.search(words, _DEEP if filters else 2 * count)
        others = [hit for hit in hits if hit.document != self.without]
        return self.judged(words, [hit for hit in others if not filters or hit.document in filters.documents][:count])


def _improved(directory: Path, finder: Tables, questions: Sequence[Question]) -> dict[str, Any]:
    """Return how many answers change when the article is added that holds what is asked, if it is among the passages then."""
    embedder = WordLlamaEmbedder()
    growing = _Growing(finder.searcher, embedder)
    changed: dict[bool, list[bool]] = {True: [], False: []}
    with _asker(directory / "growing", growing, SentenceAnswerer(embedder)) as asker, asyncio.Runner() as runner:
        for question in questions:
            if not any(_holds(question, hit) for hit in finder.searcher.search(question.text, _PASSAGES)):
                continue
            growing.without = question.document
            before = runner.run(asker.ask(Asked(question.text)))
            growing.without = ""
            after = runner.run(asker.ask(Asked(question.text)))
            changed[before.answer.found].append(not after.cache.answer_hit)
    return {
        "answers from other articles that change when the right one comes, of": [
            sum(changed[True]),
            len(changed[True]),
        ],
        "the documents do not say, until the article comes, of": [sum(changed[False]), len(changed[False])],
    }


def _cases(finder: Tables, questions: Sequence[Question]) -> Iterator[tuple[Question, Retrieved, bool]]:
    """Return each question with its passages, and then without those that hold the answer."""
    for question in questions:
        hits = finder.searcher.search(question.text, POOL + 1)
        others = [hit for hit in hits if not _holds(question, hit)]
        yield question, finder.judged(question.text, hits[:POOL]), True
        yield question, finder.judged(question.text, others[:POOL]), False


def _holds(question: Question, hit: SearchHit) -> bool:
    return hit.document == question.document and hit.start <= question.answer_start < hit.end


def _quality(
    finder: Tables, answerer: SentenceAnswerer, questions: Sequence[Question], documents: dict[str, str]
) -> dict[str, Any]:
    held: list[list[bool]] = []
    chances: list[float] = []
    there: list[bool] = []
    cited = wrong = said_without = 0
    for question, found, is_there in _cases(finder, questions):
        chances.append(found.probability)
        there.append(is_there)
        passages = found.passages[:_PASSAGES]
        draft = answerer.draft_sync(Asked(question.text), passages)
        answer = resolved(draft, dict(enumerate(passages)), found.probability)
        for citation in answer.citations:
            cited += 1
            wrong += documents[citation.document][citation.start : citation.end] != citation.text
        if not is_there:
            said_without += answer.found
            continue
        places = [(c.document == question.document, c.start, c.end) for c in answer.citations]
        holds = [here and start <= question.answer_start < end for here, start, end in places]
        held.append([any(holds[:count]) for count in (1, 2, 3)])
    chance, is_there = np.array(chances), np.array(there)
    return {
        "answer in the first, first two, three sentences": [round(float(share), 3) for share in np.mean(held, axis=0)],
        "answered": round(float((chance[is_there] >= relevance.FOUND).mean()), 3),
        "answered although it was taken out": round(said_without / int((~is_there).sum()), 3),
        "AUC, there or taken out": round(_auc(chance, is_there), 3),
        "citations, and those that do not stand in their document": [cited, wrong],
    }


def _auc(scores: np.ndarray, there: np.ndarray) -> float:
    ranks = rankdata(scores)
    count = int(there.sum())
    return float((ranks[there].sum() - count * (count + 1) / 2) / (count * (len(there) - count)))


def _learnt(finder: Tables, questions: Sequence[Question]) -> list[float]:
    """Return the weights of both measures and the constant, by logistic regression."""
    cases = list(_cases(finder, questions))
    rows = np.array([[*finder.measured(q.text, found.passages)[0], 1.0] for q, found, _ in cases])
    signs = np.array([1.0 if there else -1.0 for _, _, there in cases])

    def loss(weights: np.ndarray) -> float:
        return float(np.logaddexp(0, -(rows @ weights) * signs).mean() + 1e-4 * (weights[:-1] ** 2).sum())

    return [round(float(weight), 2) for weight in minimize(loss, np.zeros(3)).x]


@contextmanager
def _asker(directory: Path, finder: Tables, answerer: SentenceAnswerer) -> Iterator[Asker]:
    store = Store(directory / "store")
    asked = AskedFile(directory / "asked.db")
    asker = Asker(store, finder, answerer, asked, lambda no_cache: Reuse(store, no_cache=no_cache), passages=_PASSAGES)
    try:
        yield asker
    finally:
        asker.close()
        store.close()


def _times(
    directory: Path, finder: Tables, answerer: SentenceAnswerer, questions: Sequence[Question]
) -> dict[str, Any]:
    """Return medians of milliseconds: a new answer, one from the store, one from memory."""
    asked = [Asked(question.text) for question in questions]
    figures: dict[str, Any] = {}
    with _asker(directory, finder, answerer) as asker, asyncio.Runner() as runner:
        figures["new answer, ms"] = _median(lambda question: runner.run(asker.ask(question)), asked)
    with _asker(directory, finder, answerer) as asker:
        asker.peek(asked[0])
        figures["answer in the store, ms"] = _median(asker.peek, asked[1:])
        figures["answer in memory, ms"] = _median(asker.peek, asked[1:])
    return figures


def _median(ask: Any, questions: Sequence[Asked]) -> float:
    seconds = []
    for question in questions:
        started = time.perf_counter()
        assert ask(question) is not None
        seconds.append(time.perf_counter() - started)
    return round(statistics.median(seconds) * 1000, 3)


def main() -> None:
    """Print all figures as one JSON object."""
    parser = argparse.ArgumentParser(description="Measures answers on the XQuAD questions.")
    parser.add_argument("corpora", nargs="?", type=Path, help="the folder of the test corpora")
    parser.add_argument("--learn", action="store_true", help="print the weights of the probability instead")
    options = parser.parse_args()
    print(json.dumps(measure(options.corpora or corpora_directory(), learn=options.learn), indent=2))


if __name__ == "__main__":
    main()
