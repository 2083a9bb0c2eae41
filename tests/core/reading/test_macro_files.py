"""Office files with macros, templates and shows: they are read as the ordinary form of their format, and no macro is run."""

import io

import docx
import openpyxl
import pytest

from resources.corpus.formats import format_of
from seed_assets.core.reading.extraction import extract
from tests.support.document_samples import SAMPLES
from tests.support.zip_files import unzipped, zipped


def word() -> bytes:
    document = docx.Document()
    document.add_paragraph("The gate is shut.")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def workbook() -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(SAMPLES["xlsx"]))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


FILES = {"docx": word(), "xlsx": workbook(), "pptx": SAMPLES["pptx"]}


@pytest.mark.parametrize(
    ("suffix", "ordinary", "kind"),
    [
        (".docm", "wordprocessingml.document", "ms-word.document.macroEnabled"),
        (".dotx", "wordprocessingml.document", "wordprocessingml.template"),
        (".dotm", "wordprocessingml.document", "ms-word.template.macroEnabledTemplate"),
        (".xlsm", "spreadsheetml.sheet", "ms-excel.sheet.macroEnabled"),
        (".xltx", "spreadsheetml.sheet", "spreadsheetml.template"),
        (".pptm", "presentationml.presentation", "ms-powerpoint.presentation.macroEnabled"),
        (".ppsx", "presentationml.presentation", "presentationml.slideshow"),
        (".potx", "presentationml.presentation", "presentationml.template"),
    ],
)
def test_other_forms_of_office_files_are_read_as_the_ordinary_ones(suffix: str, ordinary: str, kind: str):
    format = format_of(f"a{suffix}")
    assert format is not None
    parts = unzipped(FILES[format])
    types = parts.get("[Content_Types].xml", b"").decode()
    prefix = "application/vnd.openxmlformats-officedocument."
    new = f"application/vnd.{kind}.main+xml" if kind.startswith("ms-") else f"{prefix}{kind}.main+xml"
    types = types.replace(f"{prefix}{ordinary}.main+xml", new)
    made = zipped({**parts, "[Content_Types].xml": types, "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 macro"})
    assert extract(made, format) == extract(FILES[format], format)
