"""Cutting a text into parts that fit into a model's context. What belongs here: how much fits, and where to cut.

What does not: chunks for search (chunking).
"""

import asyncio

from resources.endpoints.llm import Turn
from resources.models.chat_model import ChatModel
from resources.models.tokens import count_tokens
from seed_assets.core.text.boundaries import pieces_of
from seed_assets.core.text.text_work import TextWork

# The numbers of this module were chosen by judgement.
# The share of the context that is used: for some languages, models count up to a tenth more tokens than this tokenizer.
_MARGIN = 0.9
# A request has at least so much room for the text, however small the model's context is.
_LEAST_ROOM_TOKENS = 256
# If parts are too long, their number grows by a tenth; growing by one, a long text would be cut hundreds of times.
_SHARE_MORE = 10


async def split_for_model(work: TextWork | None, text: str, model: ChatModel, around: list[Turn]) -> list[str]:
    """Return the whole text, or the fewest parts of about equal length that fit into the model's context beside `around`.

    Parts end at paragraphs, or at sentences or words if there are none. The tokens of a text are not counted if it has so
    few bytes that it must fit.

    around: the other messages of the request.
    work: the workers that cut the text; None means a thread of this process.

    Raises DocumentError as `work` does.
    """
    room = _room_tokens(model, around)
    if _must_fit(text, room):
        return [text]
    if work is None:
        return await asyncio.to_thread(parts_within, text, room)
    return await work.run("parts", text, room)


def _room_tokens(model: ChatModel, around: list[Turn]) -> int:
    room = int((model.context_tokens - model.max_output_tokens) * _MARGIN)
    return max(_LEAST_ROOM_TOKENS, room - sum(model.most_tokens([turn]).input for turn in around))


def _must_fit(text: str, room: int) -> bool:
    return len(text) <= room and len(text.encode("utf-8", "replace")) <= room


def parts_within(text: str, room: int) -> list[str]:
    """Return the whole text, or the fewest parts of about equal length that have at most `room` tokens each."""
    tokens = count_tokens(text)
    if tokens <= room:
        return [text]
    count = -(-tokens // room)
    while True:
        # Parts of equal length may differ in their number of tokens, so more parts may be needed.
        parts = [part for _, part in pieces_of(text, -(-len(text) // count))]
        if all(count_tokens(part) <= room for part in parts):
            return parts
        count += max(1, count // _SHARE_MORE)
