"""Text files and Markdown files as documents. What belongs here: what such a file really is, and the order of the steps. What
does not: each step, which has a module of its own.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from resources.errors import DocumentError
from seed_assets.core.reading.file_signatures import named_content
from seed_assets.core.reading.text.front_matter import FrontMatter, read_front_matter
from seed_assets.core.reading.text.mail import read_mail
from seed_assets.core.reading.text.markdown_text import markdown_text
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.paged_text import without_running_lines
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.reading.titles import markdown_title, text_title

_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
# The kind of a page shows in so many characters; the number was chosen by judgement.
_BEGINNING = 2_000


class TextFile(NamedTuple):
    """A text file that was read.

    text: in normal form, without front matter.
    title: what it calls itself, or "".
    encoding: the encoding that it was decoded from.
    front: its front matter.
    headers: the headers of a mail.
    warnings: one sentence for each part that could not be read.
    """

    text: str
    title: str
    encoding: str
    front: FrontMatter
    headers: Sequence[tuple[str, str]] = ()
    warnings: tuple[str, ...] = ()


def read_text_file(data: bytes, *, markdown: bool) -> TextFile | None:
    """Read a text file or a Markdown file; None if it is an HTML page, which the reader of HTML has to read.

    Raises DocumentError for a file that is binary, or of a format that has no reader.
    """
    _refuse_other_formats(data)
    if not markdown and (mail := read_mail(data)):
        warnings = (mail.warning,) if mail.warning else ()
        return TextFile(normalised(mail.text), mail.title, mail.encoding, FrontMatter(""), mail.headers, warnings)
    characters, encoding = decode_text(data)
    if _HTML.match(characters[:_BEGINNING]):
        return None
    text = normalised(characters if markdown else without_running_lines(characters))
    front = read_front_matter(text, overlined=not markdown)
    kept = markdown_text(front.text) if markdown else front.text
    # What was removed may leave blanks at the ends of lines.
    text = text if kept == text else normalised(kept)
    title = front.title or (markdown_title(text) if markdown else text_title(text))
    return TextFile(text, title, encoding, front, (), (front.warning,) if front.warning else ())


def _refuse_other_formats(data: bytes) -> None:
    """Raise DocumentError for a format that consists of plain characters, but is not what its suffix says."""
    beginning = data[:_BEGINNING].removeprefix(b"\xef\xbb\xbf").lstrip()
    if beginning.startswith((b"{\\rtf", b"%PDF-", b"%!PS")):
        raise DocumentError(
            f"the file is {named_content(beginning)} by its content, not text.",
            "Give it the suffix of what it is, or remove it.",
        )
