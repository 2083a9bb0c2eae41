"""Raised and lowered numbers of PDF pages are written as such, and other small print stays as it is."""

import pytest

from seed_assets.core.reading.extraction import extract
from tests.support.pdf_files import lines, pdf


def line(*parts: tuple[str, int, int]) -> str:
    """Operators that draw one line. parts: texts, each with its size and how far it is raised."""
    drawn = " ".join(f"/F1 {size} Tf {rise} Ts ({text}) Tj" for text, size, rise in parts)
    return f"BT 20 380 Td {drawn} 0 Ts ET\n"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([("about 10", 12, 0), ("6", 8, 4)], "about 10⁶"),
        ([("about 10", 12, 0), ("-6", 8, 5)], "about 10⁻⁶"),
        ([("400 m", 12, 0), ("2", 7, 5)], "400 m²"),
        ([("drops of H", 12, 0), ("2", 8, -3), ("O", 12, 0)], "drops of H₂O"),
        ([("said the keeper", 12, 0), ("1,3", 8, 4)], "said the keeper¹,³"),
        ([("That is the end.", 12, 0), ("12", 7, 4)], "That is the end.¹²"),
        ([("Level 4", 12, 0), ("75", 8, 0)], "Level 475"),
        ([("in 19", 12, 0), ("87", 12, 4)], "in 1987"),
        ([("Lock No", 12, 0), ("th", 8, 4)], "Lock Noth"),
    ],
)
def test_numbers_are_raised_if_they_are_smaller_and_higher_than_what_is_before_them(
    parts: list[tuple[str, int, int]], text: str
) -> None:
    """10⁶ is not 106, and the number of a note is no part of its word."""
    below = lines("The gate of the lower lock is open.", "Barges wait below.", top=300)
    assert extract(pdf([line(*parts) + below]), "pdf").text.split("\n")[0] == text
