"""Places on a page. What does not belong here: what stands in them."""

from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle on a page, in points; y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float
