"""Reading the picture of one page with Tesseract.

What belongs here: which way up a picture is, straightening it, and which of several readings is kept. What does not: opening
files (page_pictures) and choosing languages (languages).
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from seed_assets.core.reading.ocr.languages import ORIENTATION, Languages
from seed_assets.core.reading.ocr.picture_preparation import is_blank, prepared, shows_nothing
from seed_assets.core.reading.ocr.scanned_page import ScannedPage, ScannedWord, confidence_of

if TYPE_CHECKING:
    from PIL.Image import Image


# The numbers of this module were chosen by trials with scans of known texts.
# Below this confidence a picture may be upside down or in another script; below the other one it is read again with less noise.
_DOUBTFUL, _GOOD = 0.8, 0.9
# Lines that are turned by so many degrees or more are straightened first.
_SKEWED = 0.4
# The least number of words from which the angle of lines is known.
_FEWEST_WORDS = 5
# Words that the engine is less sure of are marks and dirt.
_LEAST_WORD, _LEAST_SIGN = 15, 40
# A reading is better than another by the letters that it is sure of; doubtful letters count against it.
_NEUTRAL = 40


class _Reading:
    """One reading of one form of a picture."""

    def __init__(self, picture: "Image", dpi: int, languages: Languages) -> None:
        api = _reader(languages)
        api.SetImage(picture)
        api.SetSourceResolution(dpi)
        self.picture = picture
        read = list(_words(api.GetTSVText(0)))
        self.words = _legible(read)
        self.n_lost_letters = sum(len(word.text) for word in read) - sum(len(word.text) for word in self.words)
        places = api.GetIterator()
        self.angle = math.degrees(places.Orientation()[3]) if places and len(self.words) >= _FEWEST_WORDS else 0.0
        api.Clear()

    @property
    def confidence(self) -> float:
        return confidence_of(self.words, self.n_lost_letters)

    @property
    def worth(self) -> int:
        return sum((word.confidence - _NEUTRAL) * len(word.text) for word in self.words)


def scan_picture(picture: "Image", dpi: int, languages: Languages) -> ScannedPage:
    """Return the words of a picture, whichever way up it is.

    picture: in grey values. dpi: pixels an inch, about 300.

    A picture is read once if the engine is sure of what it read and lines are straight. Otherwise it is turned upright,
    straightened or smoothed, and the reading with the most sure letters is kept.
    """
    from PIL import Image, ImageFilter

    if shows_nothing(picture):
        return ScannedPage(picture.width, picture.height, problem="nothing but one colour is shown")
    picture = prepared(picture)
    if is_blank(picture):
        return ScannedPage(picture.width, picture.height, is_blank=True)
    best, turned, script = _Reading(picture, dpi, languages), 0.0, ""
    if best.confidence < _DOUBTFUL or len(best.words) < _FEWEST_WORDS:
        degrees, script = _orientation(picture, dpi, languages)
        if degrees:
            upright = picture.transpose(
                {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}[
                    degrees
                ]
            )
            other = _Reading(upright, dpi, languages)
            if other.worth > best.worth:
                best, turned = other, float(degrees)
    if abs(best.angle) >= _SKEWED:
        straight = best.picture.rotate(best.angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        other = _Reading(straight, dpi, languages)
        if other.worth > best.worth:
            best, turned = other, turned - round(best.angle, 2)
    picture = best.picture
    for smoothed in (ImageFilter.MedianFilter(3), ImageFilter.GaussianBlur(0.8), ImageFilter.MedianFilter(5)):
        if best.confidence >= _GOOD:
            break
        other = _Reading(picture.filter(smoothed), dpi, languages)
        best = other if other.worth > best.worth else best
    return ScannedPage(
        picture.width, picture.height, turned % 360, best.words, script, n_lost_letters=best.n_lost_letters
    )


def _words(tsv: str) -> Iterator[ScannedWord]:
    """Return the words of Tesseract's table."""
    last = ("", "", "")
    for row in tsv.split("\n"):
        level, _, block, paragraph, line, _, *rest = row.split("\t")[:12] if row.count("\t") >= 11 else ("",) * 12
        if level != "5":
            continue
        left, top, width, height = map(int, rest[:4])
        confidence, text = int(float(rest[4])), rest[5].strip()
        if not text:
            continue
        here = (block, paragraph, line)
        lines = 0 if here == last else 1 if here[:2] == last[:2] else 2
        yield ScannedWord(text, confidence, left, top, left + width, top + height, lines if last[0] else 0)
        last = here


def _legible(read: Sequence[ScannedWord]) -> tuple[ScannedWord, ...]:
    """Return the words that the engine is at least a little sure of. A line that begins with another one still begins there."""
    kept: list[ScannedWord] = []
    lines = 0
    for word in read:
        lines = max(lines, word.lines)
        if word.confidence >= (_LEAST_WORD if any(map(str.isalnum, word.text)) else _LEAST_SIGN):
            kept.append(msgspec.structs.replace(word, lines=lines if kept else 0))
            lines = 0
    return tuple(kept)


def _orientation(picture: "Image", dpi: int, languages: Languages) -> tuple[int, str]:
    """Return (by how many degrees to turn the picture clockwise, its script); (0, "") if that cannot be found."""
    if not languages.orientation_directory:
        return 0, ""
    api = _orienter(languages.orientation_directory)
    api.SetImage(picture)
    api.SetSourceResolution(dpi)
    found = api.DetectOrientationScript()
    api.Clear()
    return ((360 - int(found["orient_deg"])) % 360, str(found["script_name"])) if found else (0, "")


@cache
def _reader(languages: Languages) -> Any:
    from tesserocr import OEM, PSM, PyTessBaseAPI

    return PyTessBaseAPI(path=languages.directory, lang="+".join(languages.names), psm=PSM.AUTO, oem=OEM.LSTM_ONLY)


@cache
def _orienter(directory: str) -> Any:
    from tesserocr import PSM, PyTessBaseAPI

    return PyTessBaseAPI(path=directory, lang=ORIENTATION, psm=PSM.OSD_ONLY)
