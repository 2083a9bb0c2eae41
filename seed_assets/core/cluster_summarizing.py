"""Summaries of clusters. What belongs here: the seam that every writer fills, and the offline default, which chooses
members' sentences. What does not: which members stand for a cluster (cluster_members), which concepts set it apart
(distinguishing), the model's writer (model_cluster_summarizing), the stage that asks for summaries.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import PurePosixPath
from typing import Literal, Protocol

import msgspec
import numpy as np

from io_managers.store.fingerprint import Part
from resources.embedder import LocalEmbedder
from seed_assets.core.cluster_members import (
    ArrangedMembers,
    ClusterMaterial,
    Member,
    arranged_members,
    spread_of_members,
)
from seed_assets.core.distinguishing import distinguishing_concepts
from seed_assets.core.mmr import choose, spread
from seed_assets.core.phrases import find_phrases
from seed_assets.core.sentences import split_long, split_sentences
from seed_assets.core.titles import cleaned_title
from seed_assets.core.words import count_words
from seed_assets.reuse import Reuse

__all__ = ["ClusterMaterial", "ClusterSummary", "ClusterWriter", "ExtractiveClusterWriter", "Member"]

MOST_TITLE_WORDS = 8
_CONCEPTS, _TITLE_CONCEPTS = 10, 3
# Sentences are compared with each other, which is quadratic: so many take 20 ms.
_READ_MEMBERS, _READ_SENTENCES, _READ_CHARACTERS = 150, 600, 4_000
_SHORTEST_WORDS, _LONGEST_WORDS = 8, 60
_SHOWN_TITLES = 10
_RELEVANCE = 0.6
_NAMES_CONCEPT = 0.4
# Two sentences of one document count as at least so alike: a cluster is more than one of its documents.
_SAME_MEMBER = 0.6
_STOPS = frozenset(".!?。｡।۔։።！？…؟")
_CLOSERS = "\"'”’»›)]}」』）】*_`"


class ClusterSummary(msgspec.Struct, frozen=True):
    """What is said of a cluster.

    concepts: those that set it apart, best first. typical, untypical: document ids (see ArrangedMembers). writer:
    "extractive", or the model's name. prompt_version: "" offline. written_on: the day, in UTC, as 2026-01-31.
    """

    title: str
    summary: str
    concepts: tuple[str, ...]
    typical: tuple[str, ...]
    untypical: tuple[str, ...]
    writer: str
    prompt_version: str
    written_on: str


class ClusterWriter(Protocol):
    """Turns a cluster into its title and its summary, from members' sentences or in a model's words."""

    @property
    def kind(self) -> Literal["extractive", "model"]:
        """All of a writer that decides which summary is current: summaries do not change with the model."""
        ...

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything but the material that decides the summary, for those who ask where it is from; in no stage's key."""
        ...

    async def write(self, material: ClusterMaterial, reuse: Reuse) -> ClusterSummary:
        """The summary of a cluster. Raises DocumentError, and ValueError for a cluster without members.

        reuse: through which it asks others, so that each request is an action.
        """
        ...


def today() -> date:
    """In UTC."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class ExtractiveClusterWriter:
    """Chooses sentences of the members: no model, no network, the same every time.

    The title is made of the concepts that set the cluster apart; where there are none, of what members' titles share;
    else it is the most typical member's. The summary is made of sentences of members' texts as they stand (white space
    collapsed), those of more typical members first: near the centre of all members, naming the concepts, unlike each
    other, and preferably of several members; together at most `words` words. At most 150 members are read of a cluster.

    kind: see ClusterWriter. clock: what day it is.
    """

    embedder: LocalEmbedder
    words: int = 120
    clock: Callable[[], date] = today
    kind: Literal["extractive", "model"] = "extractive"

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, its length, and the embedder's identity under `embedder.`."""
        own = {"writer": "extractive", "version": "1", "words": self.words}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def write(self, material: ClusterMaterial, reuse: Reuse | None = None) -> ClusterSummary:
        """As `write_sync`, on another thread."""
        return await asyncio.to_thread(self.write_sync, material)

    def write_sync(self, material: ClusterMaterial) -> ClusterSummary:
        """See ClusterWriter.write."""
        arranged = arranged_members(material, self.embedder)
        concepts = concepts_of(material)
        return ClusterSummary(
            title=_title(material, arranged, concepts),
            summary=self._summary(arranged, concepts),
            concepts=concepts,
            typical=arranged.typical,
            untypical=arranged.untypical,
            writer=self.kind,
            prompt_version="",
            written_on=self.clock().isoformat(),
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


def concepts_of(material: ClusterMaterial, count: int = _CONCEPTS) -> tuple[str, ...]:
    """The concepts that set a cluster apart, best first."""
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
    """The first concepts that are a title together."""
    taken: list[str] = []
    for concept in concepts:
        words = count_words(" ".join([*taken, concept]))
        if words <= MOST_TITLE_WORDS and len(taken) < _TITLE_CONCEPTS:
            taken.append(concept)
    return ", ".join(taken)


def _sentences(arranged: ArrangedMembers, words: int) -> list[tuple[int, str]]:
    """(place of the member, sentence), typical members' first; prose where there is any."""
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
    """In one paragraph, but for what has no full stop: run on, it would be another sentence."""
    text = ""
    for sentence in sentences:
        text += sentence if not text else f" {sentence}" if _ends(text) else f"\n\n{sentence}"
    return text


def _first_words(text: str, words: int) -> str:
    return text[: split_long(text, (0, len(text)), words)[0][1]] if text else ""
