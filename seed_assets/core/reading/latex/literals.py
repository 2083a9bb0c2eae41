"""Commands whose arguments are not read as LaTeX: code within a line, addresses, references, quantities, other files.

What does not belong here: all other commands (reader).
"""

import re

from seed_assets.core.reading.latex.commands import INCLUDES, REFERENCES, UNIT_SIGNS, UNITS
from seed_assets.core.reading.latex.source import Source
from seed_assets.core.reading.latex.walk import Walk

_VERBATIM = frozenset({"verb", "lstinline", "mintinline", "Verb"})
_LITERAL = frozenset({"url", "path", "nolinkurl", "detokenize"})
# A judgement: code within a line is short.
_LONGEST_VERBATIM = 1_000
_UNIT = re.compile(r"\\([A-Za-z]+)\s*")


def read_literal(walk: Walk, name: str, source: Source) -> bool:
    """Read a command whose argument is not read as LaTeX, or names something; False for others."""
    if name in _VERBATIM:
        _verbatim(walk, name, source)
    elif name in _LITERAL:
        walk.writer.add(source.argument().replace("\\", "") if name == "url" else source.argument())
    elif name in INCLUDES:
        source.optional()
        walk.included += [part for each in source.argument().split(",") if (part := each.strip())]
    elif name in REFERENCES:
        walk.writer.add(f"[{source.argument().strip()}]")
    elif name.lower().startswith(("cite", "nocite")) or name.endswith(("cite", "cites")):
        given = [each for _ in range(2) if (each := source.optional())]
        keys = ", ".join(key.strip() for key in source.argument().split(","))
        walk.writer.add(f"[{', '.join([keys, *map(walk.text_of, given)])}]")
    elif name in UNITS:
        _quantity(walk, name, source)
    else:
        return False
    return True


def _verbatim(walk: Walk, name: str, source: Source) -> None:
    source.optional()
    if name == "mintinline":
        source.argument()
    sign = source.characters[source.place : source.place + 1]
    if sign == "{":
        walk.writer.add(source.argument())
    elif sign and not sign.isspace():
        source.place += 1
        line_end = source.characters.find("\n", source.place, source.place + _LONGEST_VERBATIM)
        most = line_end if line_end >= 0 else source.place + _LONGEST_VERBATIM
        found = source.characters.find(sign, source.place, most)
        if found >= 0:
            walk.writer.add(source.characters[source.place : found])
            source.place = found + 1
        else:
            source.place -= 1


def _quantity(walk: Walk, name: str, source: Source) -> None:
    source.optional()
    parts: list[str] = []
    for _ in range(1 if name in ("si", "unit", "num", "ang") else 3 if name.endswith("range") else 2):
        raw = source.argument()
        units = _UNIT.sub(lambda found: UNIT_SIGNS.get(found[1], f" {found[1]} "), raw)
        parts.append(" ".join(units.replace("~", " ").replace("{", "").replace("}", "").split()))
    if name == "ang":
        parts[0] += "°"
    joined = " ".join(parts[-2:])
    walk.writer.add(f"{parts[0]} – {joined}" if len(parts) == 3 else joined)
