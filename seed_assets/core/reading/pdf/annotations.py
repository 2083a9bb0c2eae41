"""What is written on a page besides its content: values and ticked boxes of forms, text boxes, and notes of readers.

What belongs here: reading them with pdfium, each with its place. What does not: putting them into the text (placing).
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

# Flags of an annotation and of a form field (ISO 32000-1, 12.5.3 and 12.7.4).
_HIDDEN, _NO_VIEW = 1 << 1, 1 << 5
_PASSWORD = 1 << 13
TICKED, NOT_TICKED = "☒", "☐"
# A hostile page may have millions. Chosen by judgement.
_MOST_ANNOTATIONS = 20_000
_MOST_OPTIONS = 1_000


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points; y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of text that is written on a page besides its content.

    box: where it stands; None for a note, which stands beside the page.
    is_tick: whether it is the state of a box that is ticked, and so belongs before its label.
    """

    text: str
    box: Box | None
    is_tick: bool = False


def written_on(document: "PdfDocument", page: "PdfPage") -> list[Written]:
    """Return what is written on a page, in the order of the file.

    document: with its form environment (PdfDocument.init_forms), if it has a form.
    """
    from pypdfium2 import raw

    found: list[Written] = []
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MOST_ANNOTATIONS)):
        with _annotation(page, number) as annotation:
            if not annotation or raw.FPDFAnnot_GetFlags(annotation) & (_HIDDEN | _NO_VIEW):
                continue
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == raw.FPDF_ANNOT_WIDGET:
                if document.formenv is not None:
                    found += _field(document.formenv.raw, annotation)
            elif kind not in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
                found += _note(annotation, in_place=kind == raw.FPDF_ANNOT_FREETEXT)
    return found


@contextmanager
def _annotation(page: "PdfPage", number: int) -> Iterator[Any]:
    from pypdfium2 import raw

    annotation = raw.FPDFPage_GetAnnot(page.raw, number)
    try:
        yield annotation
    finally:
        if annotation:
            raw.FPDFPage_CloseAnnot(annotation)


def _field(form: Any, annotation: Any) -> list[Written]:
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    box = _box(annotation)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        return [Written(TICKED if raw.FPDFAnnot_IsChecked(form, annotation) else NOT_TICKED, box, True)]
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        text = ", ".join(_chosen(form, annotation)) or _value(form, annotation)
    elif kind == raw.FPDF_FORMFIELD_TEXTFIELD and not raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        text = _value(form, annotation)
    else:
        return []
    return [Written(text, box)] if text else []


def _chosen(form: Any, annotation: Any) -> list[str]:
    """Return the labels of the options that are chosen; a label is what the page shows, unlike the value."""
    from pypdfium2 import raw

    count = min(raw.FPDFAnnot_GetOptionCount(form, annotation), _MOST_OPTIONS)
    return [
        _string(
            lambda buffer, size, option=option: raw.FPDFAnnot_GetOptionLabel(form, annotation, option, buffer, size)
        )
        for option in range(count)
        if raw.FPDFAnnot_IsOptionSelected(form, annotation, option)
    ]


def _value(form: Any, annotation: Any) -> str:
    from pypdfium2 import raw

    return _string(lambda buffer, size: raw.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size))


def _note(annotation: Any, *, in_place: bool) -> list[Written]:
    text = _entry(annotation, b"Contents")
    if not text:
        return []
    if in_place:
        return [Written(text, _box(annotation))]
    author = " ".join(_entry(annotation, b"T").split())
    return [Written(f"[Note by {author}: {text}]" if author else f"[Note: {text}]", None)]


def _entry(annotation: Any, key: bytes) -> str:
    from pypdfium2 import raw

    return _string(lambda buffer, size: raw.FPDFAnnot_GetStringValue(annotation, key, buffer, size))


def _string(get: Any) -> str:
    """Call a function of pdfium that fills a buffer with UTF-16 and returns how many bytes it needs."""
    from pypdfium2 import raw

    size = get(None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    get(ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    text = buffer.raw[: size - 2].decode("utf-16-le", errors="replace")
    return "\n".join(line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n"))


def _box(annotation: Any) -> Box:
    from pypdfium2 import raw

    rect = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, rect)
    bottom, top = sorted((rect.bottom, rect.top))
    return Box(rect.left, bottom, rect.right, top)
