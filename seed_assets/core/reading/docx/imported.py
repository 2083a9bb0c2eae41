"""Files that a DOCX imports as they are (`altChunk`; ECMA-376, part 1, 17.17.2): HTML, mail archives, text, other DOCX files.

Word turns such a file into paragraphs when it opens the document; until then its text stands nowhere in the document.
"""

import posixpath
from collections.abc import Callable, Mapping

from resources.errors import DocumentError
from seed_assets.core.reading.docx.docx_text import DocxText


def read_imported(name: str, data: bytes, document_of: Callable[[bytes], DocxText]) -> DocxText:
    """Read an imported file.

    name: of the part; its suffix decides how it is read.
    document_of: reads another DOCX.

    Raises DocumentError for a file that cannot be read.
    """
    suffix = posixpath.splitext(name)[1].lower()
    if not data.strip():
        return DocxText("", "", ())
    if suffix in (".docx", ".docm", ".dotx"):
        return document_of(data)
    if suffix not in _READERS:
        raise DocumentError(
            f"Seedbank cannot read {suffix or 'such'} files.", "Open the document in Word and save it as DOCX again."
        )
    return DocxText(_READERS[suffix](data), "", ())


def _html(data: bytes) -> str:
    from seed_assets.core.reading.html.pages import read_html

    return read_html(data)[0]


def _archive(data: bytes) -> str:
    """Read the page of a web archive (MHTML)."""
    from email import message_from_bytes, policy
    from email.message import EmailMessage

    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    page = message.get_body(("html", "plain"))
    if page is None:
        return ""
    content = page.get_content()
    return _html(content.encode()) if page.get_content_subtype() == "html" else content.strip()


def _plain(data: bytes) -> str:
    from seed_assets.core.reading.text.text_decoding import decode_text

    return decode_text(data)[0].strip()


_READERS: Mapping[str, Callable[[bytes], str]] = {
    **dict.fromkeys((".html", ".htm", ".xhtml"), _html),
    **dict.fromkeys((".mht", ".mhtml"), _archive),
    **dict.fromkeys((".txt", ".text"), _plain),
}
