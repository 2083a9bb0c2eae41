"""Turns values into pages: the templates' environment, the headers that come with every page, and errors as pages.

What belongs here: what all pages share. What does not: what each of them shows.

Every text is escaped by Jinja, after invisible and control characters are removed. The policy lets a browser load scripts and
styles from this service only, and no script or style that stands in a page could run.
"""

import time
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from io_managers.plain_text import plain_lines
from resources.wording import counted, shortened
from service.problems import ServiceError

_TEMPLATES = Path(__file__).with_name("templates")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
# With "no-referrer", as the API has it, browsers would leave the origin out of forms, and forms without it are refused.
HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin"}


def page(request: Request, template: str, status_code: int = 200, **shown: Any) -> Response:
    """A page. template: the name of its file without the suffix. shown: what the template shows."""
    return HTMLResponse(text_of(request, template, **shown), status_code, HEADERS)


def text_of(request: Request, template: str, **shown: Any) -> str:
    """The HTML of a page or of a part of one."""
    state = request.app.state
    common = {
        "root": request.scope.get("root_path", ""),
        "base_name": state.base.name,
        "needs_token": state.needs_token,
        "has_entities": state.base.settings.entities.enabled,
        "has_graph": state.base.settings.entities.enabled and state.base.settings.entities.relationships,
    }
    return _environment().get_template(f"{template}.html").render(**common, **shown)


def error_page(request: Request, problem: ServiceError) -> Response:
    """An error as a page, or as a part of one if a page asked for a part."""
    found = problem.document
    template = "problem" if is_part(request) else "error"
    made = page(request, template, problem.status, problem=found)
    made.headers.update(problem.headers)
    return made


def is_part(request: Request) -> bool:
    """Whether a page asked for a part of itself, by htmx."""
    return request.headers.get("hx-request") == "true"


def path_of(document: str) -> str:
    """A document's id as a part of an address."""
    return quote(document, safe="/")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "path": path_of,
        "usd": _usd,
        "moment": _moment,
        "seconds": _seconds,
        "shortened": shortened,
        "number": lambda value: f"{value:,}",
        "percent": lambda share: f"{share:.0%}",
    }
    environment.globals |= {"counted": counted, "now": time.time}
    return environment


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _shown(value: Any) -> Any:
    """A text without invisible and control characters; markup of the templates, which is safe, as it is."""
    return plain_lines(value) if type(value) is str else value


def _usd(value: float | None) -> str:
    if value is None:
        return "price unknown"
    return f"${value:,.2f}" if value >= 1 or not value else f"${value:.4f}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def _moment(at: float) -> str:
    """A time of this machine's clock, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))
