"""The settings of reading documents. Settings are read in `config`."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import NoDecode

from resources.settings.model_settings import Count, Number

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class OcrSettings(BaseModel):
    """How pictures of pages are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        True,
        description="Whether pages without a legible text layer, and files that are pictures, are read by OCR. A page takes a "
        "few seconds, once.",
    )
    languages: Annotated[tuple[str, ...], NoDecode] = Field(
        ("eng",),
        min_length=1,
        description="The languages of scans and pictures, as Tesseract names them (`eng`, `deu`, `fra`). English is included; "
        "the data of others has to be installed. More languages take more time and make more mistakes.",
    )
    dpi: Count = Field(
        300,
        ge=100,
        le=600,
        description="Pixels per inch with which pages are drawn for OCR. 300 is what Tesseract was trained for.",
    )

    @field_validator("languages", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Accept `eng+deu` and a list in JSON, as variables of the environment may have it, in place of a list."""
        return [name for name in re.split(r'[+,\s\[\]"]+', value) if name] if isinstance(value, str) else value

    @field_validator("languages")
    @classmethod
    def _codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        codes = tuple(name.strip() for name in value)
        for code in codes:
            if not _CODE.fullmatch(code):
                raise ValueError(f"{code!r} is not a language of Tesseract: use its codes, such as eng, deu or chi_sim")
        if len(set(codes)) < len(codes):
            raise ValueError("each language may be listed only once")
        return codes


class PdfSettings(BaseModel):
    """Which PDF files count as read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most_unread_pages: Number = Field(
        0.5,
        ge=0,
        le=1,
        description="Largest share of the pages of a PDF, or of the pictures of a picture file, that may be unread: damaged, or "
        "not legible. With more, the document fails; with fewer, it is read with a warning. Empty pages do not count.",
    )
