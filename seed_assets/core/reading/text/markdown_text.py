"""Markdown without what is not text: comments and embedded pictures. What does not belong here: finding code
(markdown_code), front matter, titles.
"""

import re
from bisect import bisect_right

from seed_assets.core.reading.text.markdown_code import Span, code_and_comments

# RFC 2397: a media type with parameters, and the data.
_START = r"data:(?=[\w;])(?:[\w.+-]++/[\w.+-]++)?(?:;[\w.+%-]++(?:=[\w.+%-]*+)?)*+,"
_BASE64 = r"data:(?:[\w.+-]++/[\w.+-]++)?(?:;[\w.+-]++(?:=[\w.+%-]*+)?)*?;base64,"
# An address in Markdown has no blanks, and parentheses only in pairs.
_ADDRESS = r"(?:[^\s\"'<>()]++|'|\([^\s()]*+\))*+"
_DEFINITION = re.compile(rf"^ {{0,3}}\[[^\]\n]+\]:[ \t]*(?:\n[ \t]*)?<?{_START}[^\n]*\n?", re.MULTILINE | re.IGNORECASE)
_PICTURE = re.compile(
    rf"!\[[ \t]*\]\([ \t]*<?{_START}{_ADDRESS}>?(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)", re.IGNORECASE
)
# The value of an attribute, or of `url(...)`. The data of a picture in SVG may have spaces and other quotation marks.
_QUOTED = re.compile(
    rf"(?P<kept>[=(]\s*+\")\s*+{_START}[^\"]*+(?=\")|(?P<also_kept>[=(]\s*+')\s*+{_START}[^']*+(?=')", re.IGNORECASE
)
_PLACED = re.compile(
    rf"(?<=[(<=])[ \t]*+(?:{_BASE64}(?:[\w+/=%-]++|[ \t]*+\n[ \t]*+)*+(?=[)>\"'])|{_START}{_ADDRESS})", re.IGNORECASE
)
# A longer address among words is data that nobody reads; the number was chosen by judgement.
_BARE = re.compile(rf"\b{_START}[\w+/=%-]{{100,}}+", re.IGNORECASE)
_REST_OF_LINE = re.compile(r"[ \t]*(?:\n|\Z)")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")


def markdown_text(text: str) -> str:
    """Return Markdown without comments (`<!-- -->`, and `%%` as in Obsidian) and without the data of embedded files.

    Pictures keep their alternative text. Code stays as it is, and a comment without an end is text.
    """
    if "<!--" in text or "%%" in text:
        text = _without(text, code_and_comments(text)[1])
    if "data:" in text.lower():
        for pattern in (_DEFINITION, _PICTURE, _QUOTED, _PLACED, _BARE):
            text = _without_data(text, pattern)
    return text


def _without(text: str, comments: list[Span]) -> str:
    """Remove comments, with their lines if they have nothing else, and with the blank that they would leave twice."""
    pieces: list[str] = []
    done, at_line_start = 0, True
    for start, end in comments:
        before = text[done:start]
        stripped = before.rstrip(" \t")
        alone = stripped.endswith("\n") or (not stripped and at_line_start)
        rest = _REST_OF_LINE.match(text, end)
        if alone and rest:
            pieces.append(stripped)
            done = rest.end()
            after_blank_line = stripped.endswith("\n\n") or not "".join(pieces[-2:]).strip("\n")
            if after_blank_line and (blank := _BLANK_LINES.match(text, done)):
                done = blank.end()
            at_line_start = True
        else:
            doubled = before != stripped and (rest or text[end : end + 1] in (" ", "\t"))
            pieces.append(stripped if doubled else before)
            done, at_line_start = end, False
    return "".join([*pieces, text[done:]])


def _without_data(text: str, pattern: re.Pattern[str]) -> str:
    if not pattern.search(text):
        return text
    code = code_and_comments(text)[0]
    starts = [start for start, _ in code]

    def removed(match: re.Match[str]) -> str:
        place = bisect_right(starts, match.start()) - 1
        if place >= 0 and match.start() < code[place][1]:
            return match[0]
        # The opening quotation mark stays, since the closing one does.
        return (match["kept"] or match["also_kept"]) if pattern is _QUOTED else ""

    return pattern.sub(removed, text)
