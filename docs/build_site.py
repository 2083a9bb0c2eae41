"""Puts the pages of the documentation site together, and checks the site that was built from them; `make docs` calls it.

    python docs/build_site.py pages FOLDER    writes the pages and zensical.toml into FOLDER
    python docs/build_site.py check FOLDER    fails if a page of the built site loads anything from elsewhere

What belongs here: which pages there are and in which order, what is generated from code, and what differs from the files in
the repository (links to files above docs/). What does not: the look of the site (zensical.toml beside this file), and the text
of pages.

The commands and their options come from the command itself, the Python API from the `__all__` of the public modules. A page in
docs/ that no list here names is a guide, so a new page needs nothing more.
"""

import ast
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
# Beside the guides, which are all others.
SECTIONS = {
    "Guides": ["installing", "reading", "models", "local_models", "operating", "explaining", "asking", "service"],
    "Reference": ["commands", "options", "configuration", "tables", "glossary"],
    "Explanation": ["architecture", "identity", "clusters", "judging", "benchmarks", "dependencies"],
}
PROJECT = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
API = ("stages", "knowledge_base", "dagster", "postgres", "errors")
# What a browser would fetch by itself: a link is followed by people only.
_LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*?\bsrc=["']?(?:https?:)?//"""
    r"""|<link\b(?![^>]*rel=["']?canonical)[^>]*?\bhref=["']?(?:https?:)?//"""
)
_LOADED_IN_STYLE = re.compile(r"""url\(["']?(?:https?:)?//|@import\s+["'](?:https?:)?//""")


def write_pages(folder: Path) -> None:
    """Write all pages, the generated ones among them, and the configuration of the site."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    shutil.copytree(DOCS, pages, ignore=shutil.ignore_patterns("*.py", "zensical.toml", "__pycache__"))
    (pages / "index.md").write_text(_moved_links((ROOT / "README.md").read_text("utf-8")), "utf-8")
    for name, target in PROJECT.items():
        (pages / target).write_text(_moved_links((ROOT / name).read_text("utf-8")), "utf-8")
    shutil.copy(ROOT / "LICENSE", pages / "LICENSE")
    for page in pages.rglob("*.md"):
        text = page.read_text("utf-8")
        for name, target in PROJECT.items():
            text = text.replace(f"](../{name}", f"]({target}")
        page.write_text(text, "utf-8")
    (pages / "options.md").write_text(options_page(), "utf-8")
    for name in API:
        path = pages / "api" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(api_page(name), "utf-8")
    configuration = (DOCS / "zensical.toml").read_text("utf-8")
    nav = "\n".join(_nav(pages))
    (folder / "zensical.toml").write_text(
        configuration.replace("nav = []", f"nav = [\n{nav}\n]").replace('"ROOT"', f'"{ROOT}"'), "utf-8"
    )
    tomllib.loads((folder / "zensical.toml").read_text("utf-8"))


def _moved_links(text: str) -> str:
    """The links of a page of the repository's top as they are beside the pages of docs/."""
    text = re.sub(r"\]\(docs/", "](", text)
    for name, target in PROJECT.items():
        text = text.replace(f"]({name}", f"]({target}")
    return text


def _nav(pages: Path) -> Iterator[str]:
    known = {name for names in SECTIONS.values() for name in names} | {"index", "tutorial"}
    others = {path.stem for path in pages.glob("*.md")} - known - {Path(name).stem for name in PROJECT.values()}
    yield '  { "Home" = "index.md" },'
    if (pages / "tutorial.md").exists():
        yield '  { "Tutorial" = "tutorial.md" },'
    for section, names in SECTIONS.items():
        listed = [f"{name}.md" for name in (*names, *(sorted(others) if section == "Guides" else ()))]
        yield f'  {{ "{section}" = ['
        yield from (f'    "{page}",' for page in listed)
        if section == "Reference":
            yield f'    {{ "Python API" = {[f"api/{name}.md" for name in API]} }},'
        if section == "Explanation":
            decisions = sorted(f"adr/{path.name}" for path in (pages / "adr").glob("*.md"))
            yield f'    {{ "Decisions" = {["adr/README.md", *(page for page in decisions if page != "adr/README.md")]} }},'
        yield "  ] },"
    yield '  { "Project" = ['
    yield from (f'    "{page}",' for page in PROJECT.values())
    yield "  ] },"


def options_page() -> str:
    """The page of every command with its arguments and options, as the command itself declares them."""
    import typer

    sys.path.insert(0, str(ROOT))
    from cli.main import app

    parts = ["# All options", "", "Every command with its arguments and options, as `--help` says them."]
    parts += ["[Commands](commands.md) says which command is for what.", ""]
    for words, command in _commands("seedbank", typer.main.get_command(app)):
        parts += [f"## {words}", "", _paragraphs(command.help or ""), ""]
        shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
        if shown:
            parts += ["| argument or option | meaning | default |", "|---|---|---|", *map(_row, shown), ""]
    return "\n".join(parts)


def _commands(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, one in inner.items():
        yield from _commands(f"{words} {name}", one)


def _row(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts] if parameter.param_type_name == "option" else []
    value = "" if getattr(parameter, "is_flag", False) else f" {parameter.metavar or parameter.name.upper()}"
    shown = ", ".join(f"`{name}{value}`" for name in names) or f"`{value.strip()}`"
    default = parameter.default
    is_shown = not callable(default) and default not in (None, False, (), "") and not isinstance(default, list)
    help_text = " ".join((parameter.help or "").split()).replace("|", "\\|")
    return f"| {shown} | {help_text} | {f'`{default}`' if is_shown else ''} |"


def _paragraphs(text: str) -> str:
    return re.sub(r"[\b\f]\n?", "", text)


def api_page(name: str) -> str:
    """The page of a public module: its docstring, and each name that it exports, from the docstrings of the code."""
    tree = ast.parse((ROOT / "seedbank" / f"{name}.py").read_text("utf-8"))
    (exported,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    sources = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    lines = [f"# seedbank.{name}", "", " ".join((ast.get_docstring(tree) or "").split()), ""]
    for one in exported:
        lines += [f"::: {sources[one]}", ""]
    return "\n".join(lines)


def loads_from_elsewhere(site: Path) -> dict[str, str]:
    """File of the built site -> the first thing that it would load from another server."""
    found: dict[str, str] = {}
    for path in sorted(site.rglob("*")):
        pattern = {".html": _LOADED, ".css": _LOADED_IN_STYLE}.get(path.suffix)
        if pattern and (match := pattern.search(path.read_text("utf-8"))):
            found[str(path.relative_to(site))] = match.group()
    return found


def main(task: str, folder: str) -> int:
    """Write the pages, or check the site. Returns the exit status."""
    if task == "pages":
        write_pages(Path(folder))
        return 0
    found = loads_from_elsewhere(Path(folder))
    for page, what in found.items():
        print(f"{page} would load something from elsewhere: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
