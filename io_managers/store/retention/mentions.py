"""Whether stored bytes or texts name any of some documents.

An id such as `a.md` is not named by `data.md` or by `a.md.bak`: what stands before and after it decides. In MessagePack, which
has no character before a text, its length does.
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

    def __init__(self, documents: Iterable[str]) -> None:
        self.documents = tuple(documents)
        self.needles = tuple(dict.fromkeys(form for one in self.documents for form in _forms(one)))
        """The forms in which the ids occur. A text without any of them names none; a text with one may still be of another."""
        alternatives = "|".join(
            re.escape(form) + ("" if len(form) == _SHOWN_CHARACTERS else _AFTER) for form in self.needles
        )
        self._pattern = re.compile(f"{_BEFORE}(?:{alternatives})" if self.needles else "(?!)")
        packed = [msgspec.msgpack.encode(one) for one in self.documents]
        shown = [re.escape(form.encode("utf-8", "surrogatepass")) + _AFTER.encode() for form in self.needles]
        in_bytes = [*map(re.escape, packed), _BEFORE.encode() + b"(?:" + b"|".join(shown) + b")"]
        self._in_bytes = re.compile(b"|".join(in_bytes) if shown else b"(?!)")

    def in_text(self, text: str) -> bool:
        """Whether a text names any of the documents."""
        return any(form in text for form in self.needles) and self._pattern.search(text) is not None

    def in_bytes(self, data: bytes) -> bool:
        """Whether a stored value names any of the documents."""
        return not data.startswith(_NAMELESS) and self._in_bytes.search(data) is not None

    def without(self, text: str, instead: str = "(erased)") -> str:
        """The text with something else in place of each id."""
        return self._pattern.sub(instead, text)


def _forms(document: str) -> Iterable[str]:
    for shown in (document, document[:_SHOWN_CHARACTERS]) if len(document) > _SHOWN_CHARACTERS else (document,):
        yield shown
        for ascii_only in (True, False):
            once = json.dumps(shown, ensure_ascii=ascii_only)[1:-1]
            yield once
            yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
