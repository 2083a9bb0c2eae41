"""Joining words that are hyphenated at the end of a line. What does not belong here: any other repair.

The mark of a page (PAGE_MARK) may stand between the two parts; it then follows the word.
"""

import re

# pdfium writes U+FFFE for a hyphen at a line's end, with or without the line break.
_DIVIDED = re.compile(
    r"(?<![^\W\d_])([^\W\d_]{2,})(?:[-\u2010\xad\ufffe\x02]\n|[\ufffe\x02])(\ufdd0?)[ \t]*([^\W\d_]{2,})"
)
# Much faster than to look for the words around them.
_MAY_BE_DIVIDED = re.compile("[-\u2010\xad]\n|[\ufffe\x02]")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
# Parts of English compounds that are written with a hyphen, but for a few endings: well-known, self-made, wellness, selfish.
_HYPHENATED = frozenset(["well", "self"])
_ENDINGS = frozenset(["ness", "ish", "less", "ing", "ington", "spring", "same"])
_MARK = re.compile(r"[\ufffe\x02]\n?")


def joined_hyphens(text: str) -> str:
    """Join words that are divided at line ends if their second part begins in lower case.

    The hyphen stays if the word occurs elsewhere in the text with a hyphen, or if both parts occur as words but the joined
    word does not: "well-known" must not become "wellknown".
    """
    if not _MAY_BE_DIVIDED.search(text):
        return text
    known = {word.casefold() for word in _WORD.findall(_DIVIDED.sub(" ", text))}

    def join(match: re.Match[str]) -> str:
        first, page, second = match.groups()
        if not second[0].islower():
            return f"{first}-{page}{second}" if "\ufffe" in match[0] or "\x02" in match[0] else match[0]
        whole, halves = (first + second).casefold(), {first.casefold(), second.casefold()}
        if whole not in known and (f"{first}-{second}".casefold() in known or halves <= known):
            return f"{first}-{second}{page}"
        if first.casefold() in _HYPHENATED and whole not in known and second not in _ENDINGS:
            return f"{first}-{second}{page}"
        return first + second + page

    return _MARK.sub("-", _DIVIDED.sub(join, text))
