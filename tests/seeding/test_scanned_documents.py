"""Scans and pictures in a corpus: the page is the unit that is read, kept and found again.

What belongs here: which pages are read when, and what is said of documents with pages that are not read. What does not: how
pictures are read (tests/core/reading/ocr).
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.ocr import languages, page_pictures
from seed_assets.core.workers import text_tasks
from tests.support.pdf_files import Page, lines, pdf
from tests.support.pipelines import World
from tests.support.scans import LINES, picture_file, printed, scan_pdf

pytestmark = pytest.mark.slow

FIRST, SECOND, THIRD = (printed([f"Page {number} is about {subject}.", *LINES]) for number, subject in
                        [("one", "tides"), ("two", "rivers"), ("three", "lakes")])  # fmt: skip

# Letters by their numbers in a font, as a text layer has them that says nothing of its characters.
CODES = "7KHKDUERXUPDVWHURI9HOOLQRSHQHGWKHVOXLFHJDWHDWGDZQEHFDXVHWKHVSULQJWLGHKDGILOOHG"


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of each page that is read as a picture, as it is read."""
    pages: list[int] = []
    task = text_tasks.TASKS["scan_page"]

    def counted(data: bytes, format: str, page: int, dpi: int, spoken: languages.Languages) -> object:
        pages.append(page)
        return task.function(data, format, page, dpi, spoken)

    counted.__annotations__ = dict(task.function.__annotations__)
    monkeypatch.setitem(text_tasks.TASKS, "scan_page", replace(task, function=counted))
    return pages


@contextmanager
def failing_page(number: int, error: DocumentError) -> Iterator[None]:
    """Inside, reading the picture of this page raises the error; other pages are read."""
    task = text_tasks.TASKS["scan_page"]

    def scan(data: bytes, format: str, page: int, dpi: int, spoken: languages.Languages) -> object:
        if page == number:
            raise error
        return task.function(data, format, page, dpi, spoken)

    scan.__annotations__ = dict(task.function.__annotations__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(text_tasks.TASKS, "scan_page", replace(task, function=scan))
        yield


def read(world: World, document: str) -> ExtractedText:
    store = world.store()
    try:
        (ref,) = store.refs.get("extracted_text", [document]).values()
        return store.load(ref.content_digest, ExtractedText)
    finally:
        store.close()


def failure(world: World, document: str) -> DocumentError:
    return world.plan().stages["extracted_text"].failures[document]


@pytest.mark.slow
def test_each_page_of_a_scan_is_read_once_and_a_changed_page_alone_is_read_again(
    plain_world: World, scanned: list[int]
) -> None:
    world = plain_world
    world.write("scan.pdf", scan_pdf(FIRST, SECOND, THIRD))
    seeded = world.seed()
    assert not seeded.failed()
    assert sorted(scanned) == [0, 1, 2]
    found = read(world, "scan.pdf")
    assert (
        found.text.split()
        == " ".join(
            f"Page {number} is about {subject}. {' '.join(LINES)}"
            for number, subject in [("one", "tides"), ("two", "rivers"), ("three", "lakes")]
        ).split()
    )
    assert [found.text[start:].lstrip()[:8] for start in found.page_starts] == ["Page one", "Page two", "Page thr"]
    assert [(scan.page, scan.confidence > 0.8) for scan in found.scans] == [(0, True), (1, True), (2, True)]

    scanned.clear()
    world.write("scan.pdf", scan_pdf(FIRST, printed(["Another page."]), THIRD))
    world.seed()
    assert scanned == [1]
    assert "Another page." in read(world, "scan.pdf").text

    scanned.clear()
    world.write("copy.pdf", scan_pdf(THIRD, FIRST))
    world.seed()
    assert scanned == []
    assert read(world, "copy.pdf").text.startswith("Page three")


@pytest.mark.slow
def test_a_scan_whose_reading_was_interrupted_goes_on_with_the_pages_that_are_missing(
    plain_world: World, scanned: list[int]
) -> None:
    world = plain_world
    world.write("scan.pdf", scan_pdf(FIRST, SECOND, THIRD))
    killed = DocumentError("it was killed from outside.", "Run again.", transient=True)
    with failing_page(2, killed):
        assert ("scan.pdf", "extracted_text") in world.seed().failed()
    assert sorted(scanned) == [0, 1]

    scanned.clear()
    assert not world.seed().failed()
    assert scanned == [2]


@pytest.mark.slow
def test_a_page_that_cannot_be_read_is_named_and_not_tried_again(plain_world: World, scanned: list[int]) -> None:
    world = plain_world
    world.write("scan.pdf", scan_pdf(FIRST, SECOND, THIRD))
    late = DocumentError("reading a picture of it did not end within 120 seconds.", "Split it.")
    with failing_page(1, late):
        assert not world.seed().failed()
    assert read(world, "scan.pdf").warnings == ("1 of 3 pages is a picture that is not legible (page 2).",)
    scanned.clear()
    world.raise_version("extracted_text")
    world.seed()
    assert scanned == []


@pytest.mark.slow
def test_only_pages_without_a_text_layer_are_read_as_pictures(plain_world: World, scanned: list[int]) -> None:
    world = plain_world
    world.write("mixed.pdf", pdf([lines("A page with letters."), lines(CODES), Page("")]))
    assert not world.seed().failed()
    assert scanned == [1]
    # The font shows each code as the letter that it stands for in Helvetica, which is what a person sees.
    assert CODES[:16].casefold() in read(world, "mixed.pdf").text.replace("\n", "").casefold()


@pytest.mark.slow
def test_pictures_are_documents_with_a_page_for_each_of_them(plain_world: World) -> None:
    world = plain_world
    world.write("notes/page.png", picture_file(printed(LINES, heading="Tides of Vellin")))
    world.write("notes/pages.tiff", picture_file(FIRST, "TIFF", more=[SECOND]))
    assert not world.seed().failed()
    assert read(world, "notes/page.png").title == "Tides of Vellin"
    assert len(read(world, "notes/pages.tiff").page_starts) == 2
    assert {"notes/page.png", "notes/pages.tiff"} <= world.documents_in("documents")


@pytest.mark.slow
def test_a_page_read_with_doubt_is_flagged_for_review(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = plain_world
    monkeypatch.setattr("seed_assets.stages.documents.judgements.SURE_CONFIDENCE", 1.0)
    world.write("scan.pdf", scan_pdf(FIRST))
    world.seed()
    flagged = {row["document_id"] for row in world.rows("documents") if row["needs_review"]}
    assert "scan.pdf" in flagged
    assert "reefs/corals.txt" not in flagged


@pytest.mark.slow
def test_language_data_that_is_missing_is_a_remedy_and_installing_it_is_enough(
    plain_world: World, scanned: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = plain_world
    world.settings = {"ocr": {"languages": ["eng", "vel"]}}
    monkeypatch.setenv(languages.VARIABLE, str(tmp_path))
    world.write("scan.pdf", scan_pdf(FIRST))
    world.write("page.png", picture_file(SECOND))
    world.write("text.pdf", pdf([lines("A page with letters.")]))
    failed = world.seed().failed()
    assert failed == {("scan.pdf", "extracted_text"), ("page.png", "extracted_text")}
    for document in ("scan.pdf", "page.png"):
        assert "Install Tesseract's data for vel" in failure(world, document).remedy

    english = Path(languages.directories()[-1] if len(languages.directories()) == 1 else languages.directories()[1])
    for name, source in [("eng", "eng"), ("vel", "eng"), ("osd", "osd")]:
        shutil.copy(english / f"{source}.traineddata", tmp_path / f"{name}.traineddata")
    assert not world.seed().failed()
    assert read(world, "scan.pdf").text.startswith("Page one")


def test_without_ocr_scans_fail_and_pages_among_others_are_named(plain_world: World, scanned: list[int]) -> None:
    world = plain_world
    world.settings = {"ocr": {"enabled": False}}
    world.write("scan.pdf", scan_pdf(FIRST))
    assert world.seed().failed() == {("scan.pdf", "extracted_text")}
    assert "ocr.enabled" in failure(world, "scan.pdf").remedy
    assert scanned == []


@pytest.mark.slow
def test_the_settings_of_ocr_concern_no_document_without_pages(plain_world: World) -> None:
    world = plain_world
    world.write("text.pdf", pdf([lines("A page with letters.")]))
    world.seed()
    world.settings = {"ocr": {"dpi": 200}}
    assert Counter(world.plan().stages["extracted_text"].states.values())["stale"] == 1
    assert world.plan().stages["extracted_text"].states["text.pdf"] == "stale"
    assert "dpi" in next(iter(world.plan().stages["extracted_text"].reasons()))
    assert world.seed().computed == {"extracted_text": 1}


@pytest.mark.parametrize(("share", "fails"), [(0.4, True), (0.5, False)])
@pytest.mark.slow
def test_a_share_of_unread_pages_decides_whether_a_document_fails(
    plain_world: World, share: float, fails: bool
) -> None:
    world = plain_world
    world.settings = {"ocr": {"enabled": False}, "pdf": {"most_unread_pages": share}}
    world.write("half.pdf", pdf([lines("A page with letters."), lines(CODES)]))
    assert (("half.pdf", "extracted_text") in world.seed().failed()) == fails
    if fails:
        assert "pdf.most_unread_pages" in failure(world, "half.pdf").remedy


@pytest.mark.slow
def test_pictures_that_show_nothing_are_not_passed_over(plain_world: World) -> None:
    world = plain_world
    nothing = [Image.new("L", FIRST.size, 230)] * 3
    paper = [Image.new("L", FIRST.size, 255)] * 3
    world.write("nothing.pdf", scan_pdf(FIRST, *nothing))
    world.write("few.pdf", scan_pdf(FIRST, SECOND, *nothing[:1]))
    world.write("paper.pdf", scan_pdf(FIRST, *paper))
    world.write("backs.pdf", scan_pdf(FIRST, paper[0], SECOND, paper[0]))
    assert world.seed().failed() == {("nothing.pdf", "extracted_text")}
    assert "3 of 4 pages are pictures that are not legible (pages 2 to 4)" in failure(world, "nothing.pdf").reason
    assert read(world, "few.pdf").warnings == ("1 of 3 pages is a picture that is not legible (page 3).",)
    assert read(world, "paper.pdf").warnings == ("3 of 4 pages are pictures of empty pages (pages 2 to 4).",)
    assert read(world, "backs.pdf").warnings == ()


def test_a_drawing_bomb_is_refused_and_named(plain_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = plain_world
    monkeypatch.setattr(page_pictures, "_MOST_PIXELS", 1000)
    world.write("page.png", picture_file(FIRST))
    assert ("page.png", "extracted_text") in world.seed().failed()
    assert "more than the 1,000 that are read" in failure(world, "page.png").reason
    assert os.path.getsize(world.corpus / "page.png") > 0


@pytest.mark.slow
def test_headers_and_numbers_of_scanned_pages_are_no_text(plain_world: World) -> None:
    world = plain_world
    subjects = ("tides", "rivers", "lakes", "wells")
    pages = [
        printed(
            [
                "Annals of Vellin Harbour",
                "",
                "",
                f"This page is about {subject}, as others.",
                *LINES,
                *LINES,
                *LINES,
                "",
                "",
                f"{number}",
            ]
        )
        for number, subject in enumerate(subjects, 11)
    ]
    world.write("scan.pdf", scan_pdf(*pages))
    world.write("scan.tiff", picture_file(pages[0], "TIFF", more=pages[1:]))
    world.seed()
    for document in ("scan.pdf", "scan.tiff"):
        text = read(world, document).text
        assert text.count("Annals of Vellin Harbour") <= 1
        assert not any(line.strip() in ("11", "12", "13", "14") for line in text.split("\n"))
        assert all(f"This page is about {subject}, as others." in text for subject in subjects)
        assert text.count(LINES[-1]) == 3 * len(pages)


def test_pictures_that_cannot_be_opened_fail_each_for_its_own_reason(
    plain_world: World, scanned: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = plain_world
    monkeypatch.setattr(page_pictures, "_MOST_PIXELS", FIRST.width * FIRST.height - 1)
    world.write("large.png", picture_file(FIRST))
    world.write("torn.png", picture_file(printed(["Rivers rise."]))[:-300])
    world.seed()
    assert "pixels, more than" in failure(world, "large.png").reason
    assert "is damaged" in failure(world, "torn.png").reason
    assert scanned == []
