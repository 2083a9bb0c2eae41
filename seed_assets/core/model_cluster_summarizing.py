"""Summaries of clusters written by a model. What belongs here: which members it is shown, and how much of each.

What does not: the offline default (cluster_summarizing), which members stand for a cluster (cluster_members), prompts
(seed_assets/prompts), asking (model_stage).
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.embedder import LocalEmbedder, WordLlamaEmbedder
from resources.llm import Tokens, Turn
from resources.tokens import at_most_tokens
from seed_assets.core.cluster_members import (
    ArrangedMembers,
    ClusterMaterial,
    Member,
    arranged_members,
    spread_of_members,
)
from seed_assets.core.cluster_summarizing import MOST_TITLE_WORDS, ClusterSummary, concepts_of, today
from seed_assets.core.model_stage import ModelStage
from seed_assets.core.structured_output import shaped
from seed_assets.core.titles import cleaned_title
from seed_assets.core.words import count_words
from seed_assets.reuse import Reuse, Usage

_TOKENS_A_WORD = 1.5
# What more members would add is not worth what they would cost.
_MOST_SHOWN = 40
_MOST_MEMBER_TOKENS, _LEAST_MEMBER_TOKENS = 320, 60
# `<document>` around a member, with its line ends, in any tokenizer.
_MARK_TOKENS = 16
_READ_CHARACTERS = 4_000
_MEMBER_CONCEPTS, _CONCEPT_CHARACTERS = 8, 60
# As in text_parts: other tokenizers give more tokens.
_MARGIN = 0.9
_LEAST_ROOM = 256
# A title somewhat too long does no harm; a sentence is none.
_LONGEST_TITLE_WORDS = 2 * MOST_TITLE_WORDS
# Concepts of as many characters as there may be, in a script that takes a token for each.
_DENSE = "字" * _MEMBER_CONCEPTS * _CONCEPT_CHARACTERS
_MARK = re.compile(r"<(?=/?\s*document)", re.IGNORECASE)


class ClusterAnswer(BaseModel):
    """What a model answers; cluster_summaries.schema.json says the same to it."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)


@dataclass(frozen=True)
class ModelClusterWriter(ModelStage):
    """Asks a model for a title and a summary of at most `words` words, in one request a cluster.

    It is shown titles, concepts and short texts of at most 40 members, as many as fit: see `spread_of_members`. embedder:
    tells typical members from others, and decides nothing else. kind: see ClusterWriter. clock: what day it is.
    """

    words: int
    embedder: LocalEmbedder = field(default_factory=WordLlamaEmbedder)
    clock: Callable[[], date] = today
    kind: Literal["extractive", "model"] = "model"

    role = "writer"
    prompt_name = "cluster_summaries"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The length."""
        return {"words": self.words}

    def estimate_cluster(self, members: int) -> Usage:
        """What a cluster of so many members will be charged for, at most, where the answer is as long as was asked for."""
        around, room = self._room(members)
        shown = min(members, _MOST_SHOWN) * (_MOST_MEMBER_TOKENS + _MARK_TOKENS)
        answer = int((self.words + _LONGEST_TITLE_WORDS) * _TOKENS_A_WORD)
        return self.charge(1, Tokens(around + min(room, shown), answer))

    async def write(self, material: ClusterMaterial, reuse: Reuse) -> ClusterSummary:
        """See ClusterWriter."""
        arranged = await asyncio.to_thread(arranged_members, material, self.embedder)
        concepts = concepts_of(material)
        turns = await asyncio.to_thread(self._turns, arranged, concepts)
        title, summary = await self.ask(turns, _title_and_summary, reuse)
        return ClusterSummary(
            title=title,
            summary=summary,
            concepts=concepts,
            typical=arranged.typical,
            untypical=arranged.untypical,
            writer=str(self.model.identity["model"]),
            prompt_version=self.prompt.version,
            written_on=self.clock().isoformat(),
        )

    def _asked(self, members: int, shown: int, concepts: str, documents: str) -> list[Turn]:
        return self.prompt.turns(
            "group", words=self.words, members=members, shown=shown, concepts=concepts, documents=documents
        )

    def _room(self, members: int, concepts: str = _DENSE) -> tuple[int, int]:
        """(tokens of a request without its documents, tokens that are left for them), at most and at least."""
        around = self.model.most_tokens(self._asked(members, members, concepts, ""), self.prompt.schema).input
        room = int((self.model.context_tokens - self.model.max_output_tokens) * _MARGIN) - around
        return around, max(room, _LEAST_ROOM)

    def _turns(self, arranged: ArrangedMembers, concepts: Sequence[str]) -> list[Turn]:
        members = len(arranged.members)
        named = _concepts(concepts) or "nothing that was found"
        _, room = self._room(members, named)
        count = max(1, min(members, _MOST_SHOWN, room // (_LEAST_MEMBER_TOKENS + _MARK_TOKENS)))
        shown = [_described(arranged.members[place]) for place in spread_of_members(arranged, count)]
        texts = _fitting(shown, room - count * _MARK_TOKENS)
        documents = "\n".join(f"<document>\n{text}\n</document>" for text in texts)
        return self._asked(members, count, named, documents)


def _described(member: Member) -> str:
    lines = (
        f"Title: {cleaned_title(member.title) or member.document_id}",
        f"Concepts: {named}" if (named := _concepts(member.concepts)) else "",
        member.text[:_READ_CHARACTERS].strip(),
    )
    # What would end the material is no mark in it.
    return _MARK.sub("< ", "\n".join(filter(None, lines)))


def _concepts(concepts: Sequence[str]) -> str:
    short = (" ".join(concept[:_CONCEPT_CHARACTERS].split()) for concept in concepts[:_MEMBER_CONCEPTS])
    return ", ".join(filter(None, short))


def _fitting(texts: Sequence[str], room: int) -> list[str]:
    """Each cut to the same number of tokens, the largest at which all fit: what short ones leave, longer ones take."""
    tokens = sorted(at_most_tokens(text) for text in texts)
    share = _MOST_MEMBER_TOKENS
    left = room
    for place, needed in enumerate(tokens):
        fair = left // (len(tokens) - place)
        if needed > fair:
            share = min(share, fair)
            break
        left -= needed
    return [_cut(text, share) for text in texts]


def _cut(text: str, tokens: int) -> str:
    """The text, or its beginning: at most so many tokens (or one character), cut between words where it has any."""
    if at_most_tokens(text) <= tokens:
        return text
    kept = text
    while len(kept) > 1 and (found := at_most_tokens(f"{kept} …")) > tokens:
        kept = kept[: min(len(kept) - 1, int(len(kept) * tokens / found * 0.97))]
        head, space, _ = kept.rpartition(" ")
        kept = head if space and 2 * len(head) > len(kept) else kept
    return f"{kept} …"


def _title_and_summary(found: Any) -> tuple[str, str]:
    answer = shaped(ClusterAnswer, found)
    title, summary = cleaned_title(answer.title.strip().strip("\"“”'").rstrip(".")), " ".join(answer.summary.split())
    if not title:
        raise ValueError("the title is empty")
    if count_words(title) > _LONGEST_TITLE_WORDS:
        raise ValueError(f"the title has {count_words(title)} words: give it at most {MOST_TITLE_WORDS}")
    if not summary:
        raise ValueError("the summary is empty")
    return title, summary
