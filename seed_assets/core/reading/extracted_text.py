"""The result of extraction: its type, and the version of what makes it. What does not belong here: reading a format (extraction),
and the normal form of texts (text.normal_text).
"""

import msgspec

EXTRACTION_VERSION = "1"
"""A part of the action key; raise it whenever the same bytes may give another text or title."""


class PageScan(msgspec.Struct, frozen=True, array_like=True):
    """A page that was read as a picture.

    page: its number, from 0.
    picture: the digest of its picture; the action of this picture has the place of every word.
    confidence: how sure the engine was, 0 to 1, over all letters.
    """

    page: int
    picture: str
    confidence: float


class ExtractedText(msgspec.Struct, frozen=True, omit_defaults=True):
    """The text of one document.

    text: in NFC, with lines that end in "\\n" without trailing blanks, without control characters except tabs and line
        ends, without invisible characters, and with at least one visible character. Ligatures are written as letters.
        Headings and tables of HTML and DOCX are written as in Markdown.
    title: the document's own title; "" if it has none.
    encoding: the encoding that was found ("utf-8", "windows-1252", ...); "" for formats that are not text files.
    warnings: one sentence for each part of the file that could not be read as it should be; the text has all the rest.
    page_starts: where in the text each page begins, in characters from 0 on; empty for formats without pages.
    scans: the pages that were read as pictures.
    """

    text: str
    title: str
    # A factory, since a plain default would be left out of the encoded value; `warnings` are left out if there are none.
    encoding: str = msgspec.field(default_factory=str)
    warnings: tuple[str, ...] = ()
    page_starts: tuple[int, ...] = ()
    scans: tuple[PageScan, ...] = ()
