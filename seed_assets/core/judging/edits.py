"""How a claim differs from a sentence that it nearly copies. What belongs here: numbers, names and negations that were
changed, added or removed. What does not: claims in other words (evidence).
"""

from difflib import SequenceMatcher

from seed_assets.core.text.negations import negations_in
from seed_assets.core.text.numerals import numbers_in
from seed_assets.core.text.words import WORD

# The numbers of this module were chosen by judgement.
# A claim is a near copy if this share of its words is in the sentence, in the same order.
_NEARLY = 0.75
# Longer claims and sentences are not compared, since the comparison takes quadratic time.
_MOST_WORDS = 200
# A negation among the words that are missing at an end of the sentence counts only if they are so few; more may be a whole
# clause that was left out.
_LEFT_OUT = 2


def changed(claim: str, sentence: str) -> str:
    """Return the words that a near copy changed: a number, a capitalized word, or a negation; "" if there are none.

    The result is "" as well if fewer than three quarters of the claim's words stand in the sentence in the same order:
    such a claim is not a near copy.
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
        # A whole clause before or after the copied part may be left out, even if it contains a negation.
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
