"""Pages in the frames of a page: those that the page holds are read in their place, and others are named.

What does not belong here: a page that is nothing but frames (pages).
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seed_assets.core.reading.html.parsing import parsed

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The numbers were chosen by judgement. Pages in frames have frames themselves in so many levels.
_MOST_LEVELS = 3
_MOST_INNER = 1_000
_MOST_NAMED = 5
_LONGEST_NAME = 80
_UNDISPLAYED = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_PAGE_FILE = re.compile(r"\.(?:x?html?|pdf)(?:[?#]|$)", re.IGNORECASE)
# Hosts whose frames are adverts, counters, buttons and players, unless a title says what they show.
_SERVICES = re.compile(
    r"(?:^|\.)(?:doubleclick|googlesyndication|googletagmanager|google-analytics|googleadservices|amazon-adsystem|adnxs|"
    r"adservice\w*|ads?\d*|adserver|criteo|taboola|outbrain|facebook|twitter|x|instagram|linkedin|pinterest|tiktok|"
    r"youtube|youtube-nocookie|youtu|vimeo|dailymotion|jwplayer|jwplatform|brightcove|wistia|twitch|spotify|soundcloud|"
    r"recaptcha|hcaptcha|disqus|addthis|sharethis|hotjar|matomo|cookiebot|onetrust)\.[a-z.]+$",
    re.IGNORECASE,
)
_SERVICE_PATHS = re.compile(
    r"captcha|widget|likebox|like\.php|banner|smartads|googleplus|analytics|newsletter|donate|consent|advert|/ads?[/.?]|"
    r"facebook\.com|framehtml",
    re.IGNORECASE,
)
# Titles that such services give to all their frames.
_NO_TITLE = re.compile(
    r"\b(?:advert\w*|ads?|anzeige|werbung|video player|recaptcha|tag manager|tracking|like button|tweet button|cookies?)\b",
    re.IGNORECASE,
)


def read_inner_pages(page: "HtmlElement") -> None:
    """Put the pages that frames hold (`srcdoc`) in the place of these frames."""
    waiting = [(frame, 1) for frame in page.iter("iframe") if frame.get("srcdoc") is not None]
    waiting.reverse()
    count = 0
    while waiting and count < _MOST_INNER:
        frame, level = waiting.pop()
        parent = frame.getparent()
        if parent is None or _is_unseen(frame):
            continue
        count += 1
        inner = parsed(frame.get("srcdoc") or "")
        body = None if inner is None else inner.find("body")
        if body is None:
            continue
        if level < _MOST_LEVELS:
            waiting += [(each, level + 1) for each in body.iter("iframe") if each.get("srcdoc") is not None][::-1]
        body.tag = "div"
        body.attrib.clear()
        body.tail = frame.tail
        parent.replace(frame, body)


def frame_warnings(page: "HtmlElement") -> tuple[str, ...]:
    """Return a sentence that names frames whose pages are elsewhere, but not adverts, counters and players without a title."""
    names = dict.fromkeys(filter(None, map(_name, page.iter("iframe", "frame", "object", "embed"))))
    if not names:
        return ()
    count = (
        "1 frame that shows another page is" if len(names) == 1 else f"{len(names):,} frames that show other pages are"
    )
    return (f"{count} not read: {named(list(names))}.",)


def named(frames: list[str]) -> str:
    """Return the first names of frames, and how many more there are."""
    rest = len(frames) - _MOST_NAMED
    names = ", ".join(frames[:_MOST_NAMED])
    return f"{names} and {rest:,} more" if rest > 0 else names


def _name(frame: "HtmlElement") -> str:
    """Return the title and the address of a frame that is named; "" for others."""
    source = " ".join((frame.get("src") or frame.get("data-src") or frame.get("data") or "").split())
    if _is_unseen(frame):
        return ""
    if frame.tag in ("object", "embed") and not _PAGE_FILE.search(source):
        return ""
    title = " ".join((frame.get("title") or "").split())
    title = "" if _NO_TITLE.search(title) else title[:_LONGEST_NAME]
    if frame.get("srcdoc") is not None:
        return title or "a page within the page"
    if not source or source.startswith(("about:", "javascript:", "cid:", "#")):
        return ""
    if not title and _host(source) and (_SERVICES.search(_host(source)) or _SERVICE_PATHS.search(source)):
        return ""
    address = source[:_LONGEST_NAME]
    return f"{title} ({address})" if title else address


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # an address that is not well-formed
        return ""


def _is_unseen(frame: "HtmlElement") -> bool:
    if frame.get("hidden") is not None or _UNDISPLAYED.search(frame.get("style") or ""):
        return True
    return any((frame.get(name) or "").strip().removesuffix("px") in ("0", "1") for name in ("width", "height"))
