"""Making a picture fit for the engine: grey, dark on light, evenly lit, and large enough.

What does not belong here: opening files (page_pictures), and turning pictures by what was read of them (engine).
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

# The numbers of this module were chosen by trials with scans of known texts.
# The background is looked at in squares of so many pixels at 300 dpi, a line of print with its distance.
_SQUARE = 64
# Lit evenly enough: the darkest background against the brightest one.
_EVEN = 0.85
# A picture whose middle brightness is lower shows light letters on a dark ground.
_DARK = 110
# Paper is so bright, if it has only one colour.
_PAPER = 250
# The share of pixels that differ from the background on a page with anything on it, and by how much they differ.
_BLANK_SHARE, _BLANK_DIFFERENCE = 0.0002, 60


def on_white(picture: "Image") -> "Image":
    """Return a picture as grey values 0 to 255, with what is transparent filled by white, or by black behind light signs."""
    from PIL import Image

    if picture.mode.startswith(("I", "F")):  # more than 8 bits a pixel
        values = np.asarray(picture, dtype=np.float32)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) * (255 / max(high - low, 1))).astype(np.uint8))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        alpha = np.asarray(picture.getchannel("A"))
        grey = np.asarray(picture.convert("L"))
        shown = grey[alpha > 128]
        ground = 0 if shown.size and shown.mean() > 128 and (alpha <= 128).mean() > 0.02 else 255
        backed = Image.new("RGBA", picture.size, (ground, ground, ground, 255))
        backed.alpha_composite(picture)
        picture = backed
    return picture.convert("L")


def prepared(grey: "Image") -> "Image":
    """Return a picture with dark signs on a light ground that is equally bright everywhere; the same one if it is so."""
    from PIL import Image

    values = given = np.asarray(grey)
    if float(np.median(values)) < _DARK:
        values = 255 - values
    squares = _backgrounds(values)
    if squares.min() < _EVEN * squares.max():
        ground = Image.fromarray(squares.astype(np.uint8)).resize(grey.size, Image.Resampling.BICUBIC)
        values = np.minimum(values * (245.0 / np.maximum(np.asarray(ground, dtype=np.float32), 1)), 255).astype(
            np.uint8
        )
    return grey if values is given else Image.fromarray(values)


def shows_nothing(grey: "Image") -> bool:
    """Whether all of a picture has one colour, and not that of paper: no scan has, so it was not drawn as it should be."""
    lowest, highest = grey.getextrema()
    return lowest == highest and float(np.asarray(grey)[0, 0]) < _PAPER


def is_blank(picture: "Image") -> bool:
    """Whether hardly a pixel of a prepared picture differs from its ground."""
    values = np.asarray(picture)
    ground = float(np.median(values))
    return float((values < ground - _BLANK_DIFFERENCE).mean()) < _BLANK_SHARE


def _backgrounds(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how bright the background is in each square: the brightness that a fifth of its pixels exceed."""
    rows, columns = (max(1, size // _SQUARE) for size in values.shape)
    height, width = values.shape[0] // rows, values.shape[1] // columns
    squares = values[: rows * height, : columns * width].reshape(rows, height, columns, width)
    found = np.percentile(squares.transpose(0, 2, 1, 3).reshape(rows, columns, -1)[:, :, ::7], 80, axis=2)
    # A square that is all ink, such as a black bar or a photograph, has the background of those around it.
    from scipy.ndimage import maximum_filter

    return maximum_filter(found, size=3).astype(np.float32)
