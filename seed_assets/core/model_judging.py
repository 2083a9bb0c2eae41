"""Judging by a model. What belongs here: asking whether the sources support each claim, and looking up its quotations.

What does not: the offline default and what is decided from a score (judging), what of the sources is shown
(source_extracts), what is done about a verdict (revision), prompts (seed_assets/prompts), asking (model_stage).
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from io_managers.store.fingerprint import Part
from resources.embedder import LocalEmbedder, WordLlamaEmbedder
from resources.llm import Tokens
from resources.tokens import at_most_tokens, usual_tokens
from seed_assets.core.claims import claims_of
from seed_assets.core.concurrently import all_of
from seed_assets.core.judging import Thresholds, verdict_on
from seed_assets.core.model_stage import ModelStage
from seed_assets.core.quotations import QuotedText, Span, locate
from seed_assets.core.source_extracts import (
    MOST_SHOWN_TOKENS,
    Extract,
    digest,
    extracts_for,
    marked,
    room_tokens,
    unmarked,
)
from seed_assets.core.structured_output import shaped
from seed_assets.core.verdicts import Claim, SourceText, Status, Verdict
from seed_assets.core.words import count_words
from seed_assets.reuse import Reuse, Usage

# An entry of an answer, with a quotation of some 25 words.
_TOKENS_AN_ENTRY = 64
_USUAL_ENTRIES = 25
# Of the tokens that an answer may have; a model may quote more than it was told.
_ANSWER_SHARE = 0.9
# A word or two are found in any text, and show nothing of a whole claim.
_LEAST_QUOTED_WORDS = 3
# Models are told not to, but put dots for what they leave out of a quotation.
_LEFT_OUT = re.compile(r"[\[(]?(?:\.\s?){2,}\.[\])]?|[\[(]?…[\])]?")
_LONGEST_WITH_GAPS = 600
_NAMED_PROBLEMS = 5
_SHOWN_CHARACTERS = 120


class ClaimAnswer(BaseModel):
    """What a model says of one claim."""

    model_config = ConfigDict(extra="forbid")

    number: int
    quotation: str
    status: Status


class JudgementAnswer(BaseModel):
    """What a model answers; judgements.schema.json says the same to it."""

    model_config = ConfigDict(extra="forbid")

    claims: list[ClaimAnswer]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is asked about, and found: the quotation is in `extract` from `start` to `end` (characters)."""

    kind: Literal["claim", "concept"]
    text: str
    status: Status = "not found"
    extract: Extract | None = None
    start: int = 0
    end: int = 0

    def claim(self) -> Claim:
        if self.extract is None:
            return Claim(self.text, self.status, self.kind)
        start, end = self.extract.start + self.start, self.extract.start + self.end
        quoted = self.extract.text[self.start : self.end]
        return Claim(self.text, self.status, self.kind, quoted, self.extract.document_id, start, end)


@dataclass(frozen=True)
class ModelJudge(ModelStage):
    """Asks a model whether the sources support each claim of a text, and each concept that it is said to be about.

    One request a text; more where the answers would not fit into one. The model is shown the sources whole, or where they
    are too long the passages nearest to the claims. Nothing it is shown tells where a claim or a passage stands, nor how
    long it is, and the order of both is decided by their digests. What it calls supported or contradicted it has to quote;
    a quotation that is in none of the passages makes the whole answer invalid.

    embedder: finds passages. Asking again with other thresholds costs nothing: the requests are the same.
    """

    thresholds: Thresholds
    embedder: LocalEmbedder = field(default_factory=WordLlamaEmbedder)

    role = "judge"
    prompt_name = "judgements"

    @property
    def name(self) -> str:
        """The model's."""
        return str(self.model.identity["model"])

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The thresholds, and the embedder's identity under `embedder.`."""
        found = {f"embedder.{name}": value for name, value in self.embedder.identity.items()}
        return {"thresholds": dict(self.thresholds.identity), **found}

    def estimate(self, characters: int) -> Usage:
        """What judging one text by sources of so many characters will cost, at most: one that is sent back is judged twice."""
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts["claims"]))
        answer = min(self.model.max_output_tokens, _USUAL_ENTRIES * _TOKENS_AN_ENTRY)
        asked = around + _USUAL_ENTRIES * _TOKENS_AN_ENTRY // 2
        room = max(0, min(MOST_SHOWN_TOKENS, self.model.context_tokens - self.model.max_output_tokens - asked))
        return self.charge(2, Tokens(2 * (asked + min(usual_tokens(characters), room)), 2 * answer))

    async def judge(self, text: str, concepts: Sequence[str], sources: Sequence[SourceText], reuse: Reuse) -> Verdict:
        """See Judge. Where there is nothing to judge, or no source has words, nobody is asked."""
        entries = [_Entry("claim", claim) for claim in claims_of(text)]
        entries += [_Entry("concept", name) for concept in concepts if entries and (name := " ".join(concept.split()))]
        asked = sorted(dict.fromkeys(entries), key=lambda entry: digest(entry.kind, entry.text))
        found: dict[_Entry, Claim] = {}
        for answered in await all_of(self._ask(group, sources, reuse) for group in self._groups(asked)):
            found |= answered
        return verdict_on([found[entry] for entry in entries], self.thresholds, self.name)

    def _groups(self, entries: Sequence[_Entry]) -> list[list[_Entry]]:
        """The fewest groups of about equal size of which each can be asked about, and answered, at once."""
        most = max(1, int(self.model.max_output_tokens * _ANSWER_SHARE) // _TOKENS_AN_ENTRY)
        # The passages need as much room at least.
        most_tokens = max(1, (self.model.context_tokens - self.model.max_output_tokens) // 4)
        tokens = sum(at_most_tokens(entry.text) for entry in entries)
        count = max(-(-len(entries) // most), min(len(entries), -(-tokens // most_tokens)))
        return [list(entries[place::count]) for place in range(count)]

    async def _ask(self, group: list[_Entry], sources: Sequence[SourceText], reuse: Reuse) -> dict[_Entry, Claim]:
        listed = "\n".join(f"{number}. {_asked(entry)}" for number, entry in enumerate(group, 1))
        room = room_tokens(self.model, self.prompt.turns("claims", claims=listed, passages=""), self.prompt.schema)
        extracts = await asyncio.to_thread(extracts_for, [entry.text for entry in group], sources, self.embedder, room)
        if not extracts:
            return {entry: entry.claim() for entry in group}
        turns = self.prompt.turns("claims", claims=listed, passages=marked(extracts))
        found = await self.ask(turns, _looked_up(group, extracts), reuse)
        return {entry: judged.claim() for entry, judged in zip(group, found, strict=True)}


def _asked(entry: _Entry) -> str:
    text = unmarked(" ".join(entry.text.split()))
    return f"About: {text}" if entry.kind == "concept" else text


def _looked_up(group: Sequence[_Entry], extracts: Sequence[Extract]) -> Callable[[Any], list[_Entry]]:
    """What checks an answer, and gives the group's entries as they were judged."""
    texts = [QuotedText(extract.text) for extract in extracts]

    def check(found: Any) -> list[_Entry]:
        answers = shaped(JudgementAnswer, found).claims
        _check_numbers([answer.number for answer in answers], len(group))
        judged, problems = [], []
        for answer in sorted(answers, key=lambda answer: answer.number):
            entry = group[answer.number - 1]
            try:
                judged.append(_judged(entry, answer, extracts, texts))
            except ValueError as error:
                problems.append(f"claim {answer.number}: {error}")
        if problems:
            others = len(problems) - _NAMED_PROBLEMS
            more = f"; and {others} more like these" if others > 0 else ""
            raise ValueError("; ".join(problems[:_NAMED_PROBLEMS]) + more)
        return judged

    return check


def _check_numbers(numbers: Sequence[int], count: int) -> None:
    wanted = range(1, count + 1)
    if strange := sorted({number for number in numbers if number not in wanted}):
        raise ValueError(f"there is no claim {strange[0]}: they are numbered 1 to {count}")
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise ValueError(f"claim {twice[0]} is answered twice")
    if missing := sorted(set(wanted) - set(numbers)):
        named = ", ".join(map(str, missing[:_NAMED_PROBLEMS]))
        raise ValueError(f"{len(missing)} of {count} claims are not answered, such as {named}")


def _judged(entry: _Entry, answer: ClaimAnswer, extracts: Sequence[Extract], texts: Sequence[QuotedText]) -> _Entry:
    if answer.status == "not found":
        return entry
    quotation = answer.quotation.strip()
    if not quotation:
        raise ValueError(f"it is called {answer.status} without a quotation")
    for extract, text in zip(extracts, texts, strict=True):
        place = _place(quotation, text)
        if place is None:
            continue
        least = _LEAST_QUOTED_WORDS if entry.kind == "claim" else 1
        if count_words(quotation) < min(least, count_words(extract.text)):
            raise ValueError(f"the quotation {quotation!r} is too short to show anything: quote what says it")
        return _Entry(entry.kind, entry.text, answer.status, extract, *place)
    raise ValueError(
        f"the quotation {quotation[:_SHOWN_CHARACTERS]!r} is in none of the passages: copy it character by character, "
        "from one of them"
    )


def _place(quotation: str, text: QuotedText) -> Span | None:
    """Where it stands in a passage: as it is, or with what its dots leave out, if its pieces follow each other closely."""
    whole = text.locate(quotation)
    pieces = _LEFT_OUT.split(quotation)
    if whole is not None or len(pieces) == 1:
        return whole
    start, end = -1, 0
    for piece in filter(str.strip, pieces):
        found = locate(piece, text.text[end:]) if count_words(piece) >= _LEAST_QUOTED_WORDS else None
        if found is None:
            return None
        start, end = (end + found[0] if start < 0 else start), end + found[1]
    return (start, end) if start >= 0 and end - start <= _LONGEST_WITH_GAPS else None
