"""Functions of pdfium that are called for each character or object of a page.

What belongs here: calling them without ctypes' conversion of each argument, which takes several times as long as they do. What
does not: what is done with the answers.
"""

import ctypes
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import repeat
from typing import Any

from seed_assets.core.reading.pdf.boxes import Box

_INT, _ADDRESS = ctypes.c_int, ctypes.c_void_p
# For so many characters or rectangles the arguments are made once.
_AT_ONCE = 512
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "FPDFText_GetUnicode": (ctypes.c_uint, _ADDRESS, _INT),
    "FPDFText_IsGenerated": (_INT, _ADDRESS, _INT),
    "FPDFText_GetCharBox": (_INT, _ADDRESS, _INT, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS),
    "FPDFText_GetLooseCharBox": (_INT, _ADDRESS, _INT, _ADDRESS),
    "FPDFText_GetCharOrigin": (_INT, _ADDRESS, _INT, _ADDRESS, _ADDRESS),
    "FPDFText_CountRects": (_INT, _ADDRESS, _INT, _INT),
    "FPDFText_GetRect": (_INT, _ADDRESS, _INT, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS),
    "FPDFText_GetBoundedText": (_INT, _ADDRESS, *(ctypes.c_double,) * 4, _ADDRESS, _INT),
    "FPDFPage_GetAnnot": (_ADDRESS, _ADDRESS, _INT),
    "FPDFAnnot_GetSubtype": (_INT, _ADDRESS),
    "FPDFPage_CloseAnnot": (None, _ADDRESS),
    "FPDFPage_CountObjects": (_INT, _ADDRESS),
    "FPDFPage_GetObject": (_ADDRESS, _ADDRESS, _INT),
    "FPDFPage_RemoveObject": (_INT, _ADDRESS, _ADDRESS),
    "FPDFPageObj_Destroy": (None, _ADDRESS),
    "FPDFPageObj_GetFillColor": (_INT, _ADDRESS, *(_ADDRESS,) * 4),
    "FPDFTextObj_GetTextRenderMode": (_INT, _ADDRESS),
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


# The type of a form, a part of a page, in pdfium's fpdf_edit.h; and how deeply forms may be in each other.
_FORM, _MOST_DEEP = 5, 14
# Where pdfium writes the sides of an object.
_FLOATS = (ctypes.c_float * 4)()
# What an object has whose colour pdfium cannot say.
_BLACK = (0, 0, 0, 255)


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
    return list(map(_fast("FPDFText_GetUnicode"), repeat(_argument(text_page)), range(count)))


def are_generated(text_page: int, numbers: Sequence[int]) -> list[bool]:
    """Return for each of these characters whether pdfium added it, as line ends and some blanks."""
    return list(map(bool, map(_fast("FPDFText_IsGenerated"), repeat(_argument(text_page)), numbers)))


def character_boxes(text_page: int, numbers: Sequence[int]) -> list[Box]:
    """Return the boxes of characters. Numbers that a page does not have get a box without a size."""
    found = _numbers("FPDFText_GetCharBox", text_page, numbers, 4)  # left, right, bottom, top
    return _boxes(found[0::4], found[2::4], found[1::4], found[3::4])


def text_rectangles(text_page: int, numbers: Sequence[int]) -> list[Box]:
    """Return the rectangles around pieces of text; they must have been counted before."""
    found = rectangle_sides(text_page, numbers)
    return _boxes(found[0::4], found[3::4], found[2::4], found[1::4])


def rectangle_sides(text_page: int, numbers: Sequence[int]) -> list[float]:
    """Return the left, upper, right and lower side of each of these rectangles, one after the other."""
    return _numbers("FPDFText_GetRect", text_page, numbers, 4)


def origins(text_page: int, numbers: Sequence[int]) -> list[tuple[float, float]]:
    """Return where characters stand on their base lines, in points from the left and from below."""
    found = _numbers("FPDFText_GetCharOrigin", text_page, numbers, 2)
    return list(zip(found[0::2], found[1::2], strict=True))


def font_heights(text_page: int, numbers: Sequence[int]) -> list[float]:
    """Return how high the font of each of these characters is, in points."""
    call, page, first = _fast("FPDFText_GetLooseCharBox"), _argument(text_page), ctypes.byref(_FLOATS)
    return [abs(_FLOATS[1] - _FLOATS[3]) if call(page, number, first) else 0.0 for number in numbers]


def length_within(text_page: int, box: Box) -> int:
    """Return how many characters of a page are in a box, with those that pdfium puts between them."""
    return function("FPDFText_GetBoundedText")(text_page, box.left, box.top, box.right, box.bottom, 0, 0)


def page_objects(page: int, numbers: Sequence[int], kind: int) -> list[int]:
    """Return those of these objects of a page that have a type."""
    found = list(map(function("FPDFPage_GetObject"), repeat(page), numbers))
    kinds = map(function("FPDFPageObj_GetType"), found)
    return [each for each, its_kind in zip(found, kinds, strict=True) if its_kind == kind]


def objects_on(page: int, kind: int) -> Iterator[int]:
    """Return the objects of a page and of the forms on it that have a type, in the order in which they are drawn."""
    count = function("FPDFPage_CountObjects")(page)
    yield from _objects_in(list(map(function("FPDFPage_GetObject"), repeat(page), range(max(count, 0)))), kind, 0)


def _objects_in(objects: Sequence[int], kind: int, depth: int) -> Iterator[int]:
    for each, its_kind in zip(objects, map(function("FPDFPageObj_GetType"), objects), strict=True):
        if its_kind == kind:
            yield each
        if its_kind == _FORM and depth < _MOST_DEEP:
            count = function("FPDFFormObj_CountObjects")(each)
            inner = map(function("FPDFFormObj_GetObject"), repeat(each), range(max(count, 0)))
            yield from _objects_in(list(inner), kind, depth + 1)


def bounds_of(found: int) -> Box | None:
    """Return the box of an object in points of what it is on, a page or a form; None if it has none."""
    return Box(*_FLOATS) if _bounds(found) else None


def fill_colours(objects: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """Return red, green, blue and opacity, from 0 to 255, of each object; pdfium says of patterns that they are white."""
    call = _fast("FPDFPageObj_GetFillColor")
    array, columns = _outputs(4, ctypes.c_uint)
    for start in range(0, len(objects), _AT_ONCE):
        some = objects[start : start + _AT_ONCE]
        array[:] = _BLACK * _AT_ONCE
        deque(map(call, map(_argument, some), *columns), 0)
        found = array[: 4 * len(some)]
        yield from zip(found[0::4], found[1::4], found[2::4], found[3::4], strict=True)


def page_object_width(found: int) -> float:
    """Return how wide an object of a page is, in points."""
    return abs(_FLOATS[2] - _FLOATS[0]) if _bounds(found) else 0.0


def _bounds(found: int) -> int:
    first = ctypes.addressof(_FLOATS)
    return function("FPDFPageObj_GetBounds")(found, first, first + 4, first + 8, first + 12)


def _boxes(left: Sequence[float], bottom: Sequence[float], right: Sequence[float], top: Sequence[float]) -> list[Box]:
    # The constructor of a named tuple is a function in Python, which takes three times as long.
    return list(map(tuple.__new__, repeat(Box), zip(left, bottom, right, top, strict=True)))


def _numbers(name: str, text_page: int, numbers: Sequence[int], width: int) -> list[float]:
    """Return what a function writes for each of these numbers: so many floating-point numbers, which are 0 if it fails."""
    array, columns = _outputs(width, ctypes.c_double)
    call, page = _fast(name), repeat(_argument(text_page))
    found: list[float] = []
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        ctypes.memset(array, 0, ctypes.sizeof(array))
        deque(map(call, page, some, *columns), 0)
        found += array[: width * len(some)]
    return found


@cache
def _outputs(width: int, kind: type[ctypes.c_double | ctypes.c_uint]) -> tuple[Any, list[list[Any]]]:
    """Return (an array, for the first, the second, ... number of each group of so many numbers where it is, as arguments)."""
    array = (kind * (width * _AT_ONCE))()
    places, size = range(_AT_ONCE), ctypes.sizeof(kind)
    columns = [[ctypes.byref(array, (width * place + column) * size) for place in places] for column in range(width)]
    return array, columns


@cache
def _fast(name: str) -> Any:
    """Return a function of pdfium that converts no arguments: they are small integers, and what ctypes made before."""
    from pypdfium2 import raw

    return ctypes.PYFUNCTYPE(_SIGNATURES[name][0])(address(getattr(raw, name)))


def _argument(handle: int) -> Any:
    return _ADDRESS.from_param(handle)
