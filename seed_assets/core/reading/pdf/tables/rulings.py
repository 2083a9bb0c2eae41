"""The straight lines of a page that may be those of a table, and the edges of its rectangles.

What belongs here: reading them with pdfium. What does not: which of them make a table (grids).
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

from seed_assets.core.reading.pdf.pdfium_calls import function

# The types of objects and of segments in pdfium's fpdf_edit.h.
_PATH, _FORM = 2, 5
_LINE, _MOVE = 0, 2
# A page with more is a drawing. Chosen by judgement.
_MOST_OBJECTS, _MOST_SEGMENTS, _MOST_LINES = 20_000, 4_000, 600
_MOST_DEEP = 3
_FEWEST_SEGMENTS, _RECTANGLE = 3, 5
# A line may be drawn as a narrow rectangle. In points, chosen by judgement.
_THICKEST, _SHORTEST_ACROSS, _SHORTEST_UP, _SLANT = 3.0, 8.0, 4.0, 0.7


class Ruling(NamedTuple):
    """A line. at: its height if it goes across, otherwise how far it is from the left. start, end: from where to where."""

    at: float
    start: float
    end: float


class _Matrix(NamedTuple):
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def point(self, x: float, y: float) -> tuple[float, float]:
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def after(self, other: "_Matrix") -> "_Matrix":
        """Return the matrix that does what another one does, and then this one."""
        origin = self.point(other.e, other.f)
        return _Matrix(
            self.a * other.a + self.c * other.b,
            self.b * other.a + self.d * other.b,
            self.a * other.c + self.c * other.d,
            self.b * other.c + self.d * other.d,
            *origin,
        )


@dataclass(slots=True)
class Rulings:
    """The lines of a page that go across, and those that go up."""

    across: list[Ruling] = field(default_factory=list)
    up: list[Ruling] = field(default_factory=list)

    def add(self, left: float, bottom: float, right: float, top: float) -> None:
        """Add a line between two corners, unless it is slanted, thick or short."""
        if top - bottom <= _THICKEST and right - left >= _SHORTEST_ACROSS:
            self.across.append(Ruling((bottom + top) / 2, left, right))
        elif right - left <= _THICKEST and top - bottom >= _SHORTEST_UP:
            self.up.append(Ruling((left + right) / 2, bottom, top))


def rulings(page: int, count: int) -> Rulings:
    """Return the lines of a page; none if it has too many to be those of tables.

    page: its address.
    count: how many objects it has.
    """
    found = Rulings()
    segments_left = _MOST_SEGMENTS
    for path, matrix in _paths(page, count):
        segments_left -= _add_path(path, matrix, found)
        if segments_left < 0 or len(found.across) > _MOST_LINES or len(found.up) > _MOST_LINES:
            return Rulings()
    return found


def _paths(page: int, count: int) -> Iterator[tuple[int, _Matrix]]:
    """Return the paths of a page, and of the forms on it, with the matrix of the form."""
    if count > _MOST_OBJECTS:
        return
    objects = list(map(function("FPDFPage_GetObject"), repeat(page), range(count)))
    waiting = [(each, _Matrix(), 0) for each in _interesting(objects)]
    seen = len(objects)
    while waiting:
        found, matrix, depth = waiting.pop()
        if function("FPDFPageObj_GetType")(found) == _PATH:
            yield found, matrix
        elif depth < _MOST_DEEP:
            inner = function("FPDFFormObj_CountObjects")(found)
            seen += max(inner, 0)
            if seen > _MOST_OBJECTS:
                return
            objects = list(map(function("FPDFFormObj_GetObject"), repeat(found), range(max(inner, 0))))
            own = matrix.after(_matrix_of(found))
            waiting += [(each, own, depth + 1) for each in _interesting(objects)]


def _interesting(objects: list[int]) -> list[int]:
    kinds = map(function("FPDFPageObj_GetType"), objects)
    return [each for each, kind in zip(objects, kinds, strict=True) if each and kind in (_PATH, _FORM)]


_FLOATS = (ctypes.c_float * 6)()
_NUMBERS = (ctypes.c_int * 2)()


def _matrix_of(found: int) -> _Matrix:
    if not function("FPDFPageObj_GetMatrix")(found, ctypes.addressof(_FLOATS)):
        return _Matrix()
    return _Matrix(*_FLOATS)


def _add_path(path: int, matrix: _Matrix, found: Rulings) -> int:
    """Add the lines of a path, and return how many segments were looked at."""
    first = ctypes.addressof(_FLOATS)
    if not function("FPDFPageObj_GetBounds")(path, first, first + 4, first + 8, first + 12):
        return 0
    left, bottom, right, top = _FLOATS[:4]
    if right - left < _SHORTEST_ACROSS and top - bottom < _SHORTEST_UP:
        return 0
    modes = ctypes.addressof(_NUMBERS)
    if not function("FPDFPath_GetDrawMode")(path, modes, modes + 4) or not any(_NUMBERS):
        return 0  # it is not drawn, as clipping paths
    if top - bottom <= _THICKEST or right - left <= _THICKEST:
        corners = matrix.point(left, bottom), matrix.point(right, top)
        found.add(*map(min, *corners), *map(max, *corners))
        return 1
    count = function("FPDFPath_CountSegments")(path)
    if count < _FEWEST_SEGMENTS or count > _MOST_SEGMENTS:
        return max(count, 0)  # a single line that is neither flat nor upright is slanted
    if right - left < _SHORTEST_ACROSS:
        return 1  # too narrow for a cell
    if count == _RECTANGLE and not _begins_straight(path):
        return 2
    return _add_segments(path, count, matrix.after(_matrix_of(path)), found)


def _begins_straight(path: int) -> bool:
    """Whether the first line of a path goes across or up; curves and turned rectangles are none of a table."""
    first = ctypes.addressof(_FLOATS)
    one, other = (function("FPDFPath_GetPathSegment")(path, number) for number in (0, 1))
    if function("FPDFPathSegment_GetType")(other) != _LINE:
        return False
    function("FPDFPathSegment_GetPoint")(one, first, first + 4)
    function("FPDFPathSegment_GetPoint")(other, first + 8, first + 12)
    return abs(_FLOATS[0] - _FLOATS[2]) <= _SLANT or abs(_FLOATS[1] - _FLOATS[3]) <= _SLANT


def _add_segments(path: int, count: int, matrix: _Matrix, found: Rulings) -> int:
    """Add the lines of a path up to the first that is slanted or a curve, which tables have not; return how many were seen."""
    begin_x = begin_y = last_x = last_y = 0.0
    first = ctypes.addressof(_FLOATS)
    second = first + ctypes.sizeof(ctypes.c_float)
    a, b, c, d, e, f = matrix
    get_segment, get_point = function("FPDFPath_GetPathSegment"), function("FPDFPathSegment_GetPoint")
    get_kind, is_closed = function("FPDFPathSegment_GetType"), function("FPDFPathSegment_GetClose")
    for number in range(count):
        segment = get_segment(path, number)
        get_point(segment, first, second)
        x, y, *_ = _FLOATS
        x, y = a * x + c * y + e, b * x + d * y + f
        kind = get_kind(segment)
        if kind == _MOVE:
            begin_x, begin_y = x, y
        elif kind != _LINE:
            return number + 1
        else:
            # Curves are often drawn as very many short lines, so that little may be done for each.
            across, up = abs(x - last_x), abs(y - last_y)
            if across > _SLANT and up > _SLANT:
                return number + 1
            if across >= _SHORTEST_ACROSS or up >= _SHORTEST_UP:
                found.add(min(x, last_x), min(y, last_y), max(x, last_x), max(y, last_y))
        if is_closed(segment):
            _close(x, y, begin_x, begin_y, found)
        last_x, last_y = x, y
    return count


def _close(x: float, y: float, begin_x: float, begin_y: float, found: Rulings) -> None:
    """Add the line that closes a path."""
    if abs(x - begin_x) <= _SLANT or abs(y - begin_y) <= _SLANT:
        found.add(min(x, begin_x), min(y, begin_y), max(x, begin_x), max(y, begin_y))
