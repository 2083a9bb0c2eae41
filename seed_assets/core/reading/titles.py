"""Titles in plain text, reStructuredText and Markdown, and the normal form of titles.

What does not belong here: titles in front matter (text.front_matter), and titles that a format stores separately (HTML, DOCX,
PDF), which their readers find.
"""

import re
from itertools import pairwise

from seed_assets.core.text.header_block import header_fields

# The numbers, in characters and lines, were chosen by judgement.
_LONGEST_TITLE = 300
# A longer first line is not a title.
_LONGEST_FIRST_LINE = 100
# The lines in which an underlined title is searched for.
_FIRST_LINES = 400
# They change how the letters or emoji around them are written.
_JOINERS = "\u200c\u200d"
# A row of a table in Markdown, and the line below its header.
_ROWS = re.compile(r"(?:[ \t]*\|[^\n]*(?:\n+|\Z))+")
_BELOW_HEADER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?$")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}$")
_ATX = re.compile(r" {0,3}#{1,6}[ \t]+(?=.)")
_SETEXT = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HTML_OPENED, _HTML_CLOSED = re.compile("<h1", re.IGNORECASE), re.compile("</h1>", re.IGNORECASE)
_BLOCK_LINE = re.compile(r"\s*(?:[-*+>|]|\d+[.)])(?:\s|$)")
_INLINE = (
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>]{0,200}>"), ""),
    (re.compile(r"\s*\{[#.][^{}]*\}$"), ""),
    (re.compile(r"(\*\*|__|\*|`+)(\S(?:.*?\S)?)\1"), r"\2"),
)
# Titles that programs set by themselves.
_NO_TITLE = re.compile(
    r"microsoft (?:word|powerpoint|excel)\b.*|untitled.*|unbenannt.*|sans titre.*|document ?\d*|word document|title|"
    r"none|null|no title|\(?unspecified\)?|adobe photoshop.*|powerpoint presentation|slide \d+|"
    r".*\.(?:docx?|dotx?|odt|rtf|pdf|tex|dvi|e?ps|indd|qxd|pptx?|xlsx?|html?|txt)",
    re.IGNORECASE,
)


def cleaned_title(raw: str) -> str:
    """Return a title in one line of at most 300 characters; "" if it has no letter or digit."""
    title = " ".join("".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in raw).split())
    return _shortened(title) if any(map(str.isalnum, title)) else ""


def cleaned_metadata_title(raw: str) -> str:
    """Do what cleaned_title does, but return "" for titles that programs set ("Microsoft Word - x.doc", file names)."""
    title = cleaned_title(raw)
    return "" if _NO_TITLE.fullmatch(title) or "\ufffd" in title else title


def text_title(text: str) -> str:
    """Return the title in a header block ("Title: ...") at the start, or the first underlined heading; "" for neither."""
    return _header_title(text) or _underlined_title(text)


def markdown_title(text: str) -> str:
    """Return the title in a header block at the start, or the first heading outside of code; "" for neither."""
    return _header_title(text) or _first_heading(text)


def first_line_title(text: str) -> str:
    """Return the first line of the text if it is short and not continued on the next line; otherwise "".

    If the text begins with a table, that is the first line behind it, or the cells of its first row.
    """
    text = text.lstrip("\n")
    table = _table_at_start(text)
    if not table:
        return _line_title(text)
    row = (" ".join(cell.replace("\\|", "|").split()) for cell in _CELL_BORDER.split(text.partition("\n")[0]))
    cells = ", ".join(filter(None, row))
    return _line_title(text[table:].lstrip("\n")) or (cleaned_title(cells) if len(cells) <= _LONGEST_FIRST_LINE else "")


def _table_at_start(text: str) -> int:
    """Return where a table ends with which the text begins; 0 if it begins with none."""
    if rows := _ROWS.match(text):
        return rows.end()
    lines = text.split("\n", 2)
    if len(lines) < 2 or "|" not in lines[0] or not _BELOW_HEADER.match(lines[1].strip()):
        return 0
    end = 0
    while end < len(text):  # rows without borders at the sides
        line_end = text.find("\n", end)
        line_end = len(text) if line_end < 0 else line_end
        if text.find("|", end, line_end) < 0:
            break
        end = line_end + 1
    return end


def _line_title(text: str) -> str:
    lines = text.split("\n", 2)
    first, following = lines[0].strip(), lines[1] if len(lines) > 1 else ""
    carried_on = following.strip()[:1].islower() or first.endswith((",", ";"))
    if carried_on or len(first) > _LONGEST_FIRST_LINE:
        return ""
    if 2 * sum(map(str.isalnum, first)) < len("".join(first.split())):
        return ""
    return cleaned_title(first.lstrip("#|>*- "))


def _header_title(text: str) -> str:
    """Return the Title or Subject of a header block with at least two different fields."""
    fields: dict[str, str] = {}
    for name, value in header_fields(text)[0]:
        fields.setdefault(name.lower(), value)
    return cleaned_title(fields.get("title") or fields.get("subject") or "") if len(fields) > 1 else ""


def _underlined_title(text: str) -> str:
    for line, following in pairwise(text.split("\n", _FIRST_LINES)[:_FIRST_LINES]):
        heading = line.strip()
        if (
            heading
            and _UNDERLINE.match(following.rstrip())
            and len(following.rstrip()) >= len(line.rstrip())
            and not _UNDERLINE.match(heading)
            and (title := cleaned_title(_plain(heading)))
        ):
            return title
    return ""


def _first_heading(text: str) -> str:
    fence = ""
    before = ""
    for line in text.split("\n"):
        if fence:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            continue
        if opened := _FENCE.match(line):
            fence, before = opened[1], ""
            continue
        heading = _atx_heading(line) or _html_heading(line)
        if not heading and before and _SETEXT.match(line):
            heading = before
        if title := cleaned_title(_plain(heading)):
            return title
        # Tables, lists and indented code cannot be setext headings.
        before = "" if _BLOCK_LINE.match(line) or line.startswith(("    ", "\t")) else line.strip()
    return ""


def _atx_heading(line: str) -> str:
    """Return the text between the marks of a Markdown heading; "" for any other line."""
    opened = _ATX.match(line)
    if opened is None:
        return ""
    text = line[opened.end() :].rstrip(" \t")
    before = text.rstrip("#")
    return before.rstrip(" \t") if before != text and before.endswith((" ", "\t")) else text


def _html_heading(line: str) -> str:
    """Return the content of the first `<h1>` of a line; "" if there is none."""
    opened = _HTML_OPENED.search(line)
    start = line.find(">", opened.end()) + 1 if opened else 0
    closed = _HTML_CLOSED.search(line, start) if start else None
    return line[start : closed.start()] if closed else ""


def _plain(heading: str) -> str:
    if len(heading) > 2 * _LONGEST_TITLE or not any(map(str.isalnum, heading)):
        return heading
    for pattern, replacement in _INLINE:
        heading = pattern.sub(replacement, heading)
    return heading


def _shortened(title: str) -> str:
    if len(title) <= _LONGEST_TITLE:
        return title
    return title[:_LONGEST_TITLE].rsplit(" ", 1)[0] + " …"
