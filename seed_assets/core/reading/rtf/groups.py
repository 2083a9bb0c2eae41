"""What the groups of an RTF file are for (RTF specification 1.9.1): which hold text, which something else.

What does not belong here: reading them (document).
"""

from dataclasses import dataclass
from enum import Enum, auto

from seed_assets.core.reading.rtf.descriptions import BODY_LEVEL


class Kind(Enum):
    """What the text of a group is. SKIPPED: no text of the document."""

    TEXT = auto()
    SKIPPED = auto()
    NOTE = auto()
    COMMENT = auto()
    AUTHOR = auto()
    INFO = auto()
    PAGE = auto()
    LABEL = auto()
    TITLE = auto()
    FONTS = auto()
    STYLES = auto()


@dataclass(slots=True)
class Group:
    """What holds until a group ends.

    font, style: numbers of what the file describes. outline: 0 for a heading of the first level, and so on.
    skip_after: how many characters stand in for one in Unicode, for older programs.
    marked: whether it began with the mark of groups that older programs leave out.
    position: 1 for raised text, -1 for lowered text.
    """

    kind: Kind = Kind.TEXT
    font: int = -1
    hidden: bool = False
    deleted: bool = False
    skip_after: int = 1
    style: int = 0
    outline: int = BODY_LEVEL
    in_table: bool = False
    marked: bool = False
    position: int = 0

    def inner(self) -> "Group":
        """Return a group within this one. A file may have millions, and dataclasses.replace takes ten times as long."""
        return Group(
            self.kind,
            self.font,
            self.hidden,
            self.deleted,
            self.skip_after,
            self.style,
            self.outline,
            self.in_table,
            position=self.position,
        )


# fmt: off
KINDS: dict[str, Kind] = {
    "footnote": Kind.NOTE, "annotation": Kind.COMMENT, "atnauthor": Kind.AUTHOR,
    "header": Kind.PAGE, "headerl": Kind.PAGE, "headerr": Kind.PAGE, "headerf": Kind.PAGE,
    "footer": Kind.PAGE, "footerl": Kind.PAGE, "footerr": Kind.PAGE, "footerf": Kind.PAGE,
    "listtext": Kind.LABEL, "pntext": Kind.LABEL, "fonttbl": Kind.FONTS, "stylesheet": Kind.STYLES,
    "info": Kind.INFO,
    **dict.fromkeys((
        "colortbl", "upr", "pict", "nonshppict", "mmathPict", "shprslt", "sp", "fldinst", "datafield", "objdata", "objclass",
        "objname", "objalias", "objsect", "bkmkstart", "bkmkend", "xe", "rxe", "tc", "tcn", "txe", "filetbl", "revtbl",
        "listtable", "listoverridetable", "listpicture", "pn", "pnseclvl", "nonesttables", "nesttableprops", "template",
        "atnid", "atnref", "atndate", "atntime", "atnicn", "atrfstart", "atrfend", "atnparent", "ftnsep", "ftnsepc",
        "ftncn", "aftnsep", "aftnsepc", "aftncn", "formfield", "background", "generator", "rsidtbl", "themedata", "private",
    ), Kind.SKIPPED),
}
# fmt: on
"""By the control word with which a group begins."""
READ_IF_MARKED = frozenset(
    ["shpinst", "shptxt", "do", "dptxbxtext", "moMath", "moMathPara", "annotation", "atnauthor", "ud"]
)
"""Groups that are read although older programs are asked to skip them; of the others with that mark none is read."""

# Text that is moved by fewer half points is only aligned; chosen by judgement.
_LEAST_MOVED = 3
# Without a number, the text is moved by so many half points (RTF specification 1.9.1).
_USUALLY_MOVED = 6


def position_of(word: str, number: int | None) -> int | None:
    """Return whether a control word raises (1) or lowers (-1) text, or ends that (0); None for other words."""
    if word in ("super", "sub"):
        return 0 if number == 0 else 1 if word == "super" else -1
    if word in ("up", "dn"):
        moved = _USUALLY_MOVED if number is None else number
        return 0 if moved < _LEAST_MOVED else 1 if word == "up" else -1
    return 0 if word == "nosupersub" else None


SIGNS: dict[str, str] = {
    "tab": "\t",
    "line": "\n",
    "lbr": "\n",
    "softline": "\n",
    "emdash": "—",
    "endash": "–",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "~": "\u00a0",
    "_": "-",
}
"""Control words and symbols that are characters."""
