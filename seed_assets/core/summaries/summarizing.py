"""Summaries of single documents. What belongs here: the protocol of summarizers, and the offline default with what decides its
summaries. What does not: choosing sentences (sentence_choice), and the stage that requests a summary.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import msgspec

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.reuse import Reuse

# The part of a document that is read, which is more than any novel has.
_READ_CHARACTERS = 4_000_000


class Summary(msgspec.Struct, frozen=True):
    """A summary of one document.

    text: the summary. An extractive one consists of the document's sentences in their order, each with its white space
        collapsed, joined by spaces. It is empty only if the document has no words.
    sentences: the (start, end) offsets of these sentences in the document, in characters; empty if a model wrote the text.
    """

    text: str
    sentences: tuple[tuple[int, int], ...] = ()


class Summarizer(Protocol):
    """Summarises a document, with sentences of its own or in a model's words."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the summary besides the document; part of its action key."""
        ...

    async def summarize(self, text: str, title: str, reuse: Reuse) -> Summary:
        """Return the summary of one document. Raises DocumentError.

        title: the document's title; "" if none is known.
        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractiveSummarizer:
    """Selects sentences of the document, without a model or a network; it is deterministic.

    The score of a sentence depends on its centrality in the text, on its share of letters and whether it ends in a full
    stop (prose does, code and tables do not), on whether it is among the first, and on its similarity to the title. The
    best sentences that differ from each other are selected, up to `words` words or half of the document's words,
    whichever is fewer.

    Sentences of fewer than 8 or more than 60 words, and those with more signs and digits than prose has, are excluded. If
    the rest would not fill the summary (lists, verse, one long sentence), all sentences are candidates, and long ones
    are cut. Texts of more than 800 sentences are ranked in windows of consecutive sentences of equal length, and the
    best of each window are ranked together, so that the time is proportional to the length of the text. The first
    4 million characters are read.

    embedder: compares sentences by meaning.
    words: the most words of a summary.
    work: the workers that select the sentences; None means a thread of this process.
    """

    embedder: LocalEmbedder
    words: int = 200
    work: TextWork | None = field(default=None, compare=False, repr=False)

    changes: ClassVar[Mapping[str, str]] = {
        "2": "Header blocks and rows of tables are left out, and sentences that need the one before them are chosen less often."
    }

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, its length, and the embedder's identity under `embedder.`."""
        own = {"summarizer": "extractive", "version": "2", "words": self.words}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def summarize(self, text: str, title: str, reuse: Reuse | None = None) -> Summary:
        """Do what `summarize_sync` does, in a worker or a thread; see `work`."""
        if self.work is None:
            return await asyncio.to_thread(self.summarize_sync, text, title)
        return await self.work.run("summary", self.words, text[:_READ_CHARACTERS], title)

    def summarize_sync(self, text: str, title: str) -> Summary:
        """Return the best sentences of the document, in their order, with at most `words` words in all."""
        from seed_assets.core.summaries.sentence_choice import best_sentences

        spans = best_sentences(text[:_READ_CHARACTERS], title, self.words, self.embedder)
        return Summary(" ".join(" ".join(text[slice(*span)].split()) for span in spans), tuple(spans))
