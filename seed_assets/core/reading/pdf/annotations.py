"""What is written on a page besides its content: values and ticked boxes of forms, text boxes, and notes of readers.

What belongs here: reading them with pdfium, each with its place. What does not: putting them into the text (placing).
"""

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.pdfium_calls import address, function

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

# Flags of an annotation and of a form field (ISO 32000-1, 12.5.3 and 12.7.4).
_HIDDEN, _NO_VIEW = 1 << 1, 1 << 5
_PASSWORD, _PUSH_BUTTON = 1 << 13, 1 << 16
_NOT_CHECKED = ("", "Off")
TICKED, NOT_TICKED = "☒", "☐"
# A hostile page may have millions. Chosen by judgement.
_MOST_ANNOTATIONS = 20_000
_MOST_OPTIONS = 1_000


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
    handle = address(page.raw)
    of_no_text = (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP)
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MOST_ANNOTATIONS)):
        annotation = function("FPDFPage_GetAnnot")(handle, number)
        if not annotation:
            continue
        try:
            kind = function("FPDFAnnot_GetSubtype")(annotation)
            if kind not in of_no_text:
                found += _written(document, ctypes.cast(annotation, raw.FPDF_ANNOTATION), kind)
        finally:
            function("FPDFPage_CloseAnnot")(annotation)
    return found


def _written(document: "PdfDocument", annotation: Any, kind: int) -> list[Written]:
    from pypdfium2 import raw

    if raw.FPDFAnnot_GetFlags(annotation) & (_HIDDEN | _NO_VIEW):
        return []
    if kind == raw.FPDF_ANNOT_WIDGET:
        if document.formenv is None:  # the catalog names no form, though the page has a field of one
            return _field_without_form(annotation)
        return _field(document.formenv.raw, annotation)
    return _note(annotation, in_place=kind == raw.FPDF_ANNOT_FREETEXT)


def _field(form: Any, annotation: Any) -> list[Written]:
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    box = _box(annotation)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        # What is shown is the appearance that is named, even if it is missing, for which pdfium says "not checked".
        is_ticked = raw.FPDFAnnot_IsChecked(form, annotation) or _entry(annotation, b"AS") not in _NOT_CHECKED
        return [Written(TICKED if is_ticked else NOT_TICKED, box, True)]
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        text = ", ".join(_chosen(form, annotation)) or _value(form, annotation)
    elif kind == raw.FPDF_FORMFIELD_TEXTFIELD and not raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        text = _value(form, annotation)
    else:
        return []
    return [Written(text, box)] if text else []


def _field_without_form(annotation: Any) -> list[Written]:
    from pypdfium2 import raw

    flags = ctypes.c_float()
    raw.FPDFAnnot_GetNumberValue(annotation, b"Ff", flags)
    kind = _entry(annotation, b"FT")
    if kind == "Btn" and not int(flags.value) & _PUSH_BUTTON:
        state = _entry(annotation, b"AS")
        return [Written(NOT_TICKED if state in _NOT_CHECKED else TICKED, _box(annotation), True)]
    text = _entry(annotation, b"V") if kind in ("Tx", "Ch", "") and not int(flags.value) & _PASSWORD else ""
    return [Written(text, _box(annotation))] if text else []


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
