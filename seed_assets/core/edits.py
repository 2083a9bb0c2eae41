"""What sets a claim apart from a sentence that it nearly copies. What belongs here: numbers, names and negations that one has
in place of, or without, the other's. What does not: claims in other words (evidence).
"""

from difflib import SequenceMatcher

from seed_assets.core.negations import negations_in
from seed_assets.core.numerals import numbers_in
from seed_assets.core.words import WORD

# Of the claim's words, in the sentence's order.
_NEARLY = 0.75
_MOST_WORDS = 200
_LEFT_OUT = 2


def changed(claim: str, sentence: str) -> str:
    """What a near copy has changed: a number or a word with a capital that stands for another, or a negation; "" for none.

    Only of claims most of whose words stand in the sentence, in its order; others are no copies, and nothing is said.
    """
    ours, theirs = _words(claim), _words(sentence)
    if not ours or max(len(ours), len(theirs)) > _MOST_WORDS:
        return ""
    matcher = SequenceMatcher(None, [w.casefold() for w in ours], [w.casefold() for w in theirs], autojunk=False)
    codes = matcher.get_opcodes()
    same = sum(our_end - our_start for tag, our_start, our_end, _, _ in codes if tag == "equal")
    if same < _NEARLY * len(ours):
        return ""
    for place, (tag, our_start, our_end, their_start, their_end) in enumerate(codes):
        if tag == "equal":
            continue
        our, their = ours[our_start:our_end], theirs[their_start:their_end]
        # A whole clause before or after what was copied may be left out, whatever it denies.
        inside = 0 < place < len(codes) - 1 or len(their) <= _LEFT_OUT
        if (inside or our) and _negated(our) != _negated(their):
            return " ".join(our or their)
        if our and their and _named(our) and _named(their):
            return " ".join(our)
        if _amounts(our) and _amounts(their) and _amounts(our) != _amounts(their):
            return " ".join(our)
    return ""


def _words(text: str) -> list[str]:
    return [match.group() for match in WORD.finditer(text)]


def _negated(words: list[str]) -> bool:
    return any(negations_in(" ".join(words)))


def _named(words: list[str]) -> bool:
    return any(word[0].isupper() and len(word) > 1 for word in words)


def _amounts(words: list[str]) -> list[str]:
    return [number.value for number in numbers_in(" ".join(words))]
