r"""Text that is safe to show: without control sequences, changes of the writing direction and invisible characters.

It is used for terminals, logs, Dagster's pages and stored answers of models.

Text of documents, models and servers is not trusted. An escape sequence in it can recolour a terminal, change its title or
type into it; a bidirectional override can show `exe.txt` for `txt.exe`; zero-width characters hide words from people but not
from programs.

Two zero-width characters are kept where writing needs them: the joiners U+200C and U+200D between letters of scripts that
join or form conjuncts (Arabic, Syriac, the scripts of India and their neighbours, Mongolian), where words would be misspelt
without them, and U+200D between emoji, which it combines. Between Latin letters both only hide something. A variation
selector is kept after a character that has variants.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

# Letters between which a joiner is kept: Arabic to Sinhala, Tibetan to Myanmar, Khmer and Mongolian, and the later blocks.
_JOINING = (
    "\u0620-\u06dc\u06de-\u0dff\u0f40-\u109f\u1780-\u17b3\u17b6-\u18af\u1900-\u1cff\ua800-\ua8ff\ua930-\ua9ff\uaa00-\uabff"
    "\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc\U00010a00-\U00010fff\U00011000-\U00011fff\U0001e900-\U0001e95f"
)
_PICTURES = "\u2190-\u2bff\U0001f000-\U0001faff"
_IDEOGRAPHS = "\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Characters that have variants: digits of key caps, signs, emoji, ideographs, and letters of Myanmar and Phags-pa.
_VARIANTS = f"#*0-9\u00a9\u00ae\u203c\u2049\u2122\u2139\u1000-\u109f\ua840-\ua87f{_PICTURES}{_IDEOGRAPHS}"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_MONGOLIAN = "\u1820-\u18aa"

# Never shown: controls except tab and line ends; the soft hyphen, fillers, direction marks and overrides, zero-width spaces,
# annotations, tags, noncharacters of Unicode, and lone surrogates.
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_ALWAYS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_OUT_OF_PLACE = "|".join(
    (
        f"(?<![{_JOINING}])\u200c|\u200c(?![{_JOINING}])",
        f"(?<![{_JOINING}{_PICTURES}])(?<![{_PICTURES}]\ufe0f)\u200d|\u200d(?![{_JOINING}{_PICTURES}])",
        f"(?<![{_VARIANTS}])[{_SELECTORS}]",
        f"(?<![{_MONGOLIAN}])[\u180b-\u180f]",
    )
)
HIDDEN = f"[{_ALWAYS}]|{_OUT_OF_PLACE}"
"""A regular expression for one invisible character; controls and surrogates are not among them."""

# Whole escape sequences (ECMA-48, with the eight-bit forms), since the rest without the first byte would be shown as text.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\n\r\x0b\x0c\x80-\x9f\u2028\u2029]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]|\x1b[0-Z\\^_`-~]"
)
_LINE_ENDS = "\r\n|[\r\x0b\x0c\x85\u2028\u2029]"
_SURROGATE = "[\ud800-\udfff]"
# A fast test that nearly all text passes.
_SUSPECT = f"[\r\x0b\x0c\x85\u2028\u2029\u180b-\u180f\u200c\u200d\ud800-\udfff{_CONTROLS}{_ALWAYS}{_SELECTORS}]"
_REMOVED = f"{_SEQUENCE}|[{_CONTROLS}]|{HIDDEN}"
# Everything that `plain_lines` removes or replaces.
_TAKEN = f"{_LINE_ENDS}|{_SURROGATE}|{_REMOVED}"
_IN_JSON = f"[\x7f-\x9f\u2028\u2029\ud800-\udfff]|{HIDDEN}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled when it is first needed; compiling all of them would delay every command by 10 ms (measured)."""
    return re.compile(pattern)


def plain_lines(text: str) -> str:
    """`text` without invisible characters and without control characters except tabs and line ends, which become `\\n`.

    A lone surrogate, as in a file name that is not UTF-8, is escaped (`\\udce9`), so that the result can always be encoded
    as UTF-8. Text in which there is nothing to remove is returned unchanged.
    """
    if (text.isascii() and text.isprintable()) or _compiled(_SUSPECT).search(text) is None:
        return text
    text = _compiled(_REMOVED).sub("", _compiled(_LINE_ENDS).sub("\n", text))
    return _compiled(_SURROGATE).sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def plain(text: str) -> str:
    """`text` as from `plain_lines`, on one line: tabs and line ends become a space."""
    return _compiled("[\t\n]+").sub(" ", plain_lines(text))


def plain_values(value: Any) -> Any:
    """Plain data (lists, mappings, scalars) with `plain_lines` applied to every text in it, keys of mappings included."""
    if isinstance(value, str):
        return plain_lines(value)
    if isinstance(value, Mapping):
        return {plain_values(name): plain_values(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain_values, value)) if type(value) in (list, tuple) else value
    return value


def escaped_json(document: str) -> str:
    """An equal JSON document that is safe to print: control and invisible characters are escaped as `\\uXXXX`."""
    return document if document.isascii() and "\x7f" not in document else _compiled(_IN_JSON).sub(_as_json, document)


def _as_json(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code - 0x10000 & 0x3FF):04x}"


def seen_places(text: str) -> tuple[str, list[int]] | None:
    """`plain_lines(text)`, and for each of its characters and its end the offset in `text`. None if the two are equal."""
    if plain_lines(text) == text:
        return None
    seen: list[str] = []
    places: list[int] = []
    at = 0
    for match in _compiled(_TAKEN).finditer(text):
        seen.append(text[at : match.start()])
        places.extend(range(at, match.start()))
        instead = plain_lines(match[0])
        seen.append(instead)
        places.extend([match.start()] * len(instead))
        at = match.end()
    seen.append(text[at:])
    places.extend(range(at, len(text) + 1))
    return "".join(seen), places


def as_markdown(text: str) -> str:
    """`text` on one line as a code span of Markdown, which shows it literally.

    Escaping special characters would not be enough: Dagster's page makes links of addresses after it has read the escapes.
    """
    text = plain(text)
    if not text.strip():
        return ""
    marks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    # A backtick or a space at an end of the text needs another space beside it; Markdown removes one at each end.
    return f"{marks} {text} {marks}" if text[0] in "` " or text[-1] in "` " else f"{marks}{text}{marks}"
