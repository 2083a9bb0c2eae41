"""Places on a page. What does not belong here: what stands in them."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pypdfium2 import PdfPage


class Box(NamedTuple):
    """A rectangle on a page, in points; y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float


def paper_of(page: "PdfPage") -> Box:
    """Return the part of a page that is shown, in points before the page is turned."""
    return Box(*page.get_bbox())
