"""Web pages with everything they show in one file, as browsers save them (MHTML, RFC 2557).

What does not belong here: the page itself (html), and mails (mail_file).
"""

from email.message import EmailMessage

from resources.errors import DocumentError
from resources.wording import counted
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.html.pages import read_html
from seed_assets.core.reading.text.mail import header_text, messages_of
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text

_PAGES = ("text/html", "application/xhtml+xml")


def read_web_archive(data: bytes) -> ExtractedText:
    """Read the page of an MHTML file, as an HTML file is read. A warning counts pages in its frames.

    Raises DocumentError for a file without a page.
    """
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if data.startswith(b"<"):  # a browser saved the page alone
        text, title, encoding, warnings = read_html(data)
        return ExtractedText(normalised(text), title, encoding, warnings)
    message = messages_of(data)[0]
    pages = [part for part in message.walk() if part.get_content_type() in _PAGES]
    if not pages:
        raise DocumentError("the file is not MHTML: it holds no web page.", "Save the page as MHTML or HTML again.")
    start = str(message.get_param("start") or "")
    page = next((each for each in pages if start and each.get("Content-ID") == start), pages[0])
    payload = page.get_payload(decode=True)
    characters, encoding = decode_text(payload if isinstance(payload, bytes) else b"", page.get_content_charset() or "")
    # The charset of the part counts more than what the page says about itself.
    text, title, _, elsewhere = read_html(b"\xef\xbb\xbf" + characters.encode("utf-8", "replace"))
    title = title or (header_text(message, "Subject") if isinstance(message, EmailMessage) else "")
    others = len(pages) - 1
    warnings = (f"{counted(others, 'page')} in frames of the page {'is' if others == 1 else 'are'} not read.",)
    return ExtractedText(normalised(text), title, encoding, (*(warnings if others else ()), *elsewhere))
