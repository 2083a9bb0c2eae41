"""The extracts of the sources that a prompt shows: the whole sources, or the passages nearest to the claims.

What belongs here: how much fits into a request, in which order and under which titles. What does not: which passages are
near a claim (passages), marking them as material (material), and what is asked about them (model_judging, model_revising).
"""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from resources.endpoints.llm import Schema, Turn
from resources.models.chat_model import ChatModel
from resources.models.embedder import LocalEmbedder
from resources.models.tokens import at_most_tokens
from seed_assets.core.judging.passages import SourcePassages
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.prompting.material import MOST_SHOWN_TOKENS, MarkedTexts
from seed_assets.core.text.text_work import TextWork

# The numbers below were chosen by judgement.
# A request has at least so much room for sources, however small the model's context is.
_LEAST_ROOM_TOKENS = 256
# The share of the context that is used, since other tokenizers give more tokens; as in text_parts.
_MARGIN = 0.9
_PASSAGES_PER_CLAIM = 16
_TITLE_CHARACTERS = 120
# An upper bound in any tokenizer for `<passage of="">` around an extract, with its line ends.
_MARK_TOKENS = 16
# No text has more characters per token, so a longer text does not fit and its tokens need not be counted.
_MOST_CHARACTERS_PER_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Extract:
    """A piece of a document's text.

    start: the offset in the document, in characters, at which `text` begins.
    """

    document_id: str
    title: str
    text: str
    start: int


def room_tokens(model: ChatModel, around: Sequence[Turn], schema: Schema | None) -> int:
    """Return how many tokens of sources fit into one request with these messages and this schema."""
    room = int((model.context_tokens - model.max_output_tokens) * _MARGIN) - model.most_tokens(around, schema).input
    return max(_LEAST_ROOM_TOKENS, min(MOST_SHOWN_TOKENS, room))


def extracts_for(
    claims: Iterable[str], sources: Sequence[SourceText], embedder: LocalEmbedder, room: int
) -> list[Extract]:
    """Return the whole sources if they have at most `room` tokens, otherwise as many of the nearest passages as fit.

    Neighbouring passages are joined into one extract. Digests decide the order, so that it does not depend on the documents
    or on the similarity. The list is empty if no source has words.
    """
    sources = sorted({source.document_id: source for source in _sorted(sources)}.values(), key=_by_id)
    whole = [Extract(source.document_id, source.title, source.text, 0) for source in sources if source.text.strip()]
    if not _fit(whole, room):
        whole = list(_merged(_nearest(sorted(set(claims)), sources, embedder, room), sources))
    return sorted(whole, key=lambda extract: (digest(extract.document_id, extract.text), extract.start))


async def find_extracts(
    work: TextWork | None, claims: Sequence[str], sources: Sequence[SourceText], embedder: LocalEmbedder, room: int
) -> list[Extract]:
    """Do what `extracts_for` does, in a worker, or in a thread of this process if `work` is None. Raises DocumentError."""
    if work is None:
        return await asyncio.to_thread(extracts_for, claims, sources, embedder, room)
    return await work.run("extracts", list(claims), list(sources), room)


def as_material(extracts: Sequence[Extract]) -> MarkedTexts:
    """Return the extracts in the form in which a prompt shows them."""
    return MarkedTexts(
        "passage", [extract.text.strip() for extract in extracts], [shown_title(extract.title) for extract in extracts]
    )


def shown_title(title: str) -> str:
    """Return a title in one line of at most 120 characters."""
    return " ".join(title.split())[:_TITLE_CHARACTERS]


def digest(*texts: str) -> str:
    """Return a digest of the texts, by which things are sorted whose order must not give anything away."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _by_id(source: SourceText) -> str:
    return source.document_id


def _sorted(sources: Iterable[SourceText]) -> list[SourceText]:
    return sorted(sources, key=lambda source: (source.document_id, source.title, source.text))


def _fit(extracts: Sequence[Extract], room: int) -> bool:
    if sum(len(extract.text) for extract in extracts) > room * _MOST_CHARACTERS_PER_TOKEN:
        return False
    return sum(_tokens(extract.text, extract.title) for extract in extracts) <= room


def _tokens(text: str, title: str) -> int:
    return at_most_tokens(text) + at_most_tokens(shown_title(title)) + _MARK_TOKENS


def _nearest(
    claims: Sequence[str], sources: Sequence[SourceText], embedder: LocalEmbedder, room: int
) -> list[tuple[str, int, int]]:
    """Return (document id, start, end) of the passages that fit: first the nearest one of each claim, then the second..."""
    passages = SourcePassages(sources, embedder)
    found = [passages.best(claim, _PASSAGES_PER_CLAIM) for claim in claims]
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
