"""Pictures of print are read whichever way up they are, straight or not, light on dark, unevenly lit or with dirt.

What does not belong here: how well (benchmarks.scans), and documents made of pictures (test_documents_with_pictures).
"""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from seed_assets.core.reading.ocr.engine import scan_picture
from seed_assets.core.reading.ocr.languages import find_languages
from seed_assets.core.reading.ocr.scanned_page import ScannedPage, ScannedWord
from tests.support.scans import LINES, printed

PRINT = printed(LINES * 3, dpi=300)


def read(picture: Image.Image) -> ScannedPage:
    languages = find_languages(["eng"])
    assert languages is not None
    return scan_picture(picture, 300, languages)


def specks(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture).copy()
    chance = np.random.default_rng(1).random(values.shape)
    values[chance < 0.02], values[chance > 0.98] = 0, 255
    return Image.fromarray(values)


def shaded(picture: Image.Image) -> Image.Image:
    """Lit from the left."""
    values = np.asarray(picture, dtype=np.float32)
    return Image.fromarray((values * np.linspace(1, 0.35, values.shape[1])[None, :]).astype(np.uint8))


def skewed(picture: Image.Image) -> Image.Image:
    return picture.rotate(4, Image.Resampling.BICUBIC, expand=True, fillcolor=255)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda picture: picture, id="as it is"),
        pytest.param(lambda picture: picture.transpose(Image.Transpose.ROTATE_90), id="turned by 90 degrees"),
        pytest.param(lambda picture: picture.transpose(Image.Transpose.ROTATE_180), id="upside down"),
        pytest.param(lambda picture: picture.transpose(Image.Transpose.ROTATE_270), id="turned by 270 degrees"),
        pytest.param(skewed, id="turned by 4 degrees"),
        pytest.param(specks, id="with specks"),
        pytest.param(shaded, id="lit from the left"),
        pytest.param(lambda picture: picture.point(lambda value: 255 - value), id="light on dark"),
        pytest.param(lambda picture: picture.point(lambda value: 180 + value // 4), id="pale"),
    ],
)
@pytest.mark.slow
def test_every_word_of_a_printed_page_is_read(change: Callable[[Image.Image], Image.Image]) -> None:
    found = read(change(PRINT))
    assert found.text.split() == " ".join(LINES * 3).split()
    assert found.confidence > 0.8


@pytest.mark.slow
def test_lines_stay_lines_and_each_word_has_its_place() -> None:
    found = read(PRINT)
    assert found.text.split("\n")[:3] == list(LINES)
    first, second = found.words[:2]
    assert (first.text, second.text) == ("The", "harbour")
    assert first.left < first.right < second.left < second.right < found.width
    assert 0 < first.top < first.bottom < found.height
    assert not np.asarray(PRINT)[first.top : first.bottom, first.left : first.right].all()


@pytest.mark.slow
def test_a_turned_page_says_by_how_much_it_was_turned() -> None:
    assert read(PRINT.transpose(Image.Transpose.ROTATE_90)).turned == 90
    assert read(PRINT).turned == 0


def test_an_empty_page_is_blank() -> None:
    paper = np.random.default_rng(2).integers(225, 245, (600, 900), dtype=np.uint8)
    for picture in (Image.new("L", (900, 600), 255), Image.fromarray(paper)):
        found = read(picture)
        assert (found.is_blank, found.words, found.problem) == (True, (), "")


def test_a_picture_of_one_colour_that_is_not_paper_was_not_shown() -> None:
    found = read(Image.new("L", (900, 600), 230))
    assert (found.is_blank, found.problem) == (False, "nothing but one colour is shown")


@pytest.mark.slow
def test_noise_is_not_read_as_words() -> None:
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 255, (500, 700), dtype=np.uint8))
    found = read(noise)
    assert not found.is_blank
    assert len(found.text) < 20 or found.confidence < 0.5


@pytest.mark.slow
def test_the_title_is_a_line_in_large_print_near_the_top() -> None:
    assert read(printed(LINES * 2, heading="Tides of Vellin", dpi=300)).title == "Tides of Vellin"
    assert read(PRINT).title == ""


def test_a_paragraph_does_not_end_within_a_sentence() -> None:
    words = tuple(
        ScannedWord(text, 95, 0, 0, 1, 1, lines)
        for text, lines in [
            ("Rivers", 0),
            ("and", 0),
            ("seas", 2),
            ("rise.", 0),
            ("Then", 2),
            ("they", 1),
            ("fall.", 2),
        ]
    )
    assert ScannedPage(words=words).text == "Rivers and\nseas rise.\n\nThen\nthey\nfall."
