"""Finding elements of Office Open XML by their local names, which are the same in the strict and the transitional namespace.

What does not belong here: the meaning of an element.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

# fmt: off
_SKIPPED = frozenset({
    "del", "moveFrom", "instrText", "fldData", "Fallback", "rt", "pPr", "rPr", "tblPr", "tblGrid", "sectPr", "trPr",
    "tcPr", "sdtPr",
})
# fmt: on


def local(element: "_Element") -> str:
    """Return the name of an element without its namespace; "" for a comment or a processing instruction."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: "_Element | None", name: str) -> str:
    """Return an attribute by its local name; "" if it is absent."""
    attributes = element.attrib.items() if element is not None else ()
    return next((str(value) for key, value in attributes if str(key).rpartition("}")[2] == name), "")


def number(element: "_Element | None", name: str = "val", otherwise: int = 0) -> int:
    """Return an attribute that is a number from 0 on; `otherwise` if it is absent or is not one."""
    value = attribute(element, name)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else otherwise


def is_on(element: "_Element | None") -> bool:
    """Whether a property that is switched on by its presence is there and not switched off."""
    return element is not None and attribute(element, "val") not in ("0", "false", "off")


def child(element: "_Element | None", *path: str) -> "_Element | None":
    """Return the first child with a name, its first child with the next name, and so on; None if there is none."""
    for name in path:
        if element is None:
            return None
        element = next((each for each in element if local(each) == name), None)
    return element


def children(element: "Iterable[_Element]", name: str) -> Iterator["_Element"]:
    """Yield the children with a name."""
    return (each for each in element if local(each) == name)


def nearest(container: "_Element", *names: str) -> Iterator["_Element"]:
    """Yield the nearest descendants with these names: none inside another, and none inside deleted text or properties."""
    waiting = list(reversed(container))
    while waiting:
        element = waiting.pop()
        name = local(element)
        if name in names:
            yield element
        elif name and not is_left_out(element, name):
            waiting.extend(reversed(element))


def is_left_out(element: "_Element", name: str) -> bool:
    """Whether nothing inside an element of this name is read: deleted text, properties, a placeholder, a fallback copy."""
    if name == "sdt":
        return is_on(child(element, "sdtPr", "showingPlcHdr"))
    return name in _SKIPPED
