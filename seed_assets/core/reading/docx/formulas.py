"""Formulas of Office (OMML; ECMA-376, part 1, 22.1) as plain characters: 1/2, x^2, √(x), ∑_(i=1)^n.

What does not belong here: raised and lowered text outside of formulas (superscripts).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from seed_assets.core.reading.docx.elements import attribute, child, children, local

if TYPE_CHECKING:
    from lxml.etree import _Element

# What is set apart by spaces, so that "k = 1/2" can be read.
_RELATIONS = frozenset("=≠<>≤≥≈≡→⇒⇔∈∉⊂⊆∼≅∝")
_ACCENTS: Mapping[str, str] = {
    "\u0302": "hat",
    "\u0303": "tilde",
    "\u0304": "bar",
    "\u0305": "bar",
    "\u0307": "dot",
    "\u0308": "ddot",
    "\u20d7": "vec",
}
# What is nested deeper is written without its structure; real formulas reach a tenth of it. Chosen by judgement.
_DEEPEST = 60


def formula(element: "_Element") -> str:
    """Return the formula of an `oMath` or an `oMathPara` element in one line; "" if it is empty."""
    return " ".join(_inside(element, 0).split())


class _Parts:
    """The parts of one element of a formula, each as plain characters."""

    def __init__(self, element: "_Element", depth: int) -> None:
        self._element = element
        self._depth = depth

    def __call__(self, name: str) -> str:
        """Return the part with a name; "" if it is absent."""
        found = child(self._element, name)
        return "" if found is None else _inside(found, self._depth).strip()

    def grouped(self, name: str) -> str:
        """Return a part, in parentheses if it is more than one name or number."""
        return _grouped(self(name))

    def all(self, name: str) -> list[str]:
        """Return all parts with a name."""
        return [_inside(each, self._depth).strip() for each in children(self._element, name)]

    def rows(self) -> str:
        """Return the rows of a matrix."""
        rows = (_Parts(row, self._depth + 1).all("e") for row in children(self._element, "mr"))
        return "; ".join(map(", ".join, rows))

    def sign(self, properties: str, name: str, otherwise: str) -> str:
        """Return a sign among the properties; a property without a value says that there is no sign."""
        found = child(self._element, properties, name)
        return otherwise if found is None else attribute(found, "val")


def _inside(element: "_Element", depth: int) -> str:
    if depth > _DEEPEST:
        return "".join(each.text or "" for each in element.iter() if local(each) == "t")
    return "".join(_written(each, depth + 1) for each in element)


def _written(element: "_Element", depth: int) -> str:
    name = local(element)
    if name == "t":
        return "".join(f" {sign} " if sign in _RELATIONS else sign for sign in element.text or "")
    if not name or name in ("del", "moveFrom") or name.endswith("Pr"):
        return ""
    writer = _WRITERS.get(name)
    return writer(_Parts(element, depth)) if writer else _inside(element, depth)


def _grouped(text: str) -> str:
    return text if len(text) == 1 or text.isalnum() or _is_enclosed(text) else f"({text})"


def _enclosed(text: str) -> str:
    return text if _is_enclosed(text) else f"({text})"


def _is_enclosed(text: str) -> bool:
    """Whether the last character is the parenthesis that closes the first one."""
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return place > 0 and place == len(text) - 1
    return False


def _fraction(parts: _Parts) -> str:
    if parts.sign("fPr", "type", "bar") == "noBar":
        return f"({parts('num')} over {parts('den')})"
    return f"{parts.grouped('num')}/{parts.grouped('den')}"


def _radical(parts: _Parts) -> str:
    degree = parts("deg")
    return f"root({degree}, {parts('e')})" if degree else f"√{_enclosed(parts('e'))}"


def _large_operator(parts: _Parts) -> str:
    limits = "".join(f"{mark}{parts.grouped(name)}" for mark, name in (("_", "sub"), ("^", "sup")) if parts(name))
    return f"{parts.sign('naryPr', 'chr', '∫')}{limits} {parts('e')}"


def _delimited(parts: _Parts) -> str:
    opening, closing = parts.sign("dPr", "begChr", "("), parts.sign("dPr", "endChr", ")")
    return f"{opening}{parts.sign('dPr', 'sepChr', '|').join(parts.all('e'))}{closing}"


def _accented(parts: _Parts) -> str:
    sign = parts.sign("accPr", "chr", "\u0302")
    return f"{_ACCENTS[sign]}({parts('e')})" if sign in _ACCENTS else f"{parts('e')}{sign}"


def _applied(parts: _Parts) -> str:
    argument = parts("e")
    return f"{parts('fName')}{argument if _is_enclosed(argument) else f' {argument}'}"


_WRITERS: Mapping[str, Callable[[_Parts], str]] = {
    "f": _fraction,
    "sSup": lambda parts: f"{parts.grouped('e')}^{parts.grouped('sup')}",
    "sSub": lambda parts: f"{parts.grouped('e')}_{parts.grouped('sub')}",
    "sSubSup": lambda parts: f"{parts.grouped('e')}_{parts.grouped('sub')}^{parts.grouped('sup')}",
    "sPre": lambda parts: f"_{parts.grouped('sub')}^{parts.grouped('sup')}{parts('e')}",
    "rad": _radical,
    "nary": _large_operator,
    "d": _delimited,
    "acc": _accented,
    "bar": lambda parts: f"bar({parts('e')})",
    "func": _applied,
    "limLow": lambda parts: f"{parts('e')}_{parts.grouped('lim')}",
    "limUpp": lambda parts: f"{parts('e')}^{parts.grouped('lim')}",
    "eqArr": lambda parts: "; ".join(parts.all("e")),
    "m": lambda parts: parts.rows(),
}
