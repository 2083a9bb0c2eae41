"""What counts as a change of a stage's code: what it uses, and no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seed_assets.own_stages.module_import import import_users_module
from seed_assets.own_stages.stage_source import source_of
from tests.support.own_modules import OwnModules, own_modules_in

HELPERS = """
import my_tables
from my_words import words as words_of

LIMIT = 3
OTHER = 4

def unused():
    return OTHER

def few(text):
    \"\"\"Some words.\"\"\"
    return words_of(text)[:LIMIT] + my_tables.EXTRA

async def stage(text: str, hidden: int = 0) -> list:
    # what it does
    return few(text)

hidden = 5
"""


@pytest.fixture
def modules(tmp_path: Path, own_environment: None) -> Iterator[OwnModules]:
    yield from own_modules_in(tmp_path / "mine")


def source(modules: OwnModules, **texts: str) -> str:
    written = {
        "my_stages": HELPERS,
        "my_words": "def words(text):\n    return text.split()\n",
        "my_tables": "EXTRA = []\n",
    }
    for name, text in (written | texts).items():
        modules.write(name, text)
    module = import_users_module("my_stages", modules.folder, 60)
    return source_of(module.stage, {"my_stages", "my_words", "my_tables"})


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({"my_stages": HELPERS.replace("# what it does", "# something else")}, False),
        ({"my_stages": HELPERS.replace("Some words.", "A few words.")}, False),
        ({"my_stages": HELPERS.replace("OTHER = 4", "OTHER = 5")}, False),
        ({"my_stages": HELPERS.replace("few(text)\n", "few( text )\n\n")}, False),
        ({"my_stages": HELPERS.replace("LIMIT = 3", "LIMIT = 4")}, True),
        ({"my_stages": HELPERS.replace("return few(text)", "return few(text)[1:]")}, True),
        ({"my_stages": HELPERS.replace("hidden = 5", "hidden = 6")}, False),
        ({"my_words": "def words(text):\n    return text.split(',')\n"}, True),
        ({"my_words": "def words(text):\n    return text.split()\ndef more(): ...\n"}, False),
        ({"my_tables": "EXTRA = ['more']\n"}, True),
        ({"my_tables": "EXTRA = []\nREST = []\n"}, False),
    ],
)
def test_only_what_a_stage_uses_counts(modules: OwnModules, changed: dict[str, str], counts: bool) -> None:
    before = source(modules)
    assert "words(text)" in before
    assert (source(modules, **changed) != before) == counts


def test_how_a_stage_is_shown_and_checked_does_not_count(modules: OwnModules) -> None:
    def source_with(arguments: str) -> str:
        modules.write(
            "my_stages",
            "from seedbank.stages import *\nCHECKS = ()\n"
            f"@value_stage({arguments})\nasync def stage(source: Source) -> str: ...\n",
        )
        return source_of(import_users_module("my_stages", modules.folder, 60).stage.function, {"my_stages"})

    before = source_with("version='1', preview=str")
    assert source_with("version='1', preview=repr, checks=CHECKS") == before
    assert source_with("version='1', preview=str, warnings=list") != before
