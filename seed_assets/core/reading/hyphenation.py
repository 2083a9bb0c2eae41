"""Joining words that are hyphenated at the end of a line. What does not belong here: any other repair."""

import re

# pdfium writes U+FFFE for a hyphen at a line's end, with or without the line break.
_DIVIDED = re.compile(r"(?<![^\W\d_])([^\W\d_]{2,})(?:[-\u2010\xad\ufffe\x02]\n|[\ufffe\x02])[ \t]*([^\W\d_]{2,})")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_MARK = re.compile(r"[\ufffe\x02]\n?")


def joined_hyphens(text: str) -> str:
    """Join words that are divided at line ends if their second part begins in lower case.

    The hyphen stays if the word occurs elsewhere in the text with a hyphen, or if both parts occur as words but the joined
    word does not: "well-known" must not become "wellknown".
    """
    known = {word.casefold() for word in _WORD.findall(_DIVIDED.sub(" ", text))}

    def join(match: re.Match[str]) -> str:
        first, second = match[1], match[2]
        if not second[0].islower():
            return f"{first}-{second}" if "\ufffe" in match[0] or "\x02" in match[0] else match[0]
        whole, halves = (first + second).casefold(), {first.casefold(), second.casefold()}
        if whole not in known and (f"{first}-{second}".casefold() in known or halves <= known):
            return f"{first}-{second}"
        return first + second

    return _MARK.sub("-", _DIVIDED.sub(join, text))
