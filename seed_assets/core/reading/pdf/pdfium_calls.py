"""Functions of pdfium that are called for each character or object of a page.

What belongs here: calling them without ctypes' conversion of each argument, which takes several times as long as they do. What
does not: what is done with the answers.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from itertools import repeat
from typing import Any

from seed_assets.core.reading.pdf.boxes import Box

_INT, _ADDRESS = ctypes.c_int, ctypes.c_void_p
_DOUBLE_BYTES = ctypes.sizeof(ctypes.c_double)
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "FPDFText_GetUnicode": (ctypes.c_uint, _ADDRESS, _INT),
    "FPDFText_IsGenerated": (_INT, _ADDRESS, _INT),
    "FPDFText_GetCharBox": (_INT, _ADDRESS, _INT, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS),
    "FPDFText_GetCharOrigin": (_INT, _ADDRESS, _INT, _ADDRESS, _ADDRESS),
    "FPDFText_GetRect": (_INT, _ADDRESS, _INT, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS),
    "FPDFPage_GetAnnot": (_ADDRESS, _ADDRESS, _INT),
    "FPDFAnnot_GetSubtype": (_INT, _ADDRESS),
    "FPDFPage_CloseAnnot": (None, _ADDRESS),
    "FPDFPage_GetObject": (_ADDRESS, _ADDRESS, _INT),
    "FPDFPageObj_GetType": (_INT, _ADDRESS),
    "FPDFPageObj_GetBounds": (_INT, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS),
    "FPDFPageObj_GetMatrix": (_INT, _ADDRESS, _ADDRESS),
    "FPDFFormObj_GetObject": (_ADDRESS, _ADDRESS, ctypes.c_ulong),
    "FPDFFormObj_CountObjects": (_INT, _ADDRESS),
    "FPDFPath_GetDrawMode": (_INT, _ADDRESS, _ADDRESS, _ADDRESS),
    "FPDFPath_CountSegments": (_INT, _ADDRESS),
    "FPDFPath_GetPathSegment": (_ADDRESS, _ADDRESS, _INT),
    "FPDFPathSegment_GetPoint": (_INT, _ADDRESS, _ADDRESS, _ADDRESS),
    "FPDFPathSegment_GetType": (_INT, _ADDRESS),
    "FPDFPathSegment_GetClose": (_INT, _ADDRESS),
}


# Where pdfium writes the sides of an object.
_FLOATS = (ctypes.c_float * 4)()


@cache
def function(name: str) -> Any:
    """Return a function of pdfium whose pointers are integers."""
    from pypdfium2 import raw

    return ctypes.PYFUNCTYPE(*_SIGNATURES[name])(address(getattr(raw, name)))


def address(handle: Any) -> int:
    """Return the address of a page or another object of pdfium."""
    return ctypes.cast(handle, _ADDRESS).value or 0


def codes(text_page: int, count: int) -> list[int]:
    """Return the codes of the first characters of a page."""
    return list(map(function("FPDFText_GetUnicode"), repeat(text_page), range(count)))


def is_generated(text_page: int, number: int) -> bool:
    """Whether pdfium added a character, as line ends and some blanks."""
    return bool(function("FPDFText_IsGenerated")(text_page, number))


def character_boxes(text_page: int, numbers: Sequence[int]) -> list[Box]:
    """Return the boxes of characters. Numbers that a page does not have get a box without a size."""
    sides = (ctypes.c_double * (4 * len(numbers)))()
    left, right, bottom, top = _places(sides, 4)
    for _ in map(function("FPDFText_GetCharBox"), repeat(text_page), numbers, left, right, bottom, top):
        pass
    found = sides[:]
    return list(map(Box, found[0::4], found[2::4], found[1::4], found[3::4]))


def text_rectangles(text_page: int, numbers: Sequence[int]) -> list[Box]:
    """Return the rectangles around pieces of text; FPDFText_CountRects must have been called before."""
    found = rectangle_sides(text_page, numbers)
    return list(map(Box, found[0::4], found[3::4], found[2::4], found[1::4]))


def rectangle_sides(text_page: int, numbers: Sequence[int]) -> list[float]:
    """Return the left, upper, right and lower side of each of these rectangles, one after the other."""
    sides = (ctypes.c_double * (4 * len(numbers)))()
    for _ in map(function("FPDFText_GetRect"), repeat(text_page), numbers, *_places(sides, 4)):
        pass
    return sides[:]


def origins(text_page: int, numbers: Sequence[int]) -> list[tuple[float, float]]:
    """Return where characters stand on their base lines, in points from the left and from below."""
    places = (ctypes.c_double * (2 * len(numbers)))()
    across, up = _places(places, 2)
    for _ in map(function("FPDFText_GetCharOrigin"), repeat(text_page), numbers, across, up):
        pass
    found = places[:]
    return list(zip(found[0::2], found[1::2], strict=True))


def page_objects(page: int, numbers: Sequence[int], kind: int) -> list[int]:
    """Return those of these objects of a page that have a type."""
    found = list(map(function("FPDFPage_GetObject"), repeat(page), numbers))
    kinds = map(function("FPDFPageObj_GetType"), found)
    return [each for each, its_kind in zip(found, kinds, strict=True) if its_kind == kind]


def page_object_width(found: int) -> float:
    """Return how wide an object of a page is, in points."""
    first = ctypes.addressof(_FLOATS)
    if not function("FPDFPageObj_GetBounds")(found, first, first + 4, first + 8, first + 12):
        return 0.0
    return abs(_FLOATS[2] - _FLOATS[0])


def _places(array: Any, width: int) -> tuple[range, ...]:
    """Return the addresses of the first, the second, ... number of each group of so many numbers."""
    first, size = ctypes.addressof(array), ctypes.sizeof(array)
    step = width * _DOUBLE_BYTES
    return tuple(range(first + place * _DOUBLE_BYTES, first + size, step) for place in range(width))
