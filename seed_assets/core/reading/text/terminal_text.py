"""What a terminal or a typewriter would show of a text. What belongs here: control sequences (ECMA-48) and overstrikes. What
does not: other control characters (extracted_text).
"""

import re

_ESCAPE, _BACKSPACE = "\x1b", "\b"
# A string of a title, a link or a device ends with BEL or ESC \; the text of a link stands outside of its strings.
_STRING = re.compile("\x1b[\\]PX^_][^\x07\x1b\n]*+(?:\x07|\x1b\\\\|(?=\x1b)|$)", re.MULTILINE)
_CONTROL_SEQUENCE = re.compile("(?:\x1b\\[|\x9b)([0-?]*+)[ -/]*+([@-~])")
_SHORT_SEQUENCE = re.compile("\x1b[ -/]*+[0-~]")
# Movements to the right or to a column leave a gap between words, and movements to a line begin another line.
_TO_COLUMN, _TO_LINE = frozenset("CG`a"), frozenset("BEHdef")
_AT_FIRST_COLUMN = frozenset(("", "0", "1"))


def without_terminal_controls(text: str) -> str:
    """Return a text without control sequences, in which a character printed over another one replaces it.

    Manual pages print bold letters as `N\\bN` and underlined ones as `_\\bN`.
    """
    if _ESCAPE in text or "\x9b" in text:
        text = _CONTROL_SEQUENCE.sub(_movement, _STRING.sub("", text))
        text = _SHORT_SEQUENCE.sub("", text)
    if _BACKSPACE in text:
        text = "\n".join(_printed(line) if _BACKSPACE in line else line for line in text.split("\n"))
    return text


def _movement(sequence: re.Match[str]) -> str:
    if sequence[2] in _TO_COLUMN:
        return "" if sequence[2] in "G`" and sequence[1] in _AT_FIRST_COLUMN else " "
    return "\n" if sequence[2] in _TO_LINE else ""


def _printed(line: str) -> str:
    shown: list[str] = []
    place = 0
    for character in line:
        if character == _BACKSPACE:
            place = max(0, place - 1)
        elif place == len(shown):
            shown.append(character)
            place += 1
        else:
            # A letter under a line or a sign stays; a space erases, as in messages about progress.
            if character.isalnum() or character == " " or not shown[place].isalnum():
                shown[place] = character
            place += 1
    return "".join(shown)
