"""How modules are changed when the wheel puts them below one name (hatch_build), in small pieces of code.

What belongs here: what is changed, and what is refused. What does not: the wheel itself (tests/seedbank).
"""

import ast

import pytest

from hatch_build import NotMovableError, moved_source, moved_yaml

MODULES = {"cli", "cli.main", "resources", "resources.errors", "service", "service.bases"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from resources.errors import StoppedError", "from seedbank.resources.errors import StoppedError"),
        ("from cli import main", "from seedbank.cli import main"),
        ("import resources", "from seedbank import resources"),
        ("import cli as command", "from seedbank import cli as command"),
        (
            "if True:\n    from  cli.main import (\n        app,\n    )",
            "if True:\n    from seedbank.cli.main import (\n        app,\n    )",
        ),
        ("é = 1; from cli import main", "é = 1; from seedbank.cli import main"),
        ("import client\nfrom clients.x import y", "import client\nfrom clients.x import y"),
        ("from . import cli", "from . import cli"),
        ('"""See cli.main; from cli import x."""', '"""See cli.main; from cli import x."""'),
        ("name = 'service.bases: '", "name = 'service.bases: '"),
    ],
)
def test_imports_go_through_the_one_name(before: str, after: str) -> None:
    assert moved_source(before, MODULES, "a.module") == after
    ast.parse(after)


@pytest.mark.parametrize(
    "source",
    [
        "import cli.main",
        "import cli, os",
        "import os, cli",
        "program = 'cli.main'",
        "function = 'resources.errors:StoppedError'",
        "template = '''\nfrom resources.errors import StoppedError\n'''",
    ],
)
def test_what_would_name_another_module_is_refused_with_its_line(source: str) -> None:
    with pytest.raises(NotMovableError, match=r"a\.module, line 2"):
        moved_source(f"\n{source}", MODULES, "a.module")


def test_the_files_of_dagster_name_the_moved_modules() -> None:
    text = (
        "module: resources.errors\nload_from:\n  - python_module:\n      module_name: cli.main\nmodule: dagster.core\n"
    )
    assert moved_yaml(text, ["cli", "resources"]) == text.replace("resources.", "seedbank.resources.").replace(
        "cli.", "seedbank.cli."
    )
