"""Characters that are not seen, and letters in forms that only printing needs. What belongs here: removing the former, and
replacing the latter by ordinary letters. What does not: control characters and line ends (extracted_text).
"""

import re
import unicodedata

# A soft hyphen at the end of a line was printed: it divides a word.
_DIVIDED = re.compile("(?<=\\w)\xad\n[ \t]*(?=\\w)")
# Soft hyphens, spaces of no width, marks and overrides of direction (Unicode's Bidi_Control, and its deprecated format
# characters), invisible operators, and anchors of annotations.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0001]"
)
# Tags are seen only after a black flag, as the flags of regions; elsewhere they can hide words.
_HIDDEN_TAGS = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+")
_TAGS = re.compile("[\U000e0020-\U000e007f]")
# A joiner or a non-joiner changes how the letter before it is written in the scripts from Arabic to Myanmar, in Khmer and in
# Mongolian, and makes one picture of two emoji. Elsewhere it does nothing.
_JOINING = re.compile("[\u0600-\u109f\u1780-\u18af\ua840-\uabff]")
_EMOJI = re.compile("[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]")
_JOINERS = re.compile("[\u200c\u200d]+")
# Latin and Armenian ligatures, and the forms of Hebrew and Arabic letters by their place in a word. Superscripts and other
# letters with a compatibility decomposition are not among them: 10² is not 102.
_PRESENTATION_FORMS = re.compile(
    "[\ufb00-\ufb06\ufb13-\ufb17\ufb20-\ufb28\ufb4f-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdfc\ufe70-\ufefc]"
)
# All of the above.
_ANY = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufb00-\ufefc\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]"
)


def visible_text(text: str) -> str:
    """Return a text without invisible characters, in which ligatures and presentation forms are ordinary letters."""
    # Most texts have few kinds of them, or none; a search for all takes less time than one for each kind.
    found = "" if text.isascii() else "".join(set(_ANY.findall(text)))
    if _UNSEEN.search(found):
        text = _UNSEEN.sub("", _DIVIDED.sub("", text))
    if _TAGS.search(found):
        text = _HIDDEN_TAGS.sub("", text)
    if _PRESENTATION_FORMS.search(found):
        text = _PRESENTATION_FORMS.sub(_as_letters, text)
    return _JOINERS.sub(_needed_joiner, text) if _JOINERS.search(found) else text


def _as_letters(form: re.Match[str]) -> str:
    # The decomposition of a vowel sign has a space to carry it.
    return unicodedata.normalize("NFKC", form[0]).removeprefix(" ")


def _needed_joiner(joiners: re.Match[str]) -> str:
    text, start, end = joiners.string, *joiners.span()
    if start and _JOINING.match(text, start - 1):
        return joiners[0][0]
    return joiners[0][0] if start and _EMOJI.match(text, start - 1) and _EMOJI.match(text, end) else ""
