"""Summaries of clusters. What belongs here: the protocol of cluster summarizers, and the offline default, which selects
sentences of members. What does not: which members are typical (cluster_members), which concepts distinguish a cluster
(distinguishing), summaries by a model (model_cluster_summarizing), and the stage that requests summaries.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, Protocol

import msgspec
import numpy as np

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from seed_assets.core.clusters.cluster_members import (
    ArrangedMembers,
    ClusterMaterial,
    Member,
    compared_members,
    spread_of_members,
)
from seed_assets.core.clusters.distinguishing import background_of, distinguishing_concepts
from seed_assets.core.reading.titles import cleaned_title
from seed_assets.core.text.mmr import choose, spread
from seed_assets.core.text.phrases import find_phrases
from seed_assets.core.text.sentences import split_long, split_sentences
from seed_assets.core.text.text_work import TextWork
from seed_assets.core.text.words import count_words
from seed_assets.memo.reuse import Reuse

__all__ = ["ClusterMaterial", "ClusterSummarizer", "ClusterSummary", "ExtractiveClusterSummarizer", "Member"]

# The numbers of this module were chosen by judgement.
MOST_TITLE_WORDS = 8
"""The most words of a title that is made of concepts, and the number that a model is asked for."""
# The most concepts of a cluster, and of a title.
_CONCEPTS, _TITLE_CONCEPTS = 10, 3
# The most members, sentences, and characters per member that are read: comparing 600 sentences with each other, which is
# quadratic, takes 20 ms.
_READ_MEMBERS, _READ_SENTENCES, _READ_CHARACTERS = 150, 600, 4_000
# The least and most words of a sentence that can be selected.
_SHORTEST_WORDS, _LONGEST_WORDS = 8, 60
# A cluster without sentences is summarized by so many titles of its members.
_SHOWN_TITLES = 10
# The weight of a sentence's score against its difference from the sentences chosen before; see mmr.choose.
_RELEVANCE = 0.6
# The most that naming concepts adds to a sentence's score, which is 0 to 1 without it.
_NAMES_CONCEPT = 0.4
# The least similarity of two sentences of one document, so that a summary prefers several documents.
_SAME_MEMBER = 0.6
_STOPS = frozenset(".!?。｡।۔։።！？…؟")
_CLOSERS = "\"'”’»›)]}」』）】*_`"


class ClusterSummary(msgspec.Struct, frozen=True):
    """The title and summary of a cluster.

    concepts: the concepts that distinguish it from the rest of the corpus, best first.
    typical, untypical: document ids; see ArrangedMembers.
    writer: "extractive", or the name of the model.
    prompt_version: the version of the prompt; "" offline.
    written_on: the day (UTC, as 2026-01-31) on which the model answered, even if the answer is reused later; "" offline,
        where every day gives the same summary.
    """

    title: str
    summary: str
    concepts: tuple[str, ...]
    typical: tuple[str, ...]
    untypical: tuple[str, ...]
    writer: str
    prompt_version: str
    written_on: str


class ClusterSummarizer(Protocol):
    """Writes the title and the summary of a cluster, with sentences of its members or in a model's words."""

    @property
    def kind(self) -> Literal["extractive", "model"]:
        """Whether a model writes. Only this is in the key: a summary stays current when the model changes."""
        ...

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the summary besides the material. It is for information and in no stage's key."""
        ...

    async def write(self, material: ClusterMaterial, reuse: Reuse) -> ClusterSummary:
        """Summarize a cluster. Raises DocumentError, and ValueError for a cluster without members.

        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractiveClusterSummarizer:
    """Selects sentences of the members, without a model or a network; it is deterministic.

    The title consists of the concepts that distinguish the cluster; if there are none, of phrases that members' titles have
    in common; otherwise it is the title of the most typical member. The summary consists of unchanged sentences of the
    members (with white space collapsed), those of more typical members first. They are near the centre of all members, name
    the concepts, differ from each other and preferably come from several members. At most 150 members are read.

    embedder: compares sentences by meaning.
    words: the most words of a summary.
    kind: see ClusterSummarizer.
    work: the workers that select the sentences; None means a thread of this process.
    """

    embedder: LocalEmbedder
    words: int = 120
    kind: Literal["extractive", "model"] = "extractive"
    work: TextWork | None = field(default=None, compare=False, repr=False)

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, its length, and the embedder's identity under `embedder.`."""
        own = {"writer": "extractive", "version": "1", "words": self.words}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def write(self, material: ClusterMaterial, reuse: Reuse | None = None) -> ClusterSummary:
        """Do what `write_sync` does, in a worker or a thread; see `work`."""
        if self.work is None or not material.members:
            return await asyncio.to_thread(self.write_sync, material)
        return await self.work.run("cluster_summary", self.words, _needed(material))

    def write_sync(self, material: ClusterMaterial) -> ClusterSummary:
        """Summarize a cluster; see ClusterSummarizer.write."""
        arranged = compared_members(material, self.embedder).arranged()
        concepts = concepts_of(material)
        return ClusterSummary(
            title=_title(material, arranged, concepts),
            summary=self._summary(arranged, concepts),
            concepts=concepts,
            typical=arranged.typical,
            untypical=arranged.untypical,
            writer=self.kind,
            prompt_version="",
            written_on="",
        )

    def _summary(self, arranged: ArrangedMembers, concepts: Sequence[str]) -> str:
        candidates = _sentences(arranged, self.words)
        if not candidates:
            titles = filter(None, (cleaned_title(member.title) for member in arranged.members[:_SHOWN_TITLES]))
            return _first_words("; ".join(titles), self.words)
        sentences = [sentence for _, sentence in candidates]
        vectors = self.embedder.embed_sync(sentences)
        folded = [sentence.casefold() for sentence in sentences]
        names = [concept.casefold() for concept in concepts[:5]]
        named = np.array([sum(name in sentence for name in names) for sentence in folded], dtype=np.float64)
        scores = spread((vectors @ arranged.centre).astype(np.float64)) + _NAMES_CONCEPT * np.minimum(named, 2) / 2
        similarity = np.maximum(vectors @ vectors.T, 0.0).astype(np.float64)
        whose = np.array([place for place, _ in candidates])
        similarity[(whose[:, None] == whose) & (similarity < _SAME_MEMBER)] = _SAME_MEMBER
        costs = np.array([count_words(sentence) for sentence in sentences])
        chosen = choose(
            np.round(spread(scores), 5), np.round(similarity, 5), costs, budget=self.words, relevance=_RELEVANCE
        )
        return _joined([sentences[place] for place in sorted(chosen)])


def _needed(material: ClusterMaterial) -> ClusterMaterial:
    """Return the part of the material that is used: of up to 100,000 concepts in the corpus, the members have only some."""
    members = tuple(msgspec.structs.replace(member, text=member.text[:_READ_CHARACTERS]) for member in material.members)
    background = background_of([member.concepts for member in members], material.background)
    return msgspec.structs.replace(material, members=members, background=background)


def concepts_of(material: ClusterMaterial, count: int = _CONCEPTS) -> tuple[str, ...]:
    """Return the concepts that distinguish a cluster from the rest of the corpus, best first."""
    members = sorted(material.members, key=lambda member: (member.document_id, member.title, member.text))
    lists = [member.concepts for member in members]
    return distinguishing_concepts(lists, material.background, material.documents, count)


def _title(material: ClusterMaterial, arranged: ArrangedMembers, concepts: Sequence[str]) -> str:
    titles = [cleaned_title(member.title) for member in arranged.members]
    file_names = (cleaned_title(PurePosixPath(member.document_id).stem) for member in arranged.members)
    return (
        _listed(concepts)
        or _listed(_shared_phrases(titles))
        or _first_words(next(filter(None, titles), ""), MOST_TITLE_WORDS)
        or next(filter(None, file_names), material.cluster_id)
    )


def _shared_phrases(titles: Sequence[str]) -> list[str]:
    phrases = [[phrase.name for phrase in find_phrases(title)[0]] for title in titles]
    common = distinguishing_concepts(phrases, {}, 0, _TITLE_CONCEPTS)
    return [phrase for phrase in common if sum(phrase in names for names in phrases) > 1]


def _listed(concepts: Sequence[str]) -> str:
    """Return a title of at most three concepts and eight words; "" if no concept is short enough."""
    taken: list[str] = []
    for concept in concepts:
        words = count_words(" ".join([*taken, concept]))
        if words <= MOST_TITLE_WORDS and len(taken) < _TITLE_CONCEPTS:
            taken.append(concept)
    return ", ".join(taken)


def _sentences(arranged: ArrangedMembers, words: int) -> list[tuple[int, str]]:
    """Return (place of the member, sentence), those of typical members first; if there is prose, only prose."""
    longest = min(words, _LONGEST_WORDS)
    prose: dict[str, int] = {}
    pieces: dict[str, int] = {}
    for place in sorted(spread_of_members(arranged, _READ_MEMBERS)):
        text = arranged.members[place].text[:_READ_CHARACTERS]
        for span in split_sentences(text):
            sentence = " ".join(text[slice(*span)].split())
            if min(words, _SHORTEST_WORDS) <= count_words(sentence) <= longest and _ends(sentence):
                prose.setdefault(sentence, place)
            for piece in split_long(text, span, longest):
                pieces.setdefault(" ".join(text[slice(*piece)].split()), place)
    return [(place, sentence) for sentence, place in (prose or pieces).items()][:_READ_SENTENCES]


def _ends(sentence: str) -> bool:
    return sentence.rstrip(_CLOSERS)[-1:] in _STOPS


def _joined(sentences: Sequence[str]) -> str:
    """Join sentences into one paragraph; after a sentence without a full stop, a new paragraph begins."""
    text = ""
    for sentence in sentences:
        text += sentence if not text else f" {sentence}" if _ends(text) else f"\n\n{sentence}"
    return text


def _first_words(text: str, words: int) -> str:
    return text[: split_long(text, (0, len(text)), words)[0][1]] if text else ""
