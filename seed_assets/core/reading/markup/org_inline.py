"""The text of a paragraph in Org: links, notes, emphasis, formulas and entities. What does not belong here: blocks (org)."""

import re

from seed_assets.core.reading.latex.commands import SIGNS
from seed_assets.core.reading.markup.emphasis import Marks, with_literals_put_aside, without_marks_of_emphasis
from seed_assets.core.reading.markup.protected import Protected
from seed_assets.core.reading.superscripts import lowered, raised

_LINK = re.compile(r"\[\[([^\[\]]{1,2000})\](?:\[([^\[\]]{1,2000})\])?\]")
_PICTURE = re.compile(r"(?:file:|attachment:|\.{0,2}/).*\.(?:png|jpe?g|gif|svg|webp|tiff?|bmp)$", re.IGNORECASE)
_NOTE = re.compile(r"\[fn:([^\[\]:\s]{0,100})(?::((?:[^\[\]]|\[[^\[\]]{0,1000}\]){0,2000}))?\]")
_FORMULA = re.compile(
    r"\\\(((?:[^\n$\\]|\\(?![()])){1,1000})\\\)|\$\$([^$]{1,2000})\$\$|(?<![\w$])\$([^\s$](?:[^$\n]{0,500}[^\s$])?)\$(?![\w$])"
    r"|\\\[((?:[^\\]|\\(?!\[|\])){1,2000})\\\]"
)
_ENTITY = re.compile(r"\\([A-Za-z]+)(?:\{\}|(?![A-Za-z]))")
_MACRO = re.compile(r"\{\{\{[A-Za-z][\w-]{0,50}\(((?:[^()]|\([^()]{0,500}\)){0,1000})\)\}\}\}")
_SNIPPET = re.compile(r"@@[a-z]+:[^@\n]{0,500}@@")
_TARGET = re.compile(r"<<<?([^<>\n]{1,300})>>>?")
_TIME = re.compile(r"<(\d{4}-\d{2}-\d{2}[^<>\n]{0,60})>")
_SMALL = re.compile(r"(?<=\S)([\^_])\{([^{}\n]{1,100})\}|(?<=\w)\^([0-9]+|[+-][0-9]+)")
_ENTITIES = {
    **SIGNS,
    "vert": "|",
    "under": "_",
    "zwnj": "",
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "hellip": "…",
    "laquo": "«",
}
_ENTITIES |= {
    "raquo": "»",
    "mdash": "—",
    "ndash": "–",
    "rarr": "→",
    "larr": "←",
    "rArr": "⇒",
    "sect": "§",
    "para": "¶",
    "dollar": "$",
}


def _may_precede(character: str) -> bool:
    return not character or character.isspace() or character in "-–—({'\"[„“‘«\x00"


def _may_follow(character: str) -> bool:
    return not character or character.isspace() or character in "-–—.,:;!?')}]\"[”“’»…\\\x00"


_LITERALS = Marks(re.compile(r"[=~]"), frozenset("=~"), _may_precede, _may_follow)
_MARKS = Marks(re.compile(r"[*/_+]"), frozenset(), _may_precede, _may_follow)


def org_text(text: str, notes: list[str]) -> str:
    """Return what a paragraph says. notes: where the notes in it are added."""
    protected = Protected()
    text = with_literals_put_aside(text, _LITERALS, protected.put)
    text = _SNIPPET.sub("", text)
    text = _MACRO.sub(lambda found: (found[1] or "").replace("\\,", ","), text)
    text = _FORMULA.sub(lambda found: protected.put(_formula(found)), text)
    text = _LINK.sub(lambda found: _link(found, protected), text)
    text = _NOTE.sub(lambda found: _noted(found, notes), text)
    text = _TIME.sub(r"\1", text)
    text = _TARGET.sub(lambda found: found[1] if found[0].startswith("<<<") else "", text)
    text = without_marks_of_emphasis(text, _MARKS)
    text = _ENTITY.sub(lambda found: _ENTITIES.get(found[1], found[0]), text)
    text = _SMALL.sub(_small, text)
    # Two backslashes at the end of a line break it.
    return protected.restored("\n".join(line.removesuffix("\\\\").rstrip() for line in text.split("\n")))


def _formula(found: re.Match[str]) -> str:
    inline = found[1] or found[3]
    return f"${inline.strip()}$" if inline else f"$${' '.join((found[2] or found[4] or '').split())}$$"


def _link(found: re.Match[str], protected: Protected) -> str:
    if found[2]:
        return found[2]
    if _PICTURE.match(found[1]):
        return ""
    return protected.put(found[1].removeprefix("file:").removeprefix("*").removeprefix("#"))


def _noted(found: re.Match[str], notes: list[str]) -> str:
    if found[2] and found[2].strip():
        notes.append(found[2].strip())
    return ""


def _small(found: re.Match[str]) -> str:
    if found[3]:
        return raised(found[3])
    return raised(found[2]) if found[1] == "^" else lowered(found[2])
