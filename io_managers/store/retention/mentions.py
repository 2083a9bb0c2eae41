"""Whether stored bytes or texts name any of some documents.

An id such as `a.md` is not named by `data.md` or by `a.md.bak`: what stands before and after it decides. In MessagePack, which
has no character before a text, its length does. `my a.md` names it as well, unless that is the id of another document.
"""

import json
import re
from collections.abc import Iterable

import msgspec

# What continues a path. A full stop at the end of a sentence does not.
_BEFORE = r"(?:(?<![\w./-])|(?<=\\n)|(?<=\\t)|(?<=\\r))"
_AFTER = r"(?![\w/-]|\.\w)"
# Pages cut long texts, also the ids of documents; so many characters name one well enough.
_SHOWN_CHARACTERS = 100
# Vectors name nothing, and many values are vectors.
_NAMELESS = (b"seedbank safetensors ",)


class Mentions:
    """Recognises the ids of some documents in bytes and in texts, also where they are escaped in JSON."""

    def __init__(self, documents: Iterable[str], known: Iterable[str] = ()) -> None:
        """known: the ids of all documents. Those that contain one of `documents`, and are none, do not name it."""
        self.documents = tuple(documents)
        self.needles = tuple(dict.fromkeys(form for one in self.documents for form in _forms(one)))
        """The forms in which the ids occur. A text without any of them names none; a text with one may still be of another."""
        others = [one for one in set(known).difference(self.documents) if any(name in one for name in self.documents)]
        # Where two begin at the same place, the longer one is meant.
        longer = sorted((form for one in others for form in _escaped(one)), key=len, reverse=True)
        needles = sorted(self.needles, key=len, reverse=True)
        kept = "|".join(re.escape(form) + _AFTER for form in longer) or "(?!)"
        alternatives = "|".join(
            re.escape(form) + ("" if len(form) == _SHOWN_CHARACTERS else _AFTER) for form in needles
        )
        self._pattern = re.compile(f"{_BEFORE}(?:(?P<other>{kept})|{alternatives})" if needles else "(?!)")
        packed = [re.escape(msgspec.msgpack.encode(one)) for one in self.documents]
        in_bytes = [_in_bytes(longer, "?P<other>"), *packed, _in_bytes(needles)]
        self._in_bytes = re.compile(b"|".join(one for one in in_bytes if one) or b"(?!)")

    def in_text(self, text: str) -> bool:
        """Whether a text names any of the documents."""
        return any(form in text for form in self.needles) and _names(self._pattern.finditer(text))

    def in_bytes(self, data: bytes) -> bool:
        """Whether a stored value names any of the documents."""
        return not data.startswith(_NAMELESS) and _names(self._in_bytes.finditer(data))

    def without(self, text: str, instead: str = "(erased)") -> str:
        """The text with something else in place of each id."""
        return self._pattern.sub(lambda found: found[0] if found.lastgroup else instead, text)


def _forms(document: str) -> Iterable[str]:
    for shown in (document, document[:_SHOWN_CHARACTERS]) if len(document) > _SHOWN_CHARACTERS else (document,):
        yield from _escaped(shown)


def _escaped(shown: str) -> Iterable[str]:
    yield shown
    for ascii_only in (True, False):
        once = json.dumps(shown, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]


def _in_bytes(forms: Iterable[str], group: str = "?:") -> bytes:
    shown = b"|".join(re.escape(form.encode("utf-8", "surrogatepass")) + _AFTER.encode() for form in forms)
    return _BEFORE.encode() + b"(" + group.encode() + shown + b")" if shown else b""


def _names(found: Iterable[re.Match]) -> bool:
    """Whether any of the places is not the name of another document."""
    return any(one.lastgroup is None for one in found)
