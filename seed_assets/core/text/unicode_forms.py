"""Unicode normalization in linear time. What does not belong here: other steps of cleaning a text (extracted_text,
quotations, field_values).

Normalization sorts the combining marks of a character in quadratic time: 64,000 accents on one letter take minutes. As in
Unicode's Stream-Safe Text Format (UAX #15, section 13), an invisible character (U+034F) is therefore inserted after every
30 marks; no writing system uses so many.
"""

import re
import unicodedata
from typing import Literal

# Both are from UAX #15, section 13.
_MOST_MARKS = 30
_JOINER = "\u034f"
# Characters that could be marks. Only in a run of more than 30 is each one looked up.
_PERHAPS_MARKS = re.compile(rf"[^\x00-\x7f\w\s]{{{_MOST_MARKS + 1},}}")


def normal_form(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Return the text in a normal form; if a character has more than 30 marks, U+034F is inserted after every 30."""
    if text.isascii():
        return text
    return unicodedata.normalize(form, _PERHAPS_MARKS.sub(_stream_safe, text))


def is_stream_safe(text: str) -> bool:
    """Whether no character of the text has more than 30 marks, so that any library can normalize it in linear time."""
    return text.isascii() or _PERHAPS_MARKS.sub(_stream_safe, text) == text


def _stream_safe(match: re.Match[str]) -> str:
    pieces: list[str] = []
    marks = 0
    for character in match.group():
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            pieces.append(_JOINER)
            marks = 1
        pieces.append(character)
    return "".join(pieces)
