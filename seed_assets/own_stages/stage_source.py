"""The source of a stage of the user: its function, and all that the function uses from the user's own modules.

This module finds it and writes it in a normal form, in which comments, docstrings and layout do not count. Whether it has changed
since results were made is found in seed_assets.session.code_changes.
"""

import ast
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

# The arguments of the decorators that change no result.
_BESIDE_RESULTS = {"preview", "show", "checks", "changes"}


def source_of(function: Callable[..., Any], roots: Collection[str]) -> str:
    """Return the source of a stage's function, and of all top-level names that it uses, directly or not, in the user's modules.

    roots: the names of the packages and modules that belong to the user. Names that are looked up while the function runs, such
    as with `getattr`, are not followed, and how a stage is shown and checked does not count. "" if the source cannot be read.
    """
    pieces: dict[tuple[str, str], str] = {}
    waiting = [(function.__module__, function.__name__)]
    while waiting:
        place = waiting.pop()
        module, name = place
        if place in pieces or module.partition(".")[0] not in roots:
            continue
        node = _definitions(module).get(name)
        if node is None:
            continue
        pieces[place] = ast.unparse(node)
        waiting += _used(module, node)
    return "\n\n".join(pieces[place] for place in sorted(pieces))


def users_names(modules: Iterable[str], folder: Path) -> set[str]:
    """Return the names of the packages and modules that belong to the user: these, and those in `folder`."""
    return {name.partition(".")[0] for name in modules} | {path.stem for path in folder.glob("*.py")}


def is_defined_twice(function: Callable[..., Any]) -> bool:
    """Whether its module has another function of its name at the top, which Python drops without a word."""
    functions = (
        node.name
        for node in _statements(function.__module__)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return sum(name == function.__name__ for name in functions) > 1


def _used(module: str, node: ast.stmt) -> Iterator[tuple[str, str]]:
    """(module, name) of all that a definition may use."""
    names = {found.id for found in ast.walk(node) if isinstance(found, ast.Name)} - _local_names(node)
    attributes = {
        (found.value.id, found.attr)
        for found in ast.walk(node)
        if isinstance(found, ast.Attribute) and isinstance(found.value, ast.Name)
    }
    definitions = _definitions(module)
    for name in sorted(names):
        defined = definitions.get(name)
        if isinstance(defined, ast.ImportFrom):
            package = module if _is_package(module) else module.rpartition(".")[0]
            above = package.split(".")[: len(package.split(".")) - defined.level + 1] if defined.level else []
            origin = ".".join(filter(None, (*above, defined.module or "")))
            # What is imported is a name of the module, or a module itself.
            original = next(one.name for one in defined.names if (one.asname or one.name) == name)
            yield origin, original
            yield from ((f"{origin}.{original}", attribute) for of, attribute in sorted(attributes) if of == name)
        elif isinstance(defined, ast.Import):
            original = next(one.name for one in defined.names if (one.asname or one.name.partition(".")[0]) == name)
            yield from ((original, attribute) for of, attribute in sorted(attributes) if of == name)
        elif defined is not None:
            yield module, name


def _local_names(node: ast.stmt) -> set[str]:
    """The names of a function's parameters and variables, which hide those of the module."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return set()
    inside = list(ast.walk(node))
    assigned = {found.id for found in inside if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store)}
    return assigned | {found.arg for found in inside if isinstance(found, ast.arg)}


def _statements(module: str) -> list[ast.stmt]:
    """The statements at the top of a module; [] if it cannot be read."""
    path = getattr(sys.modules.get(module), "__file__", None)
    if not path or not path.endswith(".py"):
        return []
    try:
        return ast.parse(Path(path).read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return []


@cache
def _definitions(module: str) -> dict[str, ast.stmt]:
    """The statements at the top of a module by the names that they define, without docstrings."""
    found: dict[str, ast.stmt] = {}
    for node in _statements(module):
        for inner in ast.walk(node):
            if (
                isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                and ast.get_docstring(inner) is not None
            ):
                inner.body = inner.body[1:] or [ast.Pass()]
            for decorator in getattr(inner, "decorator_list", ()):
                if isinstance(decorator, ast.Call):
                    decorator.keywords = [one for one in decorator.keywords if one.arg not in _BESIDE_RESULTS]
        for name in _names(node):
            found[name] = node
    return found


def _names(node: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module defines, also inside of `if` and `try`."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Import() | ast.ImportFrom():
            yield from (one.asname or one.name.partition(".")[0] for one in node.names)
        case _:
            for found in ast.walk(node):
                if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store):
                    yield found.id


def _is_package(module: str) -> bool:
    return hasattr(sys.modules.get(module), "__path__")
