"""Which languages can be read, and how a text in another language or script is noticed."""

from pathlib import Path

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.extraction import read_document
from seed_assets.core.reading.ocr.languages import (
    VARIABLE,
    covers,
    digests,
    find_languages,
    missing_languages,
    other_language,
)
from seed_assets.core.reading.ocr.picture_reader import PictureReader, ReadingRules
from seed_assets.core.reading.ocr.scanned_page import PictureText, ScannedPage, ScannedWord
from seed_assets.core.reading.page_texts import MOSTLY_PICTURE, PageText, with_picture
from tests.support.pdf_files import Page, lines, pdf
from tests.support.scans import picture_file, printed, scan_pdf

GERMAN = """Der Hafenmeister von Vellin offnete das Schleusentor bei Tagesanbruch, weil die Springflut das obere Becken bis zum
Rand gefullt hatte. Drei Kahne warteten unterhalb der Schleuse, und die Schiffe mussen nun warten, bis das Wasser wieder fallt.
Das kann fur die Handler sehr teuer werden, aber es ist nicht zu andern, und so bleiben sie bis zum Abend."""
ENGLISH = (
    "The harbour master opened the gate at dawn, because the tide had filled the basin before the ships arrived. " * 3
)
SCAN = scan_pdf(printed(["Rivers rise."]))


def rules(*pictures: PictureText, languages: tuple[str, ...] = ("eng",)) -> ReadingRules:
    return ReadingRules(0.5, "", languages, dict(enumerate(pictures)))


def reason(data: bytes, format: str, how: ReadingRules) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read_document(data, format, how)
    return caught.value


def test_the_data_of_english_and_of_orientation_is_installed() -> None:
    found = find_languages(["eng"])
    assert found is not None
    assert digests(found).keys() == {"eng", "osd"}
    assert missing_languages(["eng", "vel"]) == ["vel"]
    assert find_languages(["eng", "vel"]) is None


def test_the_variable_of_tesseract_names_a_folder_that_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"other data")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    found = find_languages(["eng"])
    assert found is not None
    assert found.directory == str(tmp_path)
    assert found.orientation_directory != str(tmp_path)


def test_other_data_or_another_resolution_is_another_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = PictureReader().identity_of("pdf")
    assert PictureReader(dpi=200).identity_of("pdf") != usual
    assert PictureReader(most_unread_pages=0.1).identity_of("pdf") != usual
    assert PictureReader().identity_of("html") == {}
    (tmp_path / "eng.traineddata").write_bytes(b"other data")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert PictureReader().identity_of("pdf") != usual


@pytest.mark.parametrize(
    ("names", "script", "expected"),
    [
        (("eng",), "Latin", True),
        (("eng",), "Fraktur", True),
        (("eng",), "Cyrillic", False),
        (("rus",), "Cyrillic", True),
        (("rus",), "Latin", False),
        (("chi_sim",), "Han", True),
        (("eng",), "Cherokee", True),
    ],
)
def test_languages_cover_the_scripts_that_they_are_written_in(
    names: tuple[str, ...], script: str, expected: bool
) -> None:
    assert covers(names, script) == expected


def test_a_text_in_another_language_is_noticed_by_its_words() -> None:
    words = GERMAN.casefold().split()
    assert other_language(words, ["eng"]) == "German"
    assert other_language(words, ["eng", "deu"]) == ""
    assert other_language(ENGLISH.casefold().split(), ["eng"]) == ""
    assert other_language(words[:10], ["eng"]) == ""
    assert other_language(["xyzzy"] * 100, ["eng"]) == ""


def test_a_scan_in_another_language_has_a_warning() -> None:
    found = read_document(SCAN, "pdf", rules(PictureText(GERMAN, 0.9, "digest")))
    assert isinstance(found, ExtractedText)
    assert found.warnings == ("What was read by OCR seems to be German, which ocr.languages (eng) does not have.",)


@pytest.mark.parametrize(("format", "data"), [("pdf", SCAN), ("picture", picture_file(printed(["Rivers rise."])))])
def test_nonsense_that_was_read_of_another_script_is_no_text(format: str, data: bytes) -> None:
    failure = reason(data, format, rules(PictureText("HayanbHuk nopTa", 0.58, "digest", script="Cyrillic")))
    assert "seems to be in Cyrillic script, which ocr.languages (eng) does not have" in failure.reason
    assert failure.remedy.startswith("Install Tesseract's data for a language in Cyrillic script")


def test_a_page_in_another_script_among_others_is_named() -> None:
    mixed = pdf([lines("A page with letters."), Page("q 1 0 0 1 0 0 cm Q")])
    scan = scan_pdf(printed(["Rivers rise."]), printed(["Seas rise."]))
    assert read_document(mixed, "pdf", rules()) is not None
    found = read_document(
        scan,
        "pdf",
        rules(PictureText("Rivers rise.", 0.95, "one"), PictureText("nopTa", 0.58, "two", script="Cyrillic")),
    )
    assert isinstance(found, ExtractedText)
    assert found.text == "Rivers rise."
    assert found.warnings == (
        "1 of 2 pages is a picture that is not legible (page 2).",
        "1 of 2 pages seems to be in Cyrillic script, which ocr.languages (eng) does not have (page 2).",
    )


def test_a_page_that_was_read_with_doubt_has_a_warning() -> None:
    found = read_document(SCAN, "pdf", rules(PictureText("Rivers rise.", 0.6, "digest")))
    assert isinstance(found, ExtractedText)
    assert found.warnings == ("Its only page was read with doubt by OCR.",)


def test_a_stamp_over_a_scan_is_kept_beside_what_its_picture_says() -> None:
    page = PageText("RECEIVED 4 MAY 2024\nThe harbour master", MOSTLY_PICTURE)
    picture = PictureText("The harbour master opened the gate at dawn, because the tide was high.", 0.95, "digest")
    found = with_picture(page, picture, rules())
    assert found.text == f"{picture.text}\nRECEIVED 4 MAY 2024"
    assert found.problem == ""


def test_a_text_layer_that_says_as_much_as_the_picture_stays() -> None:
    page = PageText("The harbour master opened the gate at dawn.", MOSTLY_PICTURE)
    found = with_picture(page, PictureText("The harbour rnaster opened the gate at dawn. 7", 0.95, "digest"), rules())
    assert found.text == page.text


def test_letters_that_are_not_kept_lower_the_confidence_of_a_page() -> None:
    words = (ScannedWord("harbour", 95, 0, 0, 1, 1), ScannedWord("master", 95, 0, 0, 1, 1, 0))
    assert ScannedPage(words=words).confidence == pytest.approx(0.95)
    assert ScannedPage(words=words, n_lost_letters=13).confidence == pytest.approx(0.475)
