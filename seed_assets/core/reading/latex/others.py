"""All other commands: notes, captions, raised text, spaces, and commands that are not known.

What does not belong here: the walk (reader), and what is known about arguments (commands).
"""

import re

from seed_assets.core.reading.latex.commands import ARGUMENTS, FONTS, NOTES
from seed_assets.core.reading.latex.formulas import inline_formula
from seed_assets.core.reading.latex.source import Source
from seed_assets.core.reading.latex.walk import Walk
from seed_assets.core.reading.latex.writer import BREAK
from seed_assets.core.reading.superscripts import lowered, raised

_DIMENSION = re.compile(r"\s*=?\s*-?[\d.,]*\s*\\?[a-z]*(?:\s*(?:plus|minus)\s*[\d.]+\s*[a-z]+)*")
_RULES = frozenset({"hrule", "vrule"})
_RULE_SIZE = re.compile(r"(?:\s*(?:width|height|depth)\s*[\d.]*\s*\\?[a-z]+)*")
_SPACES = frozenset(
    {"hskip", "vskip", "kern", "mkern", "mskip", "parindent", "parskip", "baselineskip", "hsize", "vsize"}
)


def read_other(walk: Walk, name: str, source: Source) -> None:
    """Read a command that has no place of its own, or is not known."""
    if name in NOTES:
        source.skip_overlay()
        source.optional()
        text = walk.argument_text(source)
        walk.notes += [text] if text else []
    elif name in ("textsuperscript", "textsubscript"):
        text = walk.argument_text(source)
        walk.writer.add(raised(text) if name == "textsuperscript" else lowered(text))
    elif name == "ensuremath":
        walk.writer.add(inline_formula(source.argument()))
    elif name == "caption" or name == "captionof":
        if name == "captionof":
            source.argument()
        source.optional()
        walk.writer.block(walk.argument_text(source))
    elif name == "iffalse":
        source.up_to("\\fi")
    elif name == "bibitem":
        label = source.optional()
        key = source.argument().strip()
        walk.writer.paragraph()
        walk.writer.add(f"[{walk.text_of(label) if label else key}] ")
    elif name == "par":
        walk.writer.paragraph()
    elif name in ("newline", "linebreak", "hline", "newpage", "clearpage"):
        walk.writer.add(BREAK)
    elif name in _RULES:
        walk.writer.paragraph()
        found = _RULE_SIZE.match(source.characters, source.place)
        source.place = found.end() if found else source.place
    elif name in _SPACES:
        found = _DIMENSION.match(source.characters, source.place)
        source.place = found.end() if found else source.place
    else:
        _with_arguments(walk, name, source)


def _with_arguments(walk: Walk, name: str, source: Source) -> None:
    """Read the arguments of a command: those that are known to be text, or all of one that is not known."""
    source.skip_overlay()
    if name not in ARGUMENTS:
        # Brackets that no argument follows are text.
        before = source.place
        if source.optional() is not None and not source.next_is("{"):
            source.place = before
        command = source.characters.rfind(f"\\{name}", 0, before)
        is_read = source.characters.startswith("{", source.place) and name not in FONTS
        if is_read and source.characters.startswith("}", command - 1):  # as for further arguments
            walk.writer.add(" ")
        return
    for kind in ARGUMENTS[name]:
        if kind == "o":
            source.optional()
        elif kind == "p":
            if source.next_is("("):
                source.up_to(")")
        elif kind == "m":
            source.argument()
        elif source.next_is("{"):  # it may hold a table, or paragraphs
            source.place += 1
            walk.read(source, "}")
        else:
            walk.writer.add(walk.text_of(source.argument()))
