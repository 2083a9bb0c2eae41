"""The pictures of a document's pages: pages of a PDF are drawn, files that are pictures are opened.

What belongs here: how large a picture may be, and which way up a camera has noted that it is. What does not: reading it
(engine), and making it fit for that (picture_preparation).
"""

import io
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import msgspec

from io_managers.store.fingerprint import content_digest
from resources.corpus.formats import PICTURE
from resources.errors import DocumentError
from seed_assets.core.reading.file_signatures import named_content
from seed_assets.core.reading.ocr.picture_preparation import on_white

if TYPE_CHECKING:
    from PIL.Image import Image

# The bounds were chosen by judgement. So many pixels are read at most; an A3 page at 300 dpi has 17 million.
_MOST_READ_PIXELS = 40_000_000
# A file with more pixels in one picture is not opened.
_MOST_PIXELS = 250_000_000
# The engine takes no picture with longer sides.
_LONGEST_SIDE = 32_000
_MOST_FRAMES = 10_000
# Pictures with fewer pixels across are taken for pictures of a screen, and enlarged by 3 and by 2.
_TINY, _SMALL = 800, 1_700
_DPI = 300
_POINTS_PER_INCH = 72
_KINDS = ("PNG", "JPEG", "TIFF", "WEBP")
PICTURE_REMEDY = "Open it in another program and save it as PNG, or list it in .seedbankignore."


class PictureDigest(msgspec.Struct, frozen=True, array_like=True):
    """What identifies the picture of a page. problem: why it cannot be made, if there is no digest."""

    digest: str
    problem: str = ""


def page_count(data: bytes) -> int:
    """Return the number of pictures in a picture file. Raises DocumentError if it cannot be opened."""
    with _opened(data) as picture:
        frames = int(getattr(picture, "n_frames", 1)) if picture.format == "TIFF" else 1
        if frames > _MOST_FRAMES:
            raise DocumentError(
                f"the file has {frames:,} pictures, more than the {_MOST_FRAMES:,} that are read.", "Split it."
            )
        return frames


def page_picture(data: bytes, format: str, page: int, dpi: int) -> "tuple[Image, int]":
    """Return (the picture of a page in grey values, its pixels per inch).

    page: counted from 0. dpi: how a page of a PDF is drawn; a large page is drawn with fewer pixels.

    Raises DocumentError if there is no such picture, or if it is too large.
    """
    return _frame(data, page) if format == PICTURE else _drawn(data, page, dpi)


def picture_digests(data: bytes, format: str, pages: list[int], dpi: int) -> list[PictureDigest]:
    """Return the digest of each page's picture, or why it cannot be made."""
    return [_digest(data, format, page, dpi) for page in pages]


def _digest(data: bytes, format: str, page: int, dpi: int) -> PictureDigest:
    try:
        picture, resolution = page_picture(data, format, page, dpi)
    except DocumentError as error:
        return PictureDigest("", error.reason)
    return PictureDigest(content_digest(f"{picture.width} {picture.height} {resolution} ".encode() + picture.tobytes()))


def _drawn(data: bytes, page: int, dpi: int) -> "tuple[Image, int]":
    import pypdfium2

    try:
        with closing(pypdfium2.PdfDocument(data)) as document, closing(document[page]) as opened:
            width, height = (max(side, 1.0) / _POINTS_PER_INCH for side in opened.get_size())
            dpi = min(dpi, _most(width, height))
            if dpi < 1:
                raise DocumentError("the page is too large to be drawn.", PICTURE_REMEDY)
            drawn = opened.render(
                scale=dpi / _POINTS_PER_INCH,  # pyright: ignore[reportArgumentType] - declared by its default, 1
                grayscale=True,
                draw_annots=False,
            )
            with closing(drawn):
                # A copy, since the memory of the drawing is freed with it.
                return drawn.to_pil().convert("L").copy(), dpi
    except pypdfium2.PdfiumError as error:
        raise DocumentError("the page cannot be drawn.", PICTURE_REMEDY) from error


def _most(width: float, height: float) -> int:
    """Return the most pixels per inch for a page, whose sides are given in inches."""
    return int(min(math.sqrt(_MOST_READ_PIXELS / (width * height)), _LONGEST_SIDE / max(width, height)))


def _frame(data: bytes, page: int) -> "tuple[Image, int]":
    from PIL import Image, ImageOps

    with _opened(data) as picture:
        picture.seek(page)
        _refuse_large(picture.size)
        upright = on_white(ImageOps.exif_transpose(picture))
    width, height = upright.size
    factor = 3.0 if max(width, height) < _TINY else 2.0 if max(width, height) < _SMALL else 1.0
    factor = min(factor, math.sqrt(_MOST_READ_PIXELS / (width * height)), _LONGEST_SIDE / max(width, height))
    if factor != 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        upright = upright.resize(size, Image.Resampling.LANCZOS)
    return upright, _DPI


def _refuse_large(size: tuple[int, int]) -> None:
    if size[0] * size[1] > _MOST_PIXELS:
        raise DocumentError(
            f"the picture has {size[0]:,} x {size[1]:,} pixels, more than the {_MOST_PIXELS:,} that are read.",
            "Make it smaller, or list it in .seedbankignore.",
        )


@contextmanager
def _opened(data: bytes) -> "Iterator[Image]":
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # _refuse_large has its own bound, with a remedy
    try:
        with Image.open(io.BytesIO(data), formats=_KINDS) as picture:
            yield picture
    except DocumentError:
        raise
    except UnidentifiedImageError as error:
        found = named_content(data)
        raise DocumentError(
            f"the file is not a PNG, JPEG, TIFF or WebP picture{f': it is {found}' if found else ''}.",
            "Give it the suffix of what it is, or put the picture in its place.",
        ) from error
    except (OSError, EOFError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        words = (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".")
        raise DocumentError(f"the picture is damaged: {words}.", PICTURE_REMEDY) from error
