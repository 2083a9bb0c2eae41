"""The pages that show every setting, written from the settings themselves: `python -m tests.support.configuration_pages`.

What belongs here: their layout. What does not: what is said of a setting (resources.settings.config) and checking (test_config).
"""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from resources.settings.config import PREFIX, PROJECT_ROOT, Settings
from resources.settings.config_errors import setting_names, settings_below, variable_name

PAGE = PROJECT_ROOT / "docs" / "configuration.md"
EXAMPLE = PROJECT_ROOT / "seedbank.example.toml"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def table() -> str:
    """The table of docs/configuration.md."""
    lines = ["| in seedbank.toml | in the environment | default | what and why |", "|---|---|---|---|"]
    for path, field in setting_names(Settings):
        limits = f" {_limits(field)}" if _limits(field) else ""
        lines.append(
            f"| `{'.'.join(path)}` | `{variable_name(path, PREFIX)}` | `{_default(field)}` | {field.description}{limits} |"
        )
        lines += _rows_below(path, field)
    return "\n".join(lines)


def _rows_below(path: tuple[str, ...], field: FieldInfo) -> Iterator[str]:
    """The rows of the settings of each entry, if the setting is a table of tables."""
    entry = settings_below(field)
    if entry is None or path.count("NAME") > 1:
        return
    for own, below in entry.model_fields.items():
        name = (*path, "NAME", below.alias or own)
        yield f"| `{'.'.join(name)}` |  | `{_default(below)}` | {below.description} |"
        yield from _rows_below(name, below)


def example() -> str:
    """seedbank.example.toml: every setting with its default, in a comment."""
    lines = [
        "# Copy to seedbank.toml beside this file and take the # off what you change. Every value here is the default.",
        "# A relative path is relative to the file. Each can be set by environment as well, which wins: see",
        "# docs/configuration.md.",
    ]
    section = ""
    for path, field in setting_names(Settings):
        name = path[-1]
        if len(path) > 1 and path[0] != section:
            section = path[0]
            # Not in a comment: a value below it that is uncommented must not end up in another table.
            lines += ["", f"[{section}]"]
        else:
            lines.append("")
        value = _default(field)
        lines += [
            *(f"# {line}" for line in _wrapped(f"{field.description} {_limits(field)}".strip())),
            f"#{name} = {json.dumps(value)}",
        ]
    return "\n".join(lines) + "\n"


def page(current: str) -> str:
    """docs/configuration.md with its table as it should be."""
    before, _, rest = current.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def _default(field: FieldInfo) -> Any:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        return list(value)
    return value.relative_to(PROJECT_ROOT).as_posix() if isinstance(value, Path) else value


def _limits(field: FieldInfo) -> str:
    lowest = next((limit.ge for limit in field.metadata if isinstance(limit, Ge)), None)
    highest = next((limit.le for limit in field.metadata if isinstance(limit, Le)), None)
    if lowest is None:
        return ""
    return f"At least {lowest:,}." if highest is None else f"{lowest:,} to {highest:,}."


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 110)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
    EXAMPLE.write_text(example())
