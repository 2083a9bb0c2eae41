"""Web pages that are whole in one file: no script, style, font or picture is loaded from elsewhere.

What belongs here: the templates' environment, and the policy that keeps a browser from loading or running anything that is not
in the file. What does not: the contents of pages (overview_pages, report_contents).

Every text is escaped by Jinja, after invisible and control characters are removed. The policy allows the file's own style sheet
and script by their digests, so that not even markup that was missed could run.
"""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from io_managers.plain_text import plain_lines
from seed_assets.reports.page import Page

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).with_name("templates")


def html_of(page: Page) -> str:
    """A page as a web page."""
    return "".join(html_pieces("page.html", page.title, script="", page=page))


def html_pieces(template: str, title: str, *, script: str = "", **contents: Any) -> Iterator[str]:
    """A web page from a template, in pieces. script: the name of the file with its script; "" if it has none."""
    style, code = _file("page.css"), _file(script) if script else ""
    policy = [
        "default-src 'none'",
        f"style-src {_digest(style)}",
        *([f"script-src {_digest(code)}"] if code else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    found = _environment().get_template(template)
    return found.generate(title=title, style=style, script=code, policy="; ".join(policy), **contents)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_file),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals["kind"] = lambda block: type(block).__name__
    return environment


def _shown(value: Any) -> Any:
    """A text without invisible and control characters; markup of the templates, which is safe, as it is."""
    return plain_lines(value) if type(value) is str else value


def _file(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
