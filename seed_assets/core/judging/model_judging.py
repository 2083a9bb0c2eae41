"""Judging with a model. What belongs here: asking whether the sources support each claim, and looking up its quotations.

What does not: the offline judge and the decision that follows from a score (judging), which parts of the sources are shown
(source_extracts), what is done with a verdict (revision), prompts (seed_assets/prompts), sending requests (model_stage).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from io_managers.store.fingerprint import Part
from resources.endpoints.llm import Tokens, Usage
from resources.models.embedder import LocalEmbedder, WordLlamaEmbedder
from resources.models.tokens import at_most_tokens, usual_tokens
from seed_assets.core.judging.judging import Thresholds, verdict_on
from seed_assets.core.judging.verdicts import Claim, SourceText, Verdict
from seed_assets.core.prompting.answer_shapes import validated
from seed_assets.core.prompting.material import MOST_SHOWN_TOKENS
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Reuse

if TYPE_CHECKING:
    from seed_assets.core.judging.source_extracts import Extract
    from seed_assets.core.text.quotations import QuotedText
    from seed_assets.core.text.words import Span

# The numbers of this module were chosen by judgement.
# The length of one entry of an answer, with a quotation of about 25 words.
_TOKENS_PER_ENTRY = 64
# An estimate assumes that a text has so many claims and concepts.
_USUAL_ENTRIES = 25
# The share of an answer's tokens that is planned for; the rest is for quotations that are longer than they should be.
_ANSWER_SHARE = 0.9
# One or two words are found in any text, so they are no evidence for a whole claim.
_LEAST_QUOTED_WORDS = 3
# The prompt forbids it, but models write dots for what they leave out of a quotation.
_LEFT_OUT = re.compile(r"[\[(]?(?:\.\s?){2,}\.[\])]?|[\[(]?…[\])]?")
# A quotation with dots may span at most so many characters of the source.
_LONGEST_WITH_GAPS = 600
Answered = Literal["supported", "contradicted", "not found"]
"""What a model may answer; only the offline judge knows copies."""

# A correction names at most so many problems, and shows so many characters of a quotation.
_NAMED_PROBLEMS = 5
_SHOWN_CHARACTERS = 120


class ClaimAnswer(BaseModel):
    """A model's answer on one claim."""

    model_config = ConfigDict(extra="forbid")

    number: int
    quotation: str
    status: Answered


class JudgementAnswer(BaseModel):
    """A model's whole answer; judgements.schema.json describes the same shape to the model."""

    model_config = ConfigDict(extra="forbid")

    claims: list[ClaimAnswer]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A claim or concept to ask about, and its result.

    extract: the extract that the model quoted, from `start` to `end` in characters; None before the answer, or if nothing
        was found.
    """

    kind: Literal["claim", "concept"]
    text: str
    status: Answered = "not found"
    extract: "Extract | None" = None
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
    """Asks a model whether the sources support each claim of a text, and each concept that was found in it.

    There is one request per text, and more if the answers would not fit into one. The model is shown the whole sources, or
    if they are too long, the passages nearest to the claims. To avoid bias, the prompt does not show the position or length
    of a claim or passage, and their digests decide the order of both. The model has to quote the source for each claim that
    it calls supported or contradicted; a quotation that is in none of the passages makes the whole answer invalid.

    thresholds: decide between accept, revise and reject. Other thresholds cost nothing, since the requests are the same.
    embedder: finds passages.
    work: the workers that find passages; None means a thread of this process.
    """

    thresholds: Thresholds
    embedder: LocalEmbedder = field(default_factory=WordLlamaEmbedder)
    work: TextWork | None = field(default=None, compare=False, repr=False)

    role = "judge"
    prompt_name = "judgements"

    @property
    def name(self) -> str:
        """The name of the model."""
        return str(self.model.identity["model"])

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The thresholds, and the embedder's identity under `embedder.`."""
        found = {f"embedder.{name}": value for name, value in self.embedder.identity.items()}
        return {"thresholds": dict(self.thresholds.identity), **found}

    def estimate(self, characters: int) -> Usage:
        """Estimate the highest cost of judging one text by sources of `characters`: a revised text is judged twice."""
        around = usual_tokens(len(self.prompt.texts["system"]) + len(self.prompt.texts["claims"]))
        answer = min(self.model.max_output_tokens, _USUAL_ENTRIES * _TOKENS_PER_ENTRY)
        asked = around + _USUAL_ENTRIES * _TOKENS_PER_ENTRY // 2
        room = max(0, min(MOST_SHOWN_TOKENS, self.model.context_tokens - self.model.max_output_tokens - asked))
        return self.charge(2, Tokens(2 * (asked + min(usual_tokens(characters), room)), 2 * answer))

    async def judge(self, text: str, concepts: Sequence[str], sources: Sequence[SourceText], reuse: Reuse) -> Verdict:
        """Judge the text; see Judge. No request is sent if there is nothing to judge or no source has words."""
        from seed_assets.core.judging.claims import claims_of
        from seed_assets.core.judging.source_extracts import digest

        entries = [_Entry("claim", claim) for claim in claims_of(text)]
        entries += [_Entry("concept", name) for concept in concepts if entries and (name := " ".join(concept.split()))]
        asked = sorted(dict.fromkeys(entries), key=lambda entry: digest(entry.kind, entry.text))
        found: dict[_Entry, Claim] = {}
        for answered in await all_of(self._ask(group, sources, reuse) for group in self._groups(asked)):
            found |= answered
        return verdict_on([found[entry] for entry in entries], self.thresholds, self.name)

    def _groups(self, entries: Sequence[_Entry]) -> list[list[_Entry]]:
        """Return the fewest groups of about equal size that each fit into one request and one answer."""
        most = max(1, int(self.model.max_output_tokens * _ANSWER_SHARE) // _TOKENS_PER_ENTRY)
        # The claims take at most a quarter of the room, so that the passages have enough.
        most_tokens = max(1, (self.model.context_tokens - self.model.max_output_tokens) // 4)
        tokens = sum(at_most_tokens(entry.text) for entry in entries)
        count = max(-(-len(entries) // most), min(len(entries), -(-tokens // most_tokens)))
        return [list(entries[place::count]) for place in range(count)]

    async def _ask(self, group: list[_Entry], sources: Sequence[SourceText], reuse: Reuse) -> dict[_Entry, Claim]:
        from seed_assets.core.judging.source_extracts import as_material, find_extracts, room_tokens

        listed = "\n".join(f"{number}. {_asked(entry)}" for number, entry in enumerate(group, 1))
        room = room_tokens(self.model, self.prompt.turns("claims", claims=listed, passages=""), self.prompt.schema)
        extracts = await find_extracts(self.work, [entry.text for entry in group], sources, self.embedder, room)
        if not extracts:
            return {entry: entry.claim() for entry in group}
        turns = self.prompt.turns("claims", claims=listed, passages=as_material(extracts))
        found = await self.ask(turns, _looked_up(group, extracts), reuse)
        return {entry: judged.claim() for entry, judged in zip(group, found, strict=True)}


def _asked(entry: _Entry) -> str:
    text = " ".join(entry.text.split())
    return f"About: {text}" if entry.kind == "concept" else text


def _looked_up(group: Sequence[_Entry], extracts: "Sequence[Extract]") -> Callable[[Any], list[_Entry]]:
    """Return a function that checks an answer and returns the group's entries with their results."""
    from seed_assets.core.text.quotations import QuotedText

    texts = [QuotedText(extract.text) for extract in extracts]

    def check(found: Any) -> list[_Entry]:
        answers = validated(JudgementAnswer, found).claims
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


def _judged(entry: _Entry, answer: ClaimAnswer, extracts: "Sequence[Extract]", texts: "Sequence[QuotedText]") -> _Entry:
    from seed_assets.core.text.words import count_words

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


def _place(quotation: str, text: "QuotedText") -> "Span | None":
    """Return where a quotation stands in a passage; a quotation with dots matches if its pieces follow each other closely."""
    from seed_assets.core.text.quotations import locate
    from seed_assets.core.text.words import count_words

    whole = text.locate(quotation)
    pieces = _LEFT_OUT.split(quotation)
    if whole is not None or len(pieces) == 1:
        return whole
    start, end = -1, 0
    for piece in filter(str.strip, pieces):
        if count_words(piece) < _LEAST_QUOTED_WORDS:
            return None
        # A piece farther away is not searched for, since the whole would be refused below.
        found = text.locate(piece) if start < 0 else locate(piece, text.text[end : end + _LONGEST_WITH_GAPS])
        if found is None:
            return None
        start, end = (end + found[0] if start < 0 else start), end + found[1]
    return (start, end) if start >= 0 and end - start <= _LONGEST_WITH_GAPS else None
