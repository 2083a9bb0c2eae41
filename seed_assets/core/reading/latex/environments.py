"""What stands between begin and end of environments: lists, tables, code, formulas, references, and all others.

What does not belong here: commands and text (reader).
"""

import re

from seed_assets.core.reading.latex.commands import (
    CODE_ENVIRONMENTS,
    DRAWINGS,
    LIST_ENVIRONMENTS,
    MATH_ENVIRONMENTS,
    NUMBERED,
    OTHER_ENVIRONMENTS,
    TABLE_ENVIRONMENTS,
    WITHOUT_ARGUMENTS,
)
from seed_assets.core.reading.latex.formulas import displayed_formula
from seed_assets.core.reading.latex.source import Source
from seed_assets.core.reading.latex.walk import Walk
from seed_assets.core.reading.latex.writer import ListItems, TableRows
from seed_assets.core.reading.markdown_blocks import code, heading

_TITLE = re.compile(r"(?:^|,)\s*(?:title|caption)\s*=\s*(\{[^{}]*\}|[^,{}]+)")
_TITLED = frozenset({"block", "alertblock", "exampleblock"})
# TeX has no more.
_MOST_ARGUMENTS = 9
_DESCRIBED = frozenset({"description", "compactdesc", "description*"})


def read_environment(reader: Walk, source: Source, name: str) -> None:
    r"""Read what follows \begin{name}, up to its end."""
    if name == "comment":
        source.up_to("\\end{comment}")
    elif name in CODE_ENVIRONMENTS:
        _code(reader, source, name)
    elif name in MATH_ENVIRONMENTS:
        _formula(reader, source, name)
    elif name in DRAWINGS:
        reader.drawings += source.up_to(f"\\end{{{name}}}") is not None
    elif name in LIST_ENVIRONMENTS:
        _list(reader, source, name)
    elif name in TABLE_ENVIRONMENTS:
        _table(reader, source, name)
    else:
        _other(reader, source, name)


def _skip(source: Source, kinds: str) -> str:
    """Go behind arguments ("o" optional, "m" not) and return the optional ones."""
    given: list[str] = []
    for kind in kinds:
        if kind == "o":
            given.append(source.optional() or "")
        else:
            source.argument()
    return ",".join(filter(None, given))


def _code(reader: Walk, source: Source, name: str) -> None:
    options = _skip(source, CODE_ENVIRONMENTS[name])
    written = source.up_to(f"\\end{{{name}}}")
    if written is None:
        return
    if titled := _TITLE.search(options):
        reader.writer.block(reader.text_of(titled[1].strip("{}")))
    reader.writer.block(code(written.expandtabs(4).strip("\n").rstrip().split("\n")))


def _formula(reader: Walk, source: Source, name: str) -> None:
    if name.startswith(("alignat", "xalignat")):
        source.argument()
    body = source.up_to(f"\\end{{{name}}}")
    if body is not None:
        reader.writer.block(displayed_formula(body))


def _list(reader: Walk, source: Source, name: str) -> None:
    source.optional()
    if name in ("list", "tasks"):
        source.argument()
    if name == "list":
        source.argument()
    items = ListItems(len(reader.lists), is_numbered=name in NUMBERED, is_described=name in _DESCRIBED)
    reader.lists.append(items)
    rest = reader.blocks(source, name)
    reader.lists.pop()
    items.end(rest)
    reader.writer.block("\n".join(items.lines))


def _table(reader: Walk, source: Source, name: str) -> None:
    _skip(source, TABLE_ENVIRONMENTS[name])
    rows = TableRows()
    rows.cell(" ".join(reader.blocks(source, name, rows)))
    text = rows.text()
    for each in [*rows.captions, text]:
        reader.writer.block(each)


def _unknown_arguments(reader: Walk, source: Source, name: str) -> None:
    """Read the arguments of an environment that is not known as paragraphs of their own."""
    if name in reader.theorems or name == "proof" or name in _TITLED or name == "frame":
        return
    most = reader.environments[name].count("m") if name in reader.environments else _MOST_ARGUMENTS
    for _ in range(most):
        # In the next line, braces begin a group of the text.
        if not source.characters.startswith("{", source.place):
            return
        reader.writer.block(reader.argument_text(source))


def _other(reader: Walk, source: Source, name: str) -> None:
    source.skip_overlay()
    options = _skip(source, OTHER_ENVIRONMENTS.get(name, "o"))
    writer = reader.writer
    writer.paragraph()
    if name in reader.environments or not (name in OTHER_ENVIRONMENTS or name in WITHOUT_ARGUMENTS):
        _unknown_arguments(reader, source, name)
    if name == "abstract":
        writer.block(heading(2, "Abstract"))
    elif name == "thebibliography":
        writer.block(heading(2, "References"))
    elif name == "frame" and source.next_is("{"):
        writer.block(heading(2, reader.argument_text(source)))
        if source.next_is("{"):
            writer.block(heading(3, reader.argument_text(source)))
    elif name in _TITLED:
        writer.block(reader.argument_text(source))
    elif name in reader.theorems or name == "proof":
        label = reader.theorems.get(name, "Proof")
        writer.block(f"{label} ({reader.text_of(options)})." if options else f"{label}.")
    elif titled := _TITLE.search(options):
        writer.block(reader.text_of(titled[1].strip("{}")))
    for block in reader.blocks(source, name):
        writer.block(block)
