"""UTF-8 in which a few bytes are damaged or of another encoding, as in logs and in files that were joined.

What belongs here: whether a file is UTF-8 all the same. What does not: the order in which encodings are tried (text_decoding).

Every other encoding of Western Europe can decode such bytes as well, but then garbles each accent. Texts in other encodings
hardly ever have valid sequences of UTF-8 that are letters within words, so these show what a file is.
"""

import re
from typing import NamedTuple

_REPLACEMENT = "\ufffd"
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
# In a text without words in known scripts, so many sequences may have one undecodable byte; chosen by judgement.
_SEQUENCES_PER_DAMAGE = 20
_LATIN = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u0218-\u021b\u1e00-\u1eff"
_OF_LATIN_WORDS = rf"(?<!\ufffd)(?:(?<=[A-Za-z{_LATIN}])[{_LATIN}]|[{_LATIN}](?=[A-Za-z{_LATIN}]))(?!\ufffd)"
# Quotation marks, dashes and the sign of the euro have three bytes, which no other encoding has in this order in a text.
_SIGNS = "[\u2010-\u2026\u2030\u2039\u203a\u20ac\u2122]"
# Other scripts, each with the letters of its blocks. Fewer letters in a row may be there by chance.
_SCRIPTS = (
    "\u0370-\u03ff\u1f00-\u1fff",
    "\u0400-\u052f",
    "\u0531-\u0587",
    "\u0590-\u05ff",
    "\u0600-\u06ff",
    "\u0900-\u097f",
    "\u0980-\u0dff",
    "\u0e00-\u0e7f",
    "\u10a0-\u10ff",
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff",
    "\uac00-\ud7a3",
)
_OTHER_WORDS = "|".join(f"[{letters}]{{3,}}" for letters in _SCRIPTS)
_EVIDENCE = re.compile(f"{_OF_LATIN_WORDS}|{_SIGNS}|{_OTHER_WORDS}")


class DamagedUtf8(NamedTuple):
    """A text that is UTF-8 but for some bytes. replaced: how many characters U+FFFD stand for these."""

    text: str
    replaced: int


def decode_damaged_utf8(data: bytes) -> DamagedUtf8 | None:
    """Decode bytes that are not valid UTF-8, if they are UTF-8 in the main; otherwise return None.

    They are if there are at least as many letters within words, beyond ASCII, and signs of print as undecodable bytes.
    """
    text = data.decode("utf-8", "replace")
    replaced = text.count(_REPLACEMENT) - data.count(_REPLACEMENT.encode())
    if sum(len(found[0]) for found in _EVIDENCE.finditer(text)) >= replaced or (
        sum(1 for _ in _MULTIBYTE.finditer(data)) >= _SEQUENCES_PER_DAMAGE * replaced
    ):
        return DamagedUtf8(text, replaced)
    return None
