"""Summaries of clusters written by a model. What belongs here: which members the model is shown, and how much of each.

What does not: the offline default (cluster_summarizing), which members are typical (cluster_members), prompts
(seed_assets/prompts), sending requests (model_stage).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import Tokens, Turn, Usage
from resources.models.embedder import LocalEmbedder, WordLlamaEmbedder
from resources.models.tokens import at_most_tokens
from seed_assets.core.clusters.cluster_members import MOST_TITLE_WORDS, ClusterMaterial, Member
from seed_assets.core.clusters.cluster_summarizing import ClusterSummary
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.material import MarkedTexts
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.memo.reuse import Reuse

if TYPE_CHECKING:
    from seed_assets.core.clusters.arranged_members import ArrangedMembers

# The numbers of this module were chosen by judgement.
# Used for estimates: tokens per word, as is usual for English text.
_TOKENS_PER_WORD = 1.5
# The most members that are shown; more would cost more than they are worth.
_MOST_SHOWN = 40
# The most tokens of one member, and the fewest for which it is worth showing.
_MOST_MEMBER_TOKENS, _LEAST_MEMBER_TOKENS = 320, 60
# An upper bound in any tokenizer for `<document>` around a member, with its line ends.
_MARK_TOKENS = 16
# The part of a member's text that is read.
_READ_CHARACTERS = 4_000
# The most concepts that are shown of a member or cluster, and the most characters of each.
_MEMBER_CONCEPTS, _CONCEPT_CHARACTERS = 8, 60
# The share of the context that is used, since other tokenizers give more tokens; as in text_parts.
_MARGIN = 0.9
# A request has at least so many tokens of room for members, however small the model's context is.
_LEAST_ROOM = 256
# A title may be longer than asked for, but a whole sentence is refused.
_LONGEST_TITLE_WORDS = 2 * MOST_TITLE_WORDS
# As many characters of concepts as there can be, in a script with one token per character.
_DENSE = "字" * _MEMBER_CONCEPTS * _CONCEPT_CHARACTERS


class ClusterAnswer(BaseModel):
    """A model's answer; cluster_summaries.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)


@dataclass(frozen=True)
class ModelClusterSummarizer(ModelStage):
    """Asks a model for a title and a summary, in one request per cluster.

    The model is shown the titles, concepts and short texts of at most 40 members, as many as fit; see `spread_of_members`.

    words: the most words of a summary.
    embedder: decides which members are typical, and nothing else.
    kind: see ClusterSummarizer.
    """

    words: int
    embedder: LocalEmbedder = field(default_factory=WordLlamaEmbedder)
    kind: Literal["extractive", "model"] = "model"

    role = "writer"
    prompt_name = "cluster_summaries"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The most words of a summary."""
        return {"words": self.words}

    def estimate_cluster(self, members: int) -> Usage:
        """Estimate the highest cost of a cluster with `members` members, for an answer of the requested length."""
        around, room = self._room(members)
        shown = min(members, _MOST_SHOWN) * (_MOST_MEMBER_TOKENS + _MARK_TOKENS)
        answer = int((self.words + _LONGEST_TITLE_WORDS) * _TOKENS_PER_WORD)
        return self.charge(1, Tokens(around + min(room, shown), answer))

    async def write(self, material: ClusterMaterial, reuse: Reuse) -> ClusterSummary:
        """Summarize a cluster; see ClusterSummarizer."""
        from seed_assets.core.clusters.arranged_members import compared_members
        from seed_assets.core.clusters.cluster_extracts import concepts_of

        members = await asyncio.to_thread(compared_members, material, self.embedder)
        concepts = concepts_of(material)
        # The same members in another cluster type are the same request, which is not paid for twice.
        turns = await asyncio.to_thread(self._turns, members.arranged(by_strength=False), concepts)
        title, summary = await self.ask(turns, _title_and_summary, reuse)
        arranged = members.arranged()
        return ClusterSummary(
            title=title,
            summary=summary,
            concepts=concepts,
            typical=arranged.typical,
            untypical=arranged.untypical,
            writer=str(self.model.identity["model"]),
            prompt_version=self.prompt.version,
            written_on=self.answered_on(turns, reuse),
        )

    def _asked(self, members: int, shown: int, concepts: str, documents: str | MarkedTexts) -> list[Turn]:
        return self.prompt.turns(
            "group", words=self.words, members=members, shown=shown, concepts=concepts, documents=documents
        )

    def _room(self, members: int, concepts: str = _DENSE) -> tuple[int, int]:
        """Return (the most tokens of a request without its documents, the fewest tokens that are left for them)."""
        around = self.model.most_tokens(self._asked(members, members, concepts, ""), self.prompt.schema).input
        room = int((self.model.context_tokens - self.model.max_output_tokens) * _MARGIN) - around
        return around, max(room, _LEAST_ROOM)

    def _turns(self, arranged: "ArrangedMembers", concepts: Sequence[str]) -> list[Turn]:
        from seed_assets.core.clusters.arranged_members import spread_of_members

        members = len(arranged.members)
        named = _concepts(concepts) or "nothing that was found"
        _, room = self._room(members, named)
        count = max(1, min(members, _MOST_SHOWN, room // (_LEAST_MEMBER_TOKENS + _MARK_TOKENS)))
        shown = [_described(arranged.members[place]) for place in spread_of_members(arranged, count)]
        texts = _fitting(shown, room - count * _MARK_TOKENS)
        return self._asked(members, count, named, MarkedTexts("document", texts))


def _described(member: Member) -> str:
    from seed_assets.core.reading.titles import cleaned_title

    lines = (
        f"Title: {cleaned_title(member.title) or member.document_id}",
        f"Concepts: {named}" if (named := _concepts(member.concepts)) else "",
        member.text[:_READ_CHARACTERS].strip(),
    )
    return "\n".join(filter(None, lines))


def _concepts(concepts: Sequence[str]) -> str:
    short = (" ".join(concept[:_CONCEPT_CHARACTERS].split()) for concept in concepts[:_MEMBER_CONCEPTS])
    return ", ".join(filter(None, short))


def _fitting(texts: Sequence[str], room: int) -> list[str]:
    """Cut all texts to the same number of tokens, the largest with which all fit; short texts leave room for longer ones."""
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
    """Return the text, or its beginning with at most `tokens` tokens (or one character), cut between words if possible."""
    if at_most_tokens(text) <= tokens:
        return text
    kept = text
    while len(kept) > 1 and (found := at_most_tokens(f"{kept} …")) > tokens:
        kept = kept[: min(len(kept) - 1, int(len(kept) * tokens / found * 0.97))]
        head, space, _ = kept.rpartition(" ")
        kept = head if space and 2 * len(head) > len(kept) else kept
    return f"{kept} …"


def _title_and_summary(found: Any) -> tuple[str, str]:
    from seed_assets.core.reading.titles import cleaned_title
    from seed_assets.core.text.words import count_words

    answer = validated(ClusterAnswer, found)
    title, summary = cleaned_title(answer.title.strip().strip("\"“”'").rstrip(".")), " ".join(answer.summary.split())
    if not title:
        raise ValueError("the title is empty")
    if count_words(title) > _LONGEST_TITLE_WORDS:
        raise ValueError(f"the title has {count_words(title)} words: give it at most {MOST_TITLE_WORDS}")
    if not summary:
        raise ValueError("the summary is empty")
    return title, summary
