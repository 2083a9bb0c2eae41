"""What of its sources a text is shown beside: all of them, or the passages that are nearest to its claims.

What belongs here: how much fits into a request, in which order, and how it is marked. What does not: which passages are near
a claim (passages), what is asked about them (model_judging, model_revising).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from resources.chat_model import ChatModel
from resources.embedder import LocalEmbedder
from resources.llm import Schema, Turn
from resources.tokens import at_most_tokens
from seed_assets.core.passages import Passages
from seed_assets.core.verdicts import SourceText

MOST_SHOWN_TOKENS = 12_000
"""What more of the sources would add is not worth what it costs."""

_LEAST_ROOM_TOKENS = 256
# As in text_parts: other tokenizers give more tokens.
_MARGIN = 0.9
_PASSAGES_A_CLAIM = 16
_TITLE_CHARACTERS = 120
# `<passage of="">` around an extract, with its line ends, in any tokenizer.
_MARK_TOKENS = 16
# No text has so many characters a token: what is longer is not counted.
_MOST_CHARACTERS_A_TOKEN = 16
_MARK = re.compile(r"<(?=/?\s*(?:passage|claims|text|problems)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extract:
    """A piece of a document's text, from `start` on (characters)."""

    document_id: str
    title: str
    text: str
    start: int


def room_tokens(model: ChatModel, around: Sequence[Turn], schema: Schema | None) -> int:
    """Tokens of sources that fit into one request beside what else is in it."""
    room = int((model.context_tokens - model.max_output_tokens) * _MARGIN) - model.most_tokens(around, schema).input
    return max(_LEAST_ROOM_TOKENS, min(MOST_SHOWN_TOKENS, room))


def extracts_for(
    claims: Iterable[str], sources: Sequence[SourceText], embedder: LocalEmbedder, room: int
) -> list[Extract]:
    """The sources whole where they have at most `room` tokens, else the passages nearest to the claims, as many as fit.

    Neighbouring passages are one extract. The order says nothing: it is neither that of the documents nor that of
    nearness. Empty where no source has words.
    """
    sources = sorted({source.document_id: source for source in _sorted(sources)}.values(), key=_by_id)
    whole = [Extract(source.document_id, source.title, source.text, 0) for source in sources if source.text.strip()]
    if not _fit(whole, room):
        whole = list(_merged(_nearest(sorted(set(claims)), sources, embedder, room), sources))
    return sorted(whole, key=lambda extract: (digest(extract.document_id, extract.text), extract.start))


def marked(extracts: Iterable[Extract]) -> str:
    """The extracts as a prompt shows them; what would end one is no mark in it."""
    return "\n".join(
        f'<passage of="{shown_title(extract.title)}">\n{unmarked(extract.text.strip())}\n</passage>'
        for extract in extracts
    )


def shown_title(title: str) -> str:
    """A title in one short line, without what would end an attribute."""
    return unmarked(" ".join(title.split())[:_TITLE_CHARACTERS]).replace('"', "'")


def unmarked(text: str) -> str:
    """The text, with no mark of a prompt in it."""
    return _MARK.sub("< ", text)


def digest(*texts: str) -> str:
    """What decides an order that says nothing."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _by_id(source: SourceText) -> str:
    return source.document_id


def _sorted(sources: Iterable[SourceText]) -> list[SourceText]:
    return sorted(sources, key=lambda source: (source.document_id, source.title, source.text))


def _fit(extracts: Sequence[Extract], room: int) -> bool:
    if sum(len(extract.text) for extract in extracts) > room * _MOST_CHARACTERS_A_TOKEN:
        return False
    return sum(_tokens(extract.text, extract.title) for extract in extracts) <= room


def _tokens(text: str, title: str) -> int:
    return at_most_tokens(text) + at_most_tokens(shown_title(title)) + _MARK_TOKENS


def _nearest(
    claims: Sequence[str], sources: Sequence[SourceText], embedder: LocalEmbedder, room: int
) -> list[tuple[str, int, int]]:
    """(document id, start, end) of passages: the nearest of every claim first, then the second of every claim, and on."""
    passages = Passages(sources, embedder)
    found = [passages.best(claim, _PASSAGES_A_CLAIM) for claim in claims]
    chosen: dict[tuple[str, int, int], None] = {}
    for passage in (one for rank in zip_longest(*found) for one in rank if one is not None):
        place = (passage.document_id, passage.start, passage.end)
        if place in chosen:
            continue
        needed = _tokens(passage.text, passage.title)
        if needed <= room:
            room -= needed
            chosen[place] = None
    return list(chosen)


def _merged(places: Iterable[tuple[str, int, int]], sources: Sequence[SourceText]) -> Iterator[Extract]:
    by_id = {source.document_id: source for source in sources}
    spans: list[tuple[str, int, int]] = []
    for document_id, start, end in sorted(places):
        if spans and spans[-1][0] == document_id and not by_id[document_id].text[spans[-1][2] : start].strip():
            spans[-1] = (document_id, spans[-1][1], max(end, spans[-1][2]))
        else:
            spans.append((document_id, start, end))
    for document_id, start, end in spans:
        source = by_id[document_id]
        yield Extract(document_id, source.title, source.text[start:end], start)
