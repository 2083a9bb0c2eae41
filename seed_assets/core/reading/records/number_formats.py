"""Numbers as a format of zeros shows them: 00012, 030-1234. What does not belong here: other formats, whose values are read."""

import re

# A longer format is that of a crafted file; chosen by judgement.
_LONGEST_FORMAT = 100
# A literal in quotation marks or after a backslash, what only takes room or names a colour or language, and a digit.
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|[_*].|\[(?:\$[^\]<>=]*|[A-Za-z]+\d*)\]|(0)|([-+/() :])')


def zero_padded(value: float, number_format: str) -> str:
    """Return a whole number with the zeros in front of it that its format shows; "" if the format is of another kind."""
    section = number_format[: _LONGEST_FORMAT + 1].partition(";")[0]
    if value != int(value) or "00" not in section.replace("-", "") or len(section) > _LONGEST_FORMAT:
        return ""
    pieces: list[str | None] = []
    place = 0
    while place < len(section):
        token = _TOKEN.match(section, place)
        if token is None:
            return ""
        place = token.end()
        quoted, escaped, digit, sign = token.groups()
        pieces.append(None if digit else quoted or escaped or sign or "")
    return ("-" if value < 0 else "") + _filled(pieces, str(abs(int(value))))


def _filled(pieces: list[str | None], digits: str) -> str:
    """Put digits in the places that are None; those that are too many stand in front of the first."""
    digits = digits.zfill(pieces.count(None))
    surplus = len(digits) - pieces.count(None)
    written: list[str] = []
    taken = 0
    for piece in pieces:
        if piece is not None:
            written.append(piece)
            continue
        end = taken + 1 + (surplus if not taken else 0)
        written.append(digits[taken:end])
        taken = end
    return "".join(written)
