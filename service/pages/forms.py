"""What a form sends, and whether it was sent from one of the service's own pages."""

from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from service.problems import ServiceError

_MOST_FIELDS = 20


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form. Raises ServiceError if a page of another site sent it, or if it is no form."""
    check_own_page(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise ServiceError(415, "A form is sent as application/x-www-form-urlencoded.")
    try:
        sent = (await request.body()).decode("ascii")
        return dict(parse_qsl(sent, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace"))
    except ValueError as error:
        raise ServiceError(400, "The form cannot be read.") from error


def check_own_page(request: Request) -> None:
    """Raise ServiceError unless the browser says that the request comes from a page of this service.

    Every browser sends `Origin` with a form that changes something; newer ones also say `Sec-Fetch-Site`. A request with
    neither comes from a program, and programs have the API.
    """
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", ""))
    own = origin.scheme in ("http", "https") and origin.netloc.lower() == request.headers.get("host", "").lower()
    if site not in (None, "same-origin") or not (own or site == "same-origin"):
        raise ServiceError(
            403, "This form was not sent from a page of this service. Open the page and send it from there."
        )
