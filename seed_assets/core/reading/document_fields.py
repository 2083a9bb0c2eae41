"""The fields in a document's file: front matter, header blocks, and the keywords of HTML pages and Office files.

What belongs here: finding and reading fields, by format. What does not: front matter (text.front_matter), fields in a
separate table (field_table), titles (titles), and the form of values (field_values).
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from html.parser import HTMLParser
from io import BytesIO

import msgspec

from resources.corpus.formats import SUFFIXES, is_format
from seed_assets.core.reading.field_table import FieldTable
from seed_assets.core.reading.field_values import cleaned_values, field_name, split_values
from seed_assets.core.reading.file_signatures import is_rtf
from seed_assets.core.reading.text.mail import mail_headers
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.reading.text.text_file import read_text_file
from seed_assets.core.text.header_block import header_fields

__all__ = ["DocumentFields", "FieldTable", "read_fields"]

# The numbers were chosen by judgement. A field with more values does not help to group documents.
_MOST_VALUES = 1_000
# Names with which a single line is a header block; any other word before a colon may begin a sentence.
_ALONE = frozenset({"keywords", "tags", "topics", "categories", "subjects", "keyword", "tag", "topic", "category"})
# The part of an HTML page that is searched for keywords.
_HEAD_CHARACTERS = 100_000
_CORE_PROPERTIES, _MOST_PROPERTIES_BYTES = "docProps/core.xml", 1_000_000

Found = Iterator[tuple[str, list[str]]]


class DocumentFields(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fields of one document.

    fields: case-folded name -> values (see cleaned_values); no field is empty.
    problems: one sentence for each part that could not be read; the field that it names is not in `fields`.
    """

    fields: dict[str, tuple[str, ...]]
    problems: tuple[str, ...] = ()


def read_fields(data: bytes, format: str) -> DocumentFields:
    """Read the fields in a file; equal bytes always give an equal result.

    The fields of text and Markdown are front matter at the beginning in YAML, TOML or JSON, and a block of `Name: value`
    lines there that ends with an empty line; those of a mail are its headers; those of Org are the keywords in front, and those
    of AsciiDoc the title, the authors and the attributes of its header. Those of HTML are `<meta name="keywords">`,
    and those of DOCX, PPTX and XLSX their keywords and subject. Other formats have none. Texts are split at commas and
    semicolons, but items of a
    list are not. Numbers and dates are kept as they are written, and `null` is no value. Aliases, and lists or mappings
    inside a value, are problems of their field.

    format: see formats.format_of.

    Raises ValueError for another format, and DocumentError for a text file that is empty or binary.
    """
    if not is_format(format):
        raise ValueError(f"no reader for format {format!r}; there are {', '.join(sorted(set(SUFFIXES.values())))}")
    problems: list[str] = []
    values: dict[str, list[str]] = {}
    for name, found in _READERS.get(format, _no_fields)(data, problems):
        values.setdefault(field_name(name), []).extend(found)
    fields = {name: cleaned for name in sorted(values) if name and (cleaned := cleaned_values(values[name]))}
    large = [name for name, found in fields.items() if len(found) > _MOST_VALUES]
    problems += [f"{name} has {len(fields.pop(name)):,} values; a field may have {_MOST_VALUES:,}." for name in large]
    return DocumentFields(fields, tuple(problems))


def _text_fields(data: bytes, problems: list[str], *, markdown: bool) -> Found:
    if is_rtf(data):  # it has no fields
        return
    found = read_text_file(data, markdown=markdown)
    if found is None:  # it is a page under the name of a text
        yield from _html_fields(data, problems)
        return
    problems += found.front.problems
    for entry in found.front.entries:
        yield entry.name, entry.values
    for name, value in found.headers:
        yield name, split_values(value)
    if not found.headers:
        yield from _header_fields(found.front.text)


def _header_fields(text: str) -> Found:
    fields, _ = header_fields(text)
    if len(fields) > 1 or (fields and fields[0][0].casefold() in _ALONE):
        for name, value in fields:
            yield name, split_values(value)


def _mail_fields(data: bytes, problems: list[str]) -> Found:
    for name, value in mail_headers(data):
        yield name, split_values(value)


def _html_fields(data: bytes, problems: list[str]) -> Found:
    head = _Head()
    head.feed(decode_text(data)[0][:_HEAD_CHARACTERS])
    for keywords in head.keywords:
        yield "keywords", split_values(keywords)


class _Head(HTMLParser):
    """Collects the keywords in a page's head. It is a parser in Python, since a malicious page can crash faster ones."""

    def __init__(self) -> None:
        super().__init__()
        self.keywords: list[str] = []
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._over = self._over or tag == "body"
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag == "meta" and not self._over and given.get("name", "").strip().casefold() == "keywords":
            self.keywords.append(given.get("content", ""))


def _org_fields(data: bytes, problems: list[str]) -> Found:
    from seed_assets.core.reading.markup.header_fields import org_fields

    return org_fields(decode_text(data)[0])


def _asciidoc_fields(data: bytes, problems: list[str]) -> Found:
    from seed_assets.core.reading.markup.header_fields import asciidoc_fields

    return asciidoc_fields(decode_text(data)[0])


def _office_fields(data: bytes, problems: list[str]) -> Found:
    import lxml.etree as etree

    try:
        with zipfile.ZipFile(BytesIO(data)) as archive, archive.open(_CORE_PROPERTIES) as part:
            found = part.read(_MOST_PROPERTIES_BYTES + 1)
        if len(found) > _MOST_PROPERTIES_BYTES:
            problems.append(f"its properties have more than {_MOST_PROPERTIES_BYTES:,} bytes.")
            return
        root = etree.fromstring(found, etree.XMLParser(resolve_entities=False, no_network=True))
    except KeyError:
        return
    # The exceptions that zipfile raises for damaged archives, encrypted ones, and unknown methods of compression.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        problems.append(f"its properties cannot be read: {' '.join(str(error).split())[:200]}.")
        return
    except etree.XMLSyntaxError as error:
        problems.append(f"its properties are not valid XML: {' '.join(str(error).split())[:200]}.")
        return
    for element in root:
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name in ("keywords", "subject"):
            yield name, split_values("".join(element.itertext()))


def _no_fields(data: bytes, problems: list[str]) -> Found:
    """Return no fields: the format has none, or what reads it must not run in this process, as the parser of PDF."""
    return iter(())


_READERS: Mapping[str, Callable[[bytes, list[str]], Found]] = {
    "text": partial(_text_fields, markdown=False),
    "markdown": partial(_text_fields, markdown=True),
    "html": _html_fields,
    "docx": _office_fields,
    "mail": _mail_fields,
    "org": _org_fields,
    "asciidoc": _asciidoc_fields,
    "xlsx": _office_fields,
    "pptx": _office_fields,
}
"""By format; other formats have no fields."""
