"""Text that nobody sees on a page is not read, and what is seen stays, however it is drawn."""

import pytest

from seed_assets.core.reading.extraction import extract
from tests.support.pdf_files import Page, at, lines, pdf

SEEN = "The gate of the lower lock is open.\nBarges wait below for slate."
SECRET = "Words that nobody sees"
BODY = lines(*SEEN.split("\n"))
PICTURE = (
    "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\n"
    "stream\n\x00\nendstream"
)


def text_of(page: Page | str) -> str:
    return extract(pdf([page], objects=[PICTURE]), "pdf").text


def invisible(text: str) -> str:
    return f"BT 3 Tr /F1 12 Tf 20 200 Td ({text}) Tj 0 Tr ET\n"


@pytest.mark.parametrize(
    "page",
    [
        BODY + at(-300, 200, SECRET),
        BODY + at(20, 900, SECRET),
        Page(BODY + at(20, 20, SECRET), more="/CropBox [0 100 400 400]"),
        BODY + f"1 g {at(20, 200, SECRET)} 0 g",
        BODY + f"0.99 1 1 rg {at(20, 200, SECRET)} 0 g",
        BODY + f"1 g 0 190 400 40 re f {at(20, 200, SECRET)} 0 g",
        BODY + invisible(SECRET),
        BODY + f"q 20 0 0 20 300 20 cm /Im1 Do Q {invisible(SECRET)}",
    ],
    ids=["left", "above", "cropped", "white", "nearly white", "white on white", "invisible", "beside a picture"],
)
def test_text_that_nobody_sees_is_no_text(page: Page | str) -> None:
    """Hidden words would be found by searches, and can give orders to a model."""
    assert text_of(page) == SEEN


@pytest.mark.parametrize(
    "page",
    [
        BODY + f"0 g 0 190 400 40 re f 1 g {at(20, 200, SECRET)} 0 g",
        BODY + f"q 300 0 0 100 10 150 cm /Im1 Do Q 1 g {at(20, 200, SECRET)} 0 g",
        BODY + f"q 300 0 0 100 10 150 cm /Im1 Do Q {invisible(SECRET)}",
        BODY + f"0.5 g {at(20, 200, SECRET)} 0 g",
        BODY + at(-20, 200, SECRET),
    ],
    ids=["white on black", "white on a picture", "over a picture", "grey", "partly outside"],
)
def test_text_that_is_seen_is_text(page: str) -> None:
    assert text_of(page) == f"{SEEN}\n{SECRET}"


def test_the_invisible_text_of_a_page_without_other_text_is_read() -> None:
    """It may be the text layer of a scan whose picture is drawn with lines."""
    assert text_of(invisible(SECRET)) == SECRET


def test_a_title_that_nobody_sees_is_no_title() -> None:
    page = BODY + f"1 g {at(20, 200, 'Buy now', 40)} 0 g " + at(20, 300, "The lower lock", 24)
    assert extract(pdf([page]), "pdf").title == "The lower lock"
