"""HTML pages for tests: a long one, of which trafilatura can tell the main text, and a short one, of which it cannot."""

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract

SENTENCE = "The ferry to Ostrand leaves at six, when the mail has come down from the hill farms."
LONG = "".join(
    f"<p>Log {number} of the ferry names {number * 3} passengers, the weather of that day, and what the mate thought of "
    f"the new engine, which he oiled before each of the {number + 2} crossings.</p>"
    for number in range(24)
)


def page(body: str, head: str = "<title>Ferry</title>") -> str:
    """Return a whole page."""
    return f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'


def html_text(body: str, head: str = "<title>Ferry</title>") -> str:
    """Return the text that is read of a page with this body."""
    return extract(page(body, head).encode(), "html").text


def html_refusal(body: str, head: str = "<title>Ferry</title>") -> DocumentError:
    """Return the error by which a page with this body is refused."""
    try:
        text = html_text(body, head)
    except DocumentError as error:
        return error
    raise AssertionError(f"the page was read: {text[:200]!r}")
