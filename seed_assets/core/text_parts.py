"""A text in parts that a model can be sent. What belongs here: how much fits, and where to cut.

What does not: chunks for search (chunking).
"""

from resources.chat_model import ChatModel
from resources.llm import Turn
from resources.tokens import count_tokens

# Other tokenizers give up to a tenth more tokens than the one that counts here, for some languages.
_MARGIN = 0.9


def split_to_fit(text: str, model: ChatModel, around: list[Turn]) -> list[str]:
    """The text whole, or in the fewest parts of about equal length that fit into the model's context beside `around`.

    Cut at paragraphs, else sentences, else words. A text of so few bytes that it must fit is not counted.
    """
    room = int((model.context_tokens - model.max_output_tokens) * _MARGIN) - sum(
        model.most_tokens([turn]).input for turn in around
    )
    room = max(room, 256)
    if len(text.encode("utf-8", "replace")) <= room:
        return [text]
    tokens = count_tokens(text)
    if tokens <= room:
        return [text]
    from semantic_text_splitter import TextSplitter

    count = -(-tokens // room)
    while True:
        # Tokens are not spread evenly over a text: parts of equal length may need one part more.
        parts = TextSplitter(-(-len(text) // count)).chunks(text)
        if all(count_tokens(part) <= room for part in parts):
            return parts
        count += 1
