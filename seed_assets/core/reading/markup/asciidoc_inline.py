"""The text of a paragraph in AsciiDoc: attributes, links, notes, emphasis and formulas. What does not belong here: blocks."""

import re
from collections.abc import Mapping

from seed_assets.core.reading.markup.emphasis import Marks, without_marks_of_emphasis
from seed_assets.core.reading.markup.protected import Protected
from seed_assets.core.reading.superscripts import lowered, raised

# A value that is longer, or values that become more text together, are crafted.
_LONGEST_VALUE = 10_000
_MOST_REPLACED = 1_000_000
# fmt: off
_SIGNS: Mapping[str, str] = {
    "nbsp": " ", "zwsp": "", "wj": "", "apos": "'", "quot": '"', "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”",
    "deg": "°", "plus": "+", "brvbar": "¦", "vbar": "|", "amp": "&", "lt": "<", "gt": ">", "startsb": "[", "endsb": "]",
    "caret": "^", "asterisk": "*", "tilde": "~", "backslash": "\\", "backtick": "`", "two-colons": "::", "empty": "",
    "two-semicolons": ";;", "cpp": "C++", "cxx": "C++", "pp": "++", "blank": "", "sp": " ",
}
# fmt: on
_ATTRIBUTE = re.compile(r"(\\?)\{([A-Za-z0-9_][\w-]*)\}")
_IN_BRACKETS = r"\[((?:[^\[\]\\]|\\\]|\\|\[[^\[\]]{0,500}\]){0,2000})\]"
_FORMULA = re.compile(rf"(?<![\w\\])(?:stem|latexmath|asciimath):{_IN_BRACKETS}")
_PASSED = re.compile(rf"(?<![\w\\])pass:[a-z,]*{_IN_BRACKETS}|\+\+\+((?:[^+]|\+(?!\+\+)){{1,2000}})\+\+\+")
_NOTE = re.compile(rf"(?<![\w\\])footnote(?:ref)?:[\w-]*{_IN_BRACKETS}")
_MACRO = re.compile(
    rf"(?<![\w\\])(kbd|btn|image|icon|indexterm2?|xref|link|mailto|menu|anchor|bibanchor):([^\s\[\]:]{{0,500}}+){_IN_BRACKETS}"
)
_ADDRESS = re.compile(rf"(?<![\w\\])((?:https?|ftp|irc)://[^\s\[\]<>]{{1,1000}}+){_IN_BRACKETS}")
_REFERENCE = re.compile(r"<<([^<>,\n]{1,300})(?:,([^<>]{1,500}))?>>")
_ANCHOR = re.compile(r"\[\[\[?[^\[\]\n]{1,300}\]?\]\]")
_INDEX = re.compile(r"\(\(\(([^()]{1,300})\)\)\)|\(\(([^()]{1,300})\)\)")
_ROLE = re.compile(r"\[[.#%]?[\w.#%-]{1,100}\](?=[*_#`])")
_QUOTED = re.compile(r'"`([^`"]{1,1000})`"' + r"|'`([^`']{1,1000})`'")
_SMALL = re.compile(r"(?<=\S)([\^~])([^\s^~]{1,60})\1")
_ESCAPE = re.compile(r"\\(?=[*_#`^~+{<\[(]|https?:|ftp:|(?:stem|pass|footnote|image|link|xref|kbd|btn|menu|include):)")
_BREAK = re.compile(r"(?<![ \t])[ \t]+\+$", re.MULTILINE)


def _may_precede(character: str) -> bool:
    return not character or not (character.isalnum() or character in "_:;}\\")


def _may_follow(character: str) -> bool:
    return not character or not (character.isalnum() or character == "_")


_MARKS = Marks(re.compile(r"\*\*|__|``|##|[*_#`+]"), frozenset(("`", "``", "+")), _may_precede, _may_follow)


class Attributes:
    """The attributes of a document."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._left = _MOST_REPLACED

    def define(self, name: str, value: str) -> None:
        """Define an attribute; those in its value are replaced now."""
        self._values[name.lower()] = self.replaced(value)[:_LONGEST_VALUE]

    def value(self, name: str) -> str:
        """Return the value of an attribute, or ""."""
        return self._values.get(name, "")

    def replaced(self, text: str) -> str:
        """Return a text with the values of its attributes; unknown ones stay."""
        return _ATTRIBUTE.sub(self._replacement, text) if "{" in text else text

    def _replacement(self, found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        value = _SIGNS.get(found[2].lower(), self._values.get(found[2].lower()))
        if value is None or len(value) > self._left:
            return found[0]
        self._left -= len(value)
        return value


def asciidoc_text(text: str, attributes: Attributes, notes: list[str]) -> str:
    """Return what a paragraph says. notes: where the notes in it are added."""
    protected = Protected()
    text = _FORMULA.sub(lambda found: protected.put(f"${found[1].strip().strip('$')}$"), text)
    text = _PASSED.sub(lambda found: protected.put(found[1] or found[2] or ""), text)
    text = attributes.replaced(text)
    text = _NOTE.sub(lambda found: _noted(protected.restored(found[1]), notes), text)
    text = _ADDRESS.sub(lambda found: _label(found[2]) or protected.put(found[1]), text)
    text = _MACRO.sub(lambda found: _macro(found, protected), text)
    text = _REFERENCE.sub(lambda found: found[2].strip() if found[2] else protected.put(found[1].lstrip("#")), text)
    text = _INDEX.sub(lambda found: found[2] or "", _ANCHOR.sub("", text))
    text = _QUOTED.sub(lambda found: f"“{found[1]}”" if found[1] else f"‘{found[2]}’", _ROLE.sub("", text))
    text = without_marks_of_emphasis(text, _MARKS)
    text = _SMALL.sub(lambda found: (raised if found[1] == "^" else lowered)(found[2]), text)
    return protected.restored(_BREAK.sub("", _ESCAPE.sub("", text)))


def _label(attributes: str) -> str:
    """Return the text of a link among its attributes; "" if it has none."""
    text = attributes.strip()
    if text.startswith('"') and '"' in text[1:]:
        return text[1:].split('"')[0]
    # Attributes follow the text behind a comma.
    first, comma, rest = text.partition(",")
    text = first if comma and "=" in rest else text
    return "" if re.match(r"\w+=", text) else text.removesuffix("^").replace("\\]", "]")


def _macro(found: re.Match[str], protected: Protected) -> str:
    name, target, label = found[1], found[2], _label(found[3])
    if name in ("icon", "indexterm", "anchor", "bibanchor"):
        return ""
    if name == "image":  # its size follows behind a comma
        label = label if found[3].lstrip().startswith('"') else label.partition(",")[0]
        return f"[Picture: {label}]" if label else ""
    if name == "menu":
        return f"{target} > {label}" if label else target
    return label or protected.put(target)


def _noted(text: str, notes: list[str]) -> str:
    if text.strip():
        notes.append(text.strip().replace("\\]", "]"))
    return ""
