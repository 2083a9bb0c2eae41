"""Finds out, from a server's own count of tokens, whether the server read the whole prompt.

What belongs here: the fewest tokens that a text has with any tokenizer, and the comparison. What does not: what is said and done
if a server read only a part (chat_model, model_embedder).

The counts of tokenizers differ by several times, so an average count proves nothing. But all tokenizers in use split at white
space, so a text has at least as many tokens as words. In scripts without spaces, several characters may be one token.

Some servers do not count what they read from a cache: the beginning that a prompt has in common with an earlier one. So what a
prompt has in common with any recent one is left out of the comparison. A missing or very small count proves nothing.
"""

import re
from collections import deque

# Chinese, Japanese, Korean, Thai and other scripts without spaces. In a vocabulary made for one of them, tokens have about four
# characters on average, in other vocabularies two.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
# One more than the four above, so that the fewest tokens are not overestimated.
_UNSPACED_CHARACTERS_A_TOKEN = 5
# The few tokenizers with tokens of several words count more than this share of the words.
_LEAST_SHARE = 0.7
# A difference of so few tokens proves nothing: it may come from a template or a rounded figure.
_FEW_TOKENS = 200
# No server cuts a text to so few tokens. Such a count is of the part after a beginning that another process had sent before, or
# it is no real count.
_NO_COUNT = 32
# How many recent prompts are kept for the comparison.
_MOST_PROMPTS = 64
# Two counts that differ by at most so many tokens are taken for prompts cut to the same length.
_SAME_CUT = 4


def least_tokens(text: str) -> int:
    """Return the fewest tokens that a text has with any tokenizer in use."""
    unspaced = len(_UNSPACED.findall(text))
    pieces = (_UNSPACED.sub(" ", text) if unspaced else text).split()
    words = sum(1 for piece in pieces if _LETTER_OR_DIGIT.search(piece))
    return words + unspaced // _UNSPACED_CHARACTERS_A_TOKEN


class PromptCounts:
    """Compares the token counts of one model's server with the prompts that were sent to it."""

    def __init__(self) -> None:
        self._sent: deque[str] = deque(maxlen=_MOST_PROMPTS)
        self._cut_to = 0

    def note(self, prompt: str) -> None:
        """Remember a prompt that is being sent."""
        self._sent.append(prompt)

    def shortfall(self, prompt: str, counted: int) -> int:
        """Return the fewest tokens of a prompt if the server's count shows that it read only a part; otherwise 0.

        counted: the server's count, with the tokens that it reports to have read from a cache. `note` was called for the prompt.
        """
        least = least_tokens(prompt)
        if not is_short(counted, least):
            return 0
        # A server cuts every text to the same length, but what follows a cached beginning varies in length.
        if abs(counted - self._cut_to) <= _SAME_CUT:
            return least
        common = max((_common(prompt, other) for other in self._sent if other is not prompt), default=0)
        if not is_short(counted, least_tokens(prompt[common:])):
            return 0
        self._cut_to = counted
        return least


def is_short(counted: int, least: int, share: float = _LEAST_SHARE) -> bool:
    """Whether a server that counted `counted` tokens cannot have read a text with at least `least` tokens.

    It is False if the count is 0 or too small to be a real count. share: the share of `least` from which a count is plausible.
    """
    return _NO_COUNT < counted < least * share and least - counted > _FEW_TOKENS


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginnings."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        # The first `low` characters are known to be equal.
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low
