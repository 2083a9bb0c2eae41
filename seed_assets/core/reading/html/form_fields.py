"""What is filled in on the forms of a page: values that were typed or chosen, and boxes that are ticked or not.

What does not belong here: which of them are on the page at all (regions), and where they stand (page_blocks).
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lxml.html import HtmlElement

FIELDS = frozenset(["input", "textarea", "select"])
TICKED, NOT_TICKED = "☒", "☐"

_BOXES = ("checkbox", "radio")
# Types whose value is not shown as text, is a secret, a caption, or what was searched for.
_NO_VALUE = frozenset(["hidden", "password", "submit", "button", "reset", "image", "file", "color", "range", "search"])
_SEARCH = re.compile(
    r"(?:^|[\s_-])(?:q|s|search\w*|query|keywords?|such\w*|recherche\w*|busca\w*|cerca\w*|zoek\w*)(?:$|[\s_-])",
    re.IGNORECASE,
)
# Boxes by which a page without scripts shows and hides its parts.
_SWITCH = re.compile(
    r"nav|menu|toggle|sidebar|\btoc\b|drawer|dropdown|collaps|overlay|search|expand|theme|switcher|tab(?:bed|s|-|_|$)",
    re.IGNORECASE,
)
_SEARCH_PROMPT = re.compile(r"(?:search|such|recherche|busca|cerca|zoek)\w*\W*(?:\w+\W*){0,2}", re.IGNORECASE)
# Pages offer their own address to be copied.
_ADDRESSES = ("http://", "https://", "www.", "[", "<")
_HOLDERS = frozenset(["label", "td", "th", "li", "p", "dd", "dt", "legend"])
# So many elements beside a box are looked at; chosen by judgement.
_MOST_ELEMENTS = 8


class Field(NamedTuple):
    """text: what is filled in. is_box: whether it is the state of a box. is_typed: whether somebody wrote it."""

    text: str
    is_box: bool = False
    is_typed: bool = False


_EMPTY = Field("")


def field_of(element: "HtmlElement") -> Field:
    """Return what is filled in; an empty field for secrets, buttons, searches, and boxes that only switch parts of the page."""
    if element.tag == "select":
        return Field(", ".join(filter(None, map(_option, element.iter("option")))))
    if element.tag == "textarea":
        return Field("".join(map(str, element.itertext())).strip(), is_typed=True)
    kind = (element.get("type") or "text").strip().lower()
    if kind in _BOXES:
        return Field(TICKED if element.get("checked") is not None else NOT_TICKED, True) if _is_box(element) else _EMPTY
    value = " ".join((element.get("value") or "").split())
    if not value or kind in _NO_VALUE or _SEARCH.search(_names(element)) or _is_prompt(element):
        return _EMPTY
    return Field(value, is_typed=any(map(str.isalpha, value)) and not value.lower().startswith(_ADDRESSES))


def is_beside_field(label: "HtmlElement") -> bool:
    """Whether a label is in one line with the field that follows it."""
    if _has_words(label.tail):
        return False
    following = label.getnext()
    if following is not None and following.tag == "br" and not _has_words(following.tail):
        following = following.getnext()
    return following is not None and following.tag in FIELDS and (following.get("type") or "").lower() not in _BOXES


def is_beside_box(label: "HtmlElement") -> bool:
    """Whether a label is in one line with the box before it."""
    before = label.getprevious()
    return (
        before is not None
        and before.tag == "input"
        and (before.get("type") or "").strip().lower() in _BOXES
        and not _has_words(before.tail)
    )


def _option(option: "HtmlElement") -> str:
    """Return the text of an option that is chosen; one without a value only asks to choose."""
    if option.get("selected") is None or option.get("value") == "":
        return ""
    return " ".join((option.get("label") or "".join(map(str, option.itertext()))).split())


def _is_box(element: "HtmlElement") -> bool:
    if element.get("role") == "button" or element.get("aria-hidden") == "true" or element.get("aria-haspopup"):
        return False
    if _SWITCH.search(f"{element.get('id') or ''} {element.get('class') or ''}"):
        return False
    parent, before, following = element.getparent(), element.getprevious(), element.getnext()
    if _has_words(element.tail) or (parent is not None and parent.tag in _HOLDERS):
        return True
    if before is None and parent is not None and _has_words(parent.text):
        return True
    return any(_has_words(each.text) for beside in (before, following) if beside is not None for each in _first(beside))


def _first(element: "HtmlElement") -> Iterator["HtmlElement"]:
    return islice(element.iter(), _MOST_ELEMENTS)


def _is_prompt(element: "HtmlElement") -> bool:
    """Whether a value says what to type, and a script removes it then."""
    return _SEARCH_PROMPT.fullmatch(element.get("value") or "") is not None or any(
        "value" in (element.get(name) or "") for name in ("onfocus", "onblur", "onclick")
    )


def _names(element: "HtmlElement") -> str:
    return " ".join(element.get(name) or "" for name in ("name", "id", "class"))


def _has_words(text: str | None) -> bool:
    return text is not None and any(map(str.isalnum, text))
