"""The offline answer: the sentences of the documents that answer a question best, word for word.

What belongs here: choosing sentences. What does not: whether the documents answer the question at all (relevance), and finding
passages (retrieval).
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from answering.answers import Passage, Question
from answering.drafts import Draft, DraftSentence, Place
from answering.follow_ups import sought
from answering.passages import titled
from answering.relevance import FOUND, Weighed, measures, probability, weigh
from answering.terms import terms
from io_managers.store.fingerprint import Part
from resources.models.embedder import WordLlamaEmbedder
from seed_assets.core.text.sentences import split_sentences
from seed_assets.memo.reuse import Reuse

OFFLINE = "sentences of the documents"
"""What offline answers say of who answered."""

# A sentence counts by its nearness to the question, by the share of the question's terms that are in it, by that share including
# the sentence before it, and by the rank of its passage. Measured on XQuAD's questions about every second article, where one,
# two and three sentences contain the answer of .78, .89 and .93 of the questions; other weights gave at most .01 less.
_NEAR, _COVERED, _IN_CONTEXT, _BY_RANK = 0.5, 1.0, 0.6, 0.1
_MOST_SENTENCES = 3
# A further sentence is shown if it is nearly as good as the best one; chosen by judgement.
_NEARLY = 0.6
# What a sentence ends with, quotation marks and brackets aside; a heading or a row of a table does not.
_ENDS = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
# A longer sentence is a table or a list without ends; chosen by judgement.
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class SentenceAnswerer:
    """Answers with one to three sentences of the passages, each of which cites itself; see Answerer."""

    embedder: WordLlamaEmbedder

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, and the embedder."""
        return {"answerer": OFFLINE, "version": "1", "embedder": dict(self.embedder.identity)}

    async def draft(self, question: Question, passages: Sequence[Passage], reuse: Reuse | None = None) -> Draft:
        """See Answerer. Nothing is paid."""
        return await asyncio.to_thread(self.draft_sync, question, passages)

    def draft_sync(self, question: Question, passages: Sequence[Passage]) -> Draft:
        """Choose the sentences; none if the passages hardly answer the question."""
        text = sought(question)
        weighed = weigh(text, titled(passages))
        (first,) = measures(text, titled(passages), weighed, self.embedder)
        if probability(*first) < FOUND:
            return Draft((), OFFLINE)
        vector = self.embedder.embed_sync([text])[0]
        scored = [
            one
            for number, passage in enumerate(passages)
            for one in self._scored(number, passage.text, weighed, vector)
        ]
        statements = [one for one in scored if _ENDS.search(one[2])]
        return Draft(tuple(_best(statements or scored)), OFFLINE)

    def _scored(
        self, number: int, passage: str, weighed: Weighed, vector: NDArray[np.float32]
    ) -> Iterator[tuple[float, Place, str]]:
        """Return (score, place, text) of each sentence of a passage. A heading counts as context of what stands below it."""
        spans = [span for span in split_sentences(passage) if span[1] - span[0] <= _LONGEST]
        if not spans:
            return
        texts = [passage[start:end] for start, end in spans]
        nearness = self.embedder.embed_sync(texts) @ vector
        heading = before = frozenset[str]()
        for (start, end), text, near in zip(spans, texts, nearness.tolist(), strict=True):
            own = frozenset(terms(text, weighed.language))
            if not _ENDS.search(text):
                heading, before = own, frozenset[str]()
            score = (
                _NEAR * near + _COVERED * weighed.covered(own) + _IN_CONTEXT * weighed.covered(own | before | heading)
            )
            yield score - _BY_RANK * number, Place(number, start, end), text
            before = own


def _best(scored: list[tuple[float, Place, str]]) -> list[DraftSentence]:
    """Return the best sentences, best first; one that was said already is left out."""
    chosen: dict[str, DraftSentence] = {}
    ordered = sorted(scored, key=lambda one: (-one[0], one[1].passage, one[1].start))
    for score, place, words in ordered:
        if len(chosen) == _MOST_SENTENCES or score < _NEARLY * ordered[0][0]:
            break
        text = " ".join(words.split())
        if text not in chosen:
            chosen[text] = DraftSentence(text, (place,))
    return list(chosen.values())
