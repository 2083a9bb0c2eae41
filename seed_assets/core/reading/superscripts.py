"""Raised and lowered text in plain characters: 10⁶, H₂O, x^(n+k). What does not belong here: finding it in a format."""

from collections.abc import Mapping

_RAISED = dict(zip("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ", strict=True))
_LOWERED = dict(zip("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎", strict=True))
# Signs that need no other form, and the ends of ordinals and abbreviations, which belong to the word before them.
_AS_THEY_ARE = frozenset("*†‡§¶™®©°ªº′″")
_SIGNS = {"tm": "™", "sm": "℠", "(r)": "®", "(tm)": "™", "o": "º", "a": "ª"}
# fmt: off
_ENDINGS = frozenset({
    "st", "nd", "rd", "th", "er", "re", "ère", "ème", "eme", "nde", "ier", "os", "as", "me", "mes", "lle", "lles", "le",
    "ste", "te", "de", "ter", "bis",
})
# fmt: on
# Longer text is a remark that is only printed small.
_LONGEST = 24


def raised(text: str) -> str:
    """Return raised text as it stands after the text before it: ⁶, ^(n+k), st, or " and a remark" if it is longer."""
    text = " ".join(text.split())
    if text.lower() in _SIGNS:
        return _SIGNS[text.lower()]
    if text and (set(text) <= _AS_THEY_ARE or text in _ENDINGS):
        return text
    return _small(text, _RAISED, "^")


def lowered(text: str) -> str:
    """Return lowered text as it stands after the text before it: ₂, _(max), or " and a remark" if it is longer."""
    return _small(" ".join(text.split()), _LOWERED, "_")


def _small(text: str, forms: Mapping[str, str], sign: str) -> str:
    if not text:
        return ""
    if all(character in forms for character in text):
        return "".join(map(forms.__getitem__, text))
    if len(text) > _LONGEST or " " in text:
        return f" {text} "
    return f"{sign}{text}" if len(text) == 1 else f"{sign}({text})"
