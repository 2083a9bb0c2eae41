"""The pictures of pages: which files are opened, which way up, how large, and what identifies them."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from resources.errors import DocumentError
from seed_assets.core.reading.ocr.page_pictures import page_count, page_picture, picture_digests
from tests.support.pdf_files import lines, pdf
from tests.support.scans import picture_file, printed, scan_pdf

SMALL = printed(["Rivers rise."])
ORIENTATION_TAG = 274
TURNED_LEFT = 6


def test_a_tiff_file_has_a_page_for_each_picture_and_others_have_one() -> None:
    assert page_count(picture_file(SMALL, "TIFF", more=[SMALL, SMALL])) == 3
    assert page_count(picture_file(SMALL, "WEBP", more=[SMALL.point(lambda value: 255 - value)])) == 1


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_pictures_are_opened_as_grey_values(format: str) -> None:
    picture, _ = page_picture(picture_file(SMALL, format), "picture", 0, 300)
    assert picture.mode == "L"
    assert np.asarray(picture).min() < 60
    assert np.median(np.asarray(picture)) > 240


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(SMALL.convert("1"), id="black and white"),
        pytest.param(SMALL.convert("RGB").quantize(16), id="with a palette"),
        pytest.param(Image.fromarray(np.asarray(SMALL).astype(np.uint16) * 200), id="16 bits a pixel"),
        pytest.param(
            Image.merge("LA", (Image.new("L", SMALL.size, 0), SMALL.point(lambda v: 255 - v))), id="transparent"
        ),
        pytest.param(
            Image.merge("LA", (Image.new("L", SMALL.size, 255), SMALL.point(lambda v: 255 - v))), id="white on nothing"
        ),
    ],
)
def test_every_kind_of_pixel_shows_what_is_printed(picture: Image.Image) -> None:
    found, _ = page_picture(picture_file(picture), "picture", 0, 300)
    values = np.asarray(found).astype(int)
    ground = np.median(values)
    assert 0.005 < (abs(values - ground) > 100).mean() < 0.2


def test_a_photograph_is_turned_as_its_camera_noted() -> None:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = TURNED_LEFT
    data = picture_file(SMALL.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)
    found, _ = page_picture(data, "picture", 0, 300)
    assert (found.width > found.height) == (SMALL.width > SMALL.height)
    assert abs(np.asarray(found.resize(SMALL.size)).astype(int) - np.asarray(SMALL)).mean() < 10


@pytest.mark.slow
def test_small_pictures_are_enlarged_and_large_ones_made_smaller() -> None:
    assert page_picture(picture_file(Image.new("L", (300, 200))), "picture", 0, 300)[0].size == (900, 600)
    assert page_picture(picture_file(Image.new("L", (1200, 200))), "picture", 0, 300)[0].size == (2400, 400)
    found, _ = page_picture(picture_file(Image.new("1", (9000, 9000))), "picture", 0, 300)
    assert found.width * found.height <= 40_100_000


@pytest.mark.slow
def test_a_picture_that_unpacks_to_too_many_pixels_is_refused_before_it_is_unpacked() -> None:
    data = picture_file(Image.new("1", (20_000, 20_000)))
    assert len(data) < 100_000
    with pytest.raises(DocumentError, match=r"20,000 x 20,000 pixels.*Make it smaller"):
        page_picture(data, "picture", 0, 300)


def test_a_huge_page_of_a_pdf_is_drawn_with_fewer_pixels() -> None:
    page = pdf([lines("A poster.")]).replace(b"[0 0 400 400]", b"[0 0 9000 9000]")
    if b"9000 9000" not in page:
        pytest.fail("the page has another size than this test replaces")
    picture, dpi = page_picture(page, "pdf", 0, 300)
    assert picture.width * picture.height <= 40_000_000
    assert dpi < 150


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", picture_file(SMALL)[:300], picture_file(SMALL, "JPEG")[:700]])
def test_a_damaged_picture_is_named(data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"damaged|not a PNG"):
        page_picture(data, "picture", 0, 300)


def test_a_file_of_another_kind_says_what_it_is() -> None:
    with pytest.raises(DocumentError, match=r"not a PNG, JPEG, TIFF or WebP picture: it is a PDF"):
        page_count(scan_pdf(SMALL))


def test_digests_tell_pictures_apart_and_equal_ones_are_equal() -> None:
    other = printed(["Rivers fall."])
    first, second, third = picture_digests(scan_pdf(SMALL, other, SMALL), "pdf", [0, 1, 2], 150)
    assert first.digest.startswith("sha256:")
    assert first == third != second
    assert picture_digests(scan_pdf(other), "pdf", [0], 150) == [second]
    assert picture_digests(scan_pdf(SMALL), "pdf", [0], 200) != [first]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(format=st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP"]), data=st.data())
def test_damaged_bytes_give_a_picture_or_a_document_error(format: str, data: st.DataObject) -> None:
    damaged = bytearray(picture_file(printed(["a"], dpi=40), format))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        for page in range(min(page_count(bytes(damaged)), 3)):
            page_picture(bytes(damaged), "picture", page, 100)
    except DocumentError:
        return
