"""Whether and how pictures of pages are read: the settings, and what of them decides a document's text.

What belongs here: the identity of the engine with its data, and why it cannot be used. What does not: reading a picture
(engine), and which pages are read as pictures (extraction, pdf.document).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version

import msgspec

from io_managers.store.fingerprint import KeyTemplate, Part
from resources.corpus.formats import PICTURE
from seed_assets.core.reading.ocr.languages import (
    Languages,
    digests,
    directories,
    files_of,
    find_languages,
    missing_languages,
)
from seed_assets.core.reading.ocr.scanned_page import PictureText

PAGE_SCAN = "page_scan"
"""The name of the actions by which single pages are read."""
# It is not imported to find this out, which takes a tenth of a second.
_PACKAGE = "tesserocr"
_VERSION = "1"


class ReadingRules(msgspec.Struct, frozen=True, array_like=True):
    """What decides how a document with pages is read, besides its bytes.

    most_unread_pages: the largest share of the pages that show something that may be unread.
    without_ocr: why no page is read as a picture, as a remedy for people; "" if pages can be read.
    languages: codes of the languages that are read.
    pictures: what was read of pages as pictures, by page number from 0.
    """

    most_unread_pages: float = 0.5
    without_ocr: str = ""
    languages: tuple[str, ...] = ()
    pictures: dict[int, PictureText] = {}


NO_OCR = ReadingRules(
    without_ocr="Run OCR (for instance: ocrmypdf --force-ocr SCAN.pdf TEXT.pdf) and put the result in its place."
)
"""The rules where no page is read as a picture."""
IN_PARTS = ReadingRules(without_ocr="Take it out, so that it is a document of its own, which is read by OCR.")
"""The rules for files inside of other files, such as attachments."""


@dataclass(frozen=True)
class PictureReader:
    """The settings of reading pictures.

    enabled: whether pages are read as pictures at all. names: Tesseract's codes of languages. dpi: how pages are drawn.
    most_unread_pages: see ReadingRules.
    """

    enabled: bool = True
    names: tuple[str, ...] = ("eng",)
    dpi: int = 300
    most_unread_pages: float = 0.5

    def identity_of(self, format: str) -> Mapping[str, Part]:
        """Return what decides the text of a file of this format besides its bytes; nothing for most formats."""
        if format == PICTURE:
            return {"ocr": self.engine_identity}
        if format == "pdf":
            return {"ocr": self.engine_identity, "most_unread_pages": self.most_unread_pages}
        return {}

    @property
    def formats(self) -> frozenset[str]:
        """The formats whose files may have pages that are read as pictures."""
        return frozenset({"pdf", PICTURE})

    @cached_property
    def languages(self) -> Languages | None:
        """The languages with their data; None if pictures are not read."""
        return find_languages(self.names) if self.enabled and _engine() else None

    @cached_property
    def engine_identity(self) -> Mapping[str, Part]:
        """The engine, the data of each language, and how pages are drawn; without the engine or its data, that it is missing."""
        if not self.enabled:
            return {"engine": "off"}
        engine, languages = _engine(), self.languages
        if not engine or languages is None:
            return {"engine": engine or "missing", "missing": list(missing_languages(self.names)) if engine else []}
        return {
            "version": _VERSION,
            "engine": engine,
            "languages": "+".join(self.names),
            "data": dict(digests(languages)),
            "dpi": self.dpi,
        }

    @property
    def rules(self) -> ReadingRules:
        """The rules for a document of whose pages none has been read as a picture yet."""
        return ReadingRules(self.most_unread_pages, self._why_not(), self.names)

    @property
    def template(self) -> KeyTemplate:
        """The template of the actions by which pages are read; the digest of the page's picture is their only input."""
        return KeyTemplate(PAGE_SCAN, {"ocr": self.engine_identity})

    @property
    def files(self) -> list[str]:
        """The files and folders that decide the identity."""
        return files_of(self.languages) if self.languages else directories()

    def _why_not(self) -> str:
        by_hand = "run OCR by hand (for instance: ocrmypdf --force-ocr SCAN.pdf TEXT.pdf)"
        if not self.enabled:
            return f"Set ocr.enabled = true, or {by_hand}."
        if not _engine():
            return f"Install the Python package {_PACKAGE}, which reads pictures, or {by_hand}."
        if self.languages is None:
            names = ", ".join(missing_languages(self.names))
            packages = " ".join(f"tesseract-ocr-{name.replace('_', '-')}" for name in missing_languages(self.names))
            return (
                f"Install Tesseract's data for {names} (on Debian: apt-get install {packages}), set TESSDATA_PREFIX to the "
                "folder that has it, or change ocr.languages."
            )
        return ""


def _engine() -> str:
    """The engine with its version; "" if it is not installed."""
    try:
        return f"{_PACKAGE} {version(_PACKAGE)}"
    except PackageNotFoundError:
        return ""
