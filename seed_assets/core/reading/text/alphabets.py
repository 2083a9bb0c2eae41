"""The letters of languages beyond a to z, as evidence of how a text was encoded. What does not belong here: decoding."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

_CYRILLIC = "абвгдежзклмнопрстуфхцчш"
# The alphabets of the languages whose usual encodings are distinguished (their standard orthographies, with the letters of
# common loan words).
_ALPHABETS: Mapping[str, frozenset[str]] = {
    language: frozenset(letters)
    for language, letters in {
        "Albanian": "ëç",
        "Arabic": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيـ\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652",
        "Azerbaijani and Turkish": "çğıöşüâîûiİ",
        "Belarusian": _CYRILLIC + "ёійўыьэюя",
        "Bulgarian": _CYRILLIC + "ийщъьюяѝ",
        "Catalan": "àéèíïóòúüçŀ",
        "Croatian and Slovenian": "čćđšž",
        "Czech": "áčďéěíňóřšťúůýžöü",
        "Danish and Norwegian": "æøåéèêóòâôü",
        "Dutch": "éèêëïíóöüáàâ",
        "English": "éèêëïñöüàâçæœô",
        "Estonian": "äöõüšžé",
        "Faroese and Icelandic": "áðéíóúýþæöø",
        "Finnish": "åäöšžé",
        "French": "àâæçéèêëîïôœùûüÿñ",
        "German": "äöüßéèàâêç",
        "Greek": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",
        "Hebrew": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
        "Hungarian": "áéíóöőúüűä",
        "Irish and Welsh": "áéíóúâêîôûŵŷàèìòùäëïöü",
        "Italian": "àèéìîòóù",
        "Latvian": "āčēģīķļņšūžōŗ",
        "Lithuanian": "ąčęėįšųūž",
        "Macedonian": _CYRILLIC + "иѓѕјљњќџѐѝ",
        "Maltese and Esperanto": "ċġħżàèìòùĉĝĥĵŝŭ",
        "Persian": "ءآأؤئابپتثجچحخدذرزژسشصضطظعغفقکكگلمنوهیيىةـ\u064b\u064e\u064f\u0650\u0651\u200c",
        "Polish": "ąćęłńóśźż",
        "Portuguese": "áâãàçéêíóôõúü",
        "Romanian": "ăâîşţ",
        "Romanian with commas below": "ăâîșț",
        "Russian": _CYRILLIC + "ийщъыьэюяё",
        "Serbian": _CYRILLIC + "иђјљњћџ",
        "Slovak": "áäčďéíĺľňóôŕšťúýž",
        "Spanish": "áéíñóúüçªº",
        "Swedish": "åäöéàü",
        "Ukrainian": _CYRILLIC + "иіїєґйщьюя",
        "Urdu": "ءآأؤئابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوہھیےۓةـ",
        "Vietnamese": "ăâđêôơưàáèéíóùúý",
    }.items()
}
# Letters for Unicode, but signs of units and of ordinal numbers in any language.
_SIGNS = "µªº"
_SPACED = frozenset().union(*_ALPHABETS.values())
# The numbers were chosen by judgement. A codec serves a language if it has this share of the letters; loan words bring others.
_LEAST_ENCODABLE = 0.8
# So many letters beyond ASCII, of an alphabet with so many, should include so many different ones.
_ENOUGH_LETTERS, _LARGE_ALPHABET, _FEWEST_USED = 6, 9, 3


class LetterFit(NamedTuple):
    """How well the letters beyond ASCII fit an alphabet of one language.

    foreign: the share of them that the best fitting alphabet lacks.
    few: whether they are many, but only one or two letters of a large alphabet.
    """

    foreign: float
    few: bool


def letter_fit(text: str, codec: str) -> LetterFit:
    """Compare the letters of a text with the alphabets of the languages that a codec serves.

    A text that is decoded wrongly has letters that no language has together. Scripts without an alphabet here always fit.
    """
    counts = Counter(
        letter for letter in text.lower() if letter >= "\x80" and letter.isalpha() and letter not in _SIGNS
    )
    total = counts.total()
    if not total or sum(count for letter, count in counts.items() if _is_of_other_script(letter)) > total / 2:
        return LetterFit(0.0, False)
    alphabets = _served(codec)
    covered = [sum(count for letter, count in counts.items() if letter in alphabet) for alphabet in alphabets]
    best = max(covered, default=0)
    fitting = [len(alphabet) for alphabet, count in zip(alphabets, covered, strict=True) if count == total]
    few = total >= _ENOUGH_LETTERS and min(fitting, default=0) >= _LARGE_ALPHABET and len(counts) < _FEWEST_USED
    return LetterFit(1 - best / total, few)


@cache
def _served(codec: str) -> tuple[frozenset[str], ...]:
    return tuple(
        alphabet
        for alphabet in _ALPHABETS.values()
        if len("".join(alphabet).encode(codec, "ignore").decode(codec)) >= _LEAST_ENCODABLE * len(alphabet)
    )


def _is_of_other_script(letter: str) -> bool:
    """Whether a letter is of a script whose encodings need no such evidence: Thai, Chinese, Japanese, Korean and so on."""
    return letter > "\u0700" and letter not in _SPACED
