"""Builds the wheel: puts every package of the repository below `seedbank`, so that an installed Seedbank takes one name only.

What belongs here: moving the packages, which changes their own imports and the module names in two YAML files, and refusing code
that could not be moved. What does not: which packages these are (pyproject.toml).

In the repository, and in an editable install, the packages are at the top: `resources`, `cli`, `service` and others. In the
`site-packages` of a user, such names would collide with the user's own modules. docs/adr/0059-one-name-in-the-wheel.md says
why the move is made here.
"""

import ast
import re
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "seedbank"
# What lies beside the packages in the repository, and beside them in the wheel.
_DATA = ("dagster.yaml", "workspace.yaml", "sample_corpus")


class NotMovableError(Exception):
    """Code that names a package of the repository in a way that cannot be changed safely."""


class CustomBuildHook(BuildHookInterface[Any]):
    """The build hook that pyproject.toml names for wheels."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the moved packages to a wheel; nothing to an editable install, which uses the repository itself."""
        if version == "editable":
            return
        self._moved = Path(tempfile.mkdtemp(prefix="seedbank-wheel-"))
        move(Path(self.root), self._moved, self.config["packages"])
        build_data["force_include"][str(self._moved)] = NAME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Delete the moved packages, which are in the wheel now."""
        if version != "editable":
            shutil.rmtree(self._moved, ignore_errors=True)


def move(root: Path, target: Path, packages: Collection[str]) -> None:
    """Copy the packages of a repository, with the public modules and the data beside them, to where they form one package.

    packages: the names of the packages at the top of the repository. Raises NotMovableError.
    """
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(root / NAME, target, ignore=ignored, dirs_exist_ok=True)
    for package in packages:
        shutil.copytree(root / package, target / package, ignore=ignored)
    paths = {".".join(path.relative_to(target).with_suffix("").parts): path for path in sorted(target.rglob("*.py"))}
    modules = {name.removesuffix(".__init__") for name in paths if name.partition(".")[0] in packages}
    for name, path in paths.items():
        path.write_text(moved_source(path.read_text("utf-8"), modules, name), "utf-8")
    for name in _DATA:
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name)
        else:
            (target / name).write_text(moved_yaml((root / name).read_text("utf-8"), packages), "utf-8")


def moved_source(source: str, modules: Collection[str], name: str) -> str:
    """The source of a module after the move: what it imports is below `seedbank`, and every line stays where it is.

    modules: all modules that move, with their packages. name: that of the module, for messages. Raises NotMovableError for an
    import that binds the name of a package and means a module in it, and for a text that names a module.
    """
    tree = ast.parse(source)
    lines = source.split("\n")
    ours = "|".join(sorted({re.escape(module.partition(".")[0]) for module in modules}))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and re.match(rf"({ours})\b", node.module or ""):
            _change(lines, node, rf"from\s+({ours})\b", rf"from {NAME}.\1", name)
        elif isinstance(node, ast.Import) and any(re.match(rf"({ours})\b", alias.name) for alias in node.names):
            _change(lines, node, rf"import\s+({ours})(?=\s*(as\b|#|$))", rf"from {NAME} import \1", name)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""  # a docstring may name whatever it likes
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        named = re.fullmatch(r"(\w+\.[\w.]+)(:[\w.]+)?", text)
        if (named and named[1] in modules) or re.search(rf"^\s*(from|import) ({ours})\b", text, re.MULTILINE):
            raise NotMovableError(
                f"{name}, line {node.lineno}: {text[:80]!r} names a module, which has another name in a wheel. Use `__name__` "  # pyright: ignore[reportAttributeAccessIssue]
                "of the module, or `__package__`; code for users imports from `seedbank`."
            )
    return "\n".join(lines)


def moved_yaml(text: str, packages: Collection[str]) -> str:
    """The text of a YAML file of Dagster whose `module` and `module_name` name the moved packages."""
    return re.sub(rf"\b(module(?:_name)?:\s*)({'|'.join(map(re.escape, packages))})\.", rf"\1{NAME}.\2.", text)


def _change(lines: list[str], node: ast.stmt, pattern: str, new: str, name: str) -> None:
    """Change the beginning of an import. Offsets of the syntax tree count bytes of UTF-8."""
    line = lines[node.lineno - 1].encode()
    before, statement = line[: node.col_offset].decode(), line[node.col_offset :].decode()
    changed, count = re.subn(rf"\A{pattern}", new, statement, count=1)
    if not count:
        raise NotMovableError(
            f"{name}, line {node.lineno}: {statement!r} cannot be changed for a wheel. Write `from package import name`."
        )
    lines[node.lineno - 1] = before + changed
