r"""Conditions: `\iftrue`, `\newif`, switches of packages, comparisons. What belongs here: which of their branches is read.

The branch that holds is read, and the other one is not. Where a comparison needs more than this file says, the first branch
that is not blank is read, and counted.
"""

import re
from collections.abc import Set

from seed_assets.core.reading.latex.source import Branches, Source
from seed_assets.core.reading.latex.walk import Walk

# Names that take their branches as arguments in braces. "m" is a condition.
_IN_BRACES = frozenset({"ifthenelse", "iftoggle", "ifbool", "ifdef", "ifundef", "ifstrequal", "ifstrempty", "ifblank"})
_IN_BRACES |= {"ifdefempty", "ifnumcomp", "ifnumequal", "ifcsdef", "ifboolexpr", "IfFileExists", "IfStrEq"}
_NO_CONDITIONS = _IN_BRACES | {"iff"}
_CONDITIONS = {"ifstrequal": 2, "ifnumcomp": 3, "ifnumequal": 2, "IfStrEq": 2}
_KNOWN = {"iftrue": True, "iffalse": False, "ifpdf": True, "ifPDFTeX": True, "ifmmode": False}
_KNOWN |= dict.fromkeys(("ifxetex", "ifXeTeX", "ifluatex", "ifLuaTeX"), False)
_PRIMITIVES = frozenset({"if", "ifx", "ifcat", "ifnum", "ifdim", "ifodd", "ifcase", "ifdefined", "ifcsname", "ifeof"})
_PRIMITIVES |= {"ifvoid", "ifhbox", "ifvbox", "ifhmode", "ifvmode", "ifinner"}
_SWITCHES = frozenset({"newboolean", "provideboolean", "newbool", "providebool", "newtoggle", "providetoggle"})
_SETTERS = {"booltrue": True, "boolfalse": False, "toggletrue": True, "togglefalse": False}
_MARK = re.compile(
    r"\\newif\s*\\[A-Za-z@]+|\\let\s*\\[A-Za-z@]+\s*=?\s*\\[A-Za-z@]+|%[^\n]*|\\[^A-Za-z@]"
    r"|\\(?P<name>if[A-Za-z@]*|else|or|fi)(?![A-Za-z@])(?P<brace>\s*\{)?"
)
_TERM = r"\s*([-+]?[\d.]+|\\value\s*\{[^{}\n]*\}|\\[A-Za-z@]+)\s*(?:pt|cm|mm|in|em|ex|bp|pc|sp)?"
_COMPARED = re.compile(rf"{_TERM}\s*([<>=]){_TERM}[ \n]?")
_NUMBER = re.compile(rf"{_TERM}[ \n]?")
_SWITCH = re.compile(r"\s*(?P<not>\\not|\\NOT|not\b)?\s*(?:\\boolean|bool|togl)?\s*\{?\s*(?P<name>[A-Za-z@]+)\s*\}?\s*")
_DECLARED = re.compile(r"\\newif\s*\\(if[A-Za-z@]+)")
_BLANK = re.compile(r"\s*")
# A longer condition is no name of a switch; a judgement.
_LONGEST_CONDITION = 200
_SPACES = re.compile(r"[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?")


def read_conditional(walk: Walk, name: str, source: Source) -> bool:
    """Read a command of conditions; False for others."""
    if name in _IN_BRACES:
        _in_braces(walk, name, source)
    elif name == "newif":
        switch = source.token()[1].removeprefix("\\if")
        walk.switches[switch.strip()] = False
    elif name in _SWITCHES:
        walk.switches[source.argument().strip()] = False
    elif name in _SETTERS:
        walk.switches[source.argument().strip()] = _SETTERS[name]
    elif name in ("setboolean", "setbool", "settoggle"):
        switch = source.argument().strip()
        walk.switches[switch] = source.argument().strip().lower() == "true"
    elif name.endswith("true") and name[:-4] in walk.switches:
        walk.switches[name[:-4]] = True
    elif name.endswith("false") and name[:-5] in walk.switches:
        walk.switches[name[:-5]] = False
    elif name in ("else", "or"):
        _end_branch(walk, name, source)
    elif name == "fi":
        _separate(walk, source)
    else:
        return name.startswith("if") and _condition(walk, name, source)
    return True


def set_by_let(walk: Walk, name: str, meaning: str) -> None:
    r"""Set a switch by `\let\ifdraft\iftrue`."""
    if name.startswith("\\if") and meaning in ("\\iftrue", "\\iffalse"):
        walk.switches[name[3:]] = meaning == "\\iftrue"


def _condition(walk: Walk, name: str, source: Source) -> bool:
    branches = _marks(walk, source)[0].get(_start(name, source))
    if branches is None:
        if name not in _PRIMITIVES and name not in _KNOWN and name[2:] not in walk.switches:
            return False
        if name == "iffalse":  # it has no end of its own
            source.up_to("\\fi")
        else:
            _holds(walk, name, source)
        return True
    holds = _holds(walk, name, source)
    if holds is None:
        characters = source.characters
        holds = not _is_blank(characters, source.place, branches.else_mark) or branches.second > branches.end_mark
        walk.undecided += holds and not _is_blank(characters, branches.second, branches.end_mark)
    if not holds:
        source.place = max(source.place, branches.second)
    return True


def _holds(walk: Walk, name: str, source: Source) -> bool | None:
    """Return whether a condition holds, and go behind it; None if it is not known."""
    if name in _KNOWN or name[2:] in walk.switches:
        return walk.switches[name[2:]] if name[2:] in walk.switches else _KNOWN[name]
    if name in ("ifnum", "ifdim"):
        return _compared(source)
    if name in ("ifodd", "ifcase"):
        found = _NUMBER.match(source.characters, source.place)
        source.place = found.end() if found else source.place
        number = found[1] if found else ""
        if not number.isdecimal() or len(number) > 9:
            return None
        return int(number) % 2 == 1 if name == "ifodd" else int(number) == 0 or None
    if name in ("ifx", "if", "ifcat"):
        one, other = _sign(source), _sign(source)
        literal = not one.startswith("\\") and not other.startswith("\\")
        return one == other if one == other or (literal and name != "ifcat") else None
    if name == "ifcsname":
        source.up_to("\\endcsname")
    elif name in ("ifdefined", "ifeof", "ifvoid", "ifhbox", "ifvbox"):
        defined = _sign(source)
        return True if name == "ifdefined" and defined[1:] in walk.definitions else None
    return None


def _compared(source: Source) -> bool | None:
    found = _COMPARED.match(source.characters, source.place)
    if found is None:
        return None
    source.place = found.end()
    try:
        one, other = float(found[1]), float(found[3])
    except ValueError:
        return None
    return one < other if found[2] == "<" else one > other if found[2] == ">" else one == other


def _sign(source: Source) -> str:
    """Return a command or a single character, and go behind it."""
    kind, characters = source.token()
    if kind == "text":
        source.place -= len(characters) - 1
        return characters[:1]
    return characters.strip()


def _in_braces(walk: Walk, name: str, source: Source) -> None:
    """Read a condition whose branches are arguments."""
    given = [source.argument() for _ in range(_CONDITIONS.get(name, 1))]
    found = _SWITCH.fullmatch(given[0]) if len(given) == 1 and len(given[0]) < _LONGEST_CONDITION else None
    holds = walk.switches.get(found["name"]) if found else None
    if found and holds is not None:
        holds ^= found["not"] is not None
    elif name in ("ifstrequal", "IfStrEq") and "\\" not in "".join(given):
        holds = given[0] == given[1]
    first, second = source.argument(), source.argument()
    if holds is None:
        holds = bool(first.strip())
        walk.undecided += holds and bool(second.strip())
    walk.read(Source(first if holds else second), "")


def _end_branch(walk: Walk, name: str, source: Source) -> None:
    """Go behind the end of a condition, at the end of its branch that was read."""
    end = _marks(walk, source)[1].get(_start(name, source))
    if end is None:  # the condition is in a macro
        walk.writer.add(" ")
    else:
        source.place = max(source.place, end)
        _separate(walk, source)


def _separate(walk: Walk, source: Source) -> None:
    """Keep the text of two conditions apart that were written apart, though TeX has no blank there."""
    if source.characters[source.place - 1].isspace() and source.characters.startswith("\\if", source.place):
        walk.writer.add(" ")


def _start(name: str, source: Source) -> int:
    """Return where the command that was read last begins."""
    return source.characters.rfind("\\" + name, 0, source.place)


def _is_blank(characters: str, start: int, end: int) -> bool:
    found = _BLANK.match(characters, start, end)
    return found is None or found.end() >= end


def _marks(walk: Walk, source: Source) -> tuple[dict[int, Branches], dict[int, int]]:
    r"""Return the branches of each condition by its place, and the places behind conditions by those of their `\else`."""
    if source.conditions is None:
        source.conditions = _matched(source.characters, walk.switches.keys())
    return source.conditions


def _matched(characters: str, switches: Set[str]) -> tuple[dict[int, Branches], dict[int, int]]:
    branches: dict[int, Branches] = {}
    ends: dict[int, int] = {}
    declared = {*_DECLARED.findall(characters), *_PRIMITIVES, *_KNOWN}
    # The place of a condition, and where its other branches begin, with their marks and without.
    waiting: list[tuple[int, list[tuple[int, int]]]] = []
    for found in _MARK.finditer(characters):
        name = found["name"]
        if name is None or name in _NO_CONDITIONS:
            continue
        spaces = _SPACES.match(characters, found.end("name"))
        behind = spaces.end() if spaces else found.end("name")
        if name.startswith("if"):
            # Commands of packages take their branches in braces.
            if found["brace"] is None or name in declared or name[2:] in switches:
                waiting.append((found.start(), []))
        elif waiting and name in ("else", "or"):
            waiting[-1][1].append((found.start(), behind))
        elif waiting:
            start, others = waiting.pop()
            mark, second = others[0] if others else (found.start(), behind)
            branches[start] = Branches(mark, second, found.start())
            ends |= {place: behind for place, _ in others}
    return branches, ends
