"""Jupyter notebooks (nbformat 3 and 4): cells of Markdown and of code, and the texts that code printed.

What does not belong here: Markdown itself (text.markdown_text), and other JSON files (records.json_file).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from resources.errors import DocumentError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.html.fragments import read_fragment
from seed_assets.core.reading.markdown_blocks import heading
from seed_assets.core.reading.text.markdown_text import markdown_text
from seed_assets.core.reading.text.normal_text import normalised
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.reading.titles import cleaned_title, markdown_title

_FENCES = re.compile("`{3,}")
# What a library prints in place of a picture: "<Figure size 640x480 with 1 Axes>", "<IPython.core.display.HTML object>".
_PLACEHOLDER = re.compile(r"<[\w.]+(?: [^<>]{0,200})?>")


def read_notebook(data: bytes) -> ExtractedText:
    """Read a notebook: its cells in order, code and printed texts between fences, an error as its name and message.

    Pictures and other encoded data are left out. The title is that of the metadata, or the first heading.

    Raises DocumentError for a file that is not a notebook.
    """
    characters, encoding = decode_text(data)
    try:
        notebook = json.loads(characters, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"the notebook is not valid JSON: {error.msg} in line {error.lineno:,}, column {error.colno:,}.",
            "Restore it from its source, or save it in Jupyter again.",
        ) from error
    cells = _cells(notebook)
    if cells is None:
        raise DocumentError(
            "the file is JSON, but not a notebook: it has no list of cells.", "Give it the suffix .json, or remove it."
        )
    metadata = _mapping(_mapping(notebook).get("metadata"))
    language = _language(metadata)
    blocks: list[str] = []
    unknown = 0
    for cell in cells:
        found = _cell(_mapping(cell), language)
        unknown += found is None
        blocks += filter(str.strip, found or ())
    text = normalised("\n\n".join(blocks))
    title = cleaned_title(_text(metadata.get("title"))) or markdown_title(text)
    warnings = (f"{unknown:,} of its cells are of an unknown kind and not read.",) if unknown else ()
    return ExtractedText(text, title, encoding, warnings)


def _cells(notebook: object) -> list[Any] | None:
    """Return all cells; None if there is no list of them. In nbformat 3 they are in worksheets."""
    found = _mapping(notebook)
    if isinstance(found.get("cells"), list):
        return found["cells"]
    sheets = found.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets for cell in _items(_mapping(sheet).get("cells"))]


def _language(metadata: Mapping[str, Any]) -> str:
    for place, key in (("language_info", "name"), ("kernelspec", "language")):
        name = _text(_mapping(metadata.get(place)).get(key)).strip()
        if name.isalnum():
            return name
    return ""


def _cell(cell: Mapping[str, Any], language: str) -> list[str] | None:
    """Return the blocks of a cell; None for an unknown kind."""
    kind = cell.get("cell_type")
    source = _text(cell.get("source", cell.get("input")))
    if kind == "markdown":
        return [markdown_text(source)]
    if kind == "raw":
        return [source]
    if kind == "heading":  # nbformat 3
        level = _text(cell.get("level"))
        return [heading(int(level) if level in ("1", "2", "3", "4", "5", "6") else 1, source)]
    if kind == "code":
        return [_fenced(source, language), *(_output(_mapping(each)) for each in _joined_streams(cell))]
    return None


def _joined_streams(cell: Mapping[str, Any]) -> Iterator[object]:
    """Yield the outputs of a cell; what was printed in several pieces is one output."""
    printed: list[str] = []
    for output in _items(cell.get("outputs")):
        if _mapping(output).get("output_type") == "stream":
            printed.append(_text(_mapping(output).get("text")))
            continue
        if printed:
            yield {"output_type": "stream", "text": "".join(printed)}
            printed = []
        yield output
    if printed:
        yield {"output_type": "stream", "text": "".join(printed)}


def _output(output: Mapping[str, Any]) -> str:
    kind = output.get("output_type")
    if kind == "stream":
        return _fenced(_text(output.get("text")), "")
    if kind in ("error", "pyerr"):
        return _fenced(": ".join(filter(None, (_text(output.get("ename")), _text(output.get("evalue"))))), "")
    # In nbformat 3 the forms of a result are among the other keys, under short names.
    forms = _mapping(output.get("data")) or {
        {"text": "text/plain", "html": "text/html", "latex": "text/latex"}.get(key, key): value
        for key, value in output.items()
    }
    plain, markdown = _text(forms.get("text/plain")), _text(forms.get("text/markdown"))
    if markdown.strip():
        return markdown_text(markdown)
    if plain.strip() and not _PLACEHOLDER.fullmatch(plain.strip()):
        return _fenced(plain, "")
    return read_fragment(_text(forms.get("text/html"))).text or _text(forms.get("text/latex"))


def _fenced(code: str, language: str) -> str:
    """Return code between fences that are longer than any in it; "" for none."""
    if not code.strip():
        return ""
    fence = "`" * max(3, 1 + max(map(len, _FENCES.findall(code)), default=0))
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"


def _text(value: object) -> str:
    """Return a text that is stored as one string or as a list of lines; "" for anything else."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
