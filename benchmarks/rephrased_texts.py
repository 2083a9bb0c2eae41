"""Rephrases a statement without a change of its meaning. What belongs here: the rephrasings. What does not: alterations that make
it wrong (altered_texts, antonyms). A judge that only looks for changed words fails on these.
"""

import random
import re
from collections.abc import Callable

_COUNT_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
_COUNTS = tuple(str(word) for word in _COUNT_WORDS.split())
_DIGITS = re.compile(r"(?<![\w.,$£€-])(?:[3-9]|1[0-2])(?![\w.,%-])")
_SPELLED = re.compile(rf"(?<![\w-])(?:{'|'.join(_COUNTS[3:])})(?![\w-])")
_CONTRACTED = {"is not": "isn't", "did not": "didn't", "does not": "doesn't", "cannot": "can't", "was not": "wasn't"}
_SYNONYMS = """
big large, begin start, begins starts, help assist, helps assists, show demonstrate, shows demonstrates, said stated, says states,
because since, but yet, try attempt, tries attempts, buy purchase, bought purchased, needs requires, allows lets, uses employs,
found discovered, get obtain, gets obtains, children kids, killed slain, asks inquires, wants wishes, many numerous, whole entire,
proposes suggests, describes outlines
"""
_EQUAL = {pair.split()[0]: pair.split()[1] for pair in _SYNONYMS.split(",")}
_LEADS = ("In short, ", "According to the text, ", "As the text says, ")
# Only such a word loses its capital when it no longer begins the sentence.
_FUNCTION_WORDS = frozenset(
    ["The", "A", "An", "This", "It", "In", "He", "She", "They", "There", "These", "We", "As", "For"]
)


def rephrased(text: str, chance: random.Random) -> str | None:
    """Return a statement in other words, in one of four ways at random; None if none of them applies."""
    ways: list[Callable[[str], str]] = [_recounted, _contracted, _exchanged, lambda one: _led(one, chance)]
    chance.shuffle(ways)
    return next((other for way in ways if (other := way(text)) != text), None)


def _recounted(text: str) -> str:
    if _DIGITS.search(text):
        return _DIGITS.sub(lambda match: _COUNTS[int(match.group())], text, count=1)
    return _SPELLED.sub(lambda match: str(_COUNTS.index(match.group())), text, count=1)


def _contracted(text: str) -> str:
    pairs = [*_CONTRACTED.items(), *((short, long) for long, short in _CONTRACTED.items())]
    was, becomes = next(((a, b) for a, b in pairs if re.search(rf"\b{a}\b", text)), ("", ""))
    return re.sub(rf"\b{was}\b", becomes, text, count=1) if was else text


def _exchanged(text: str) -> str:
    match = re.search(rf"(?<![\w-])(?:{'|'.join(_EQUAL)})(?![\w-])", text)
    return text if match is None else text[: match.start()] + _EQUAL[match.group()] + text[match.end() :]


def _led(text: str, chance: random.Random) -> str:
    first = text.partition(" ")[0]
    return chance.choice(_LEADS) + (text[0].lower() + text[1:] if first in _FUNCTION_WORDS else text)
