"""Modules of users, whatever they do when they are imported: each fault is one clear message, and nothing else is harmed."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from seed_assets.own_stages.module_import import import_users_module
from tests.support.own_modules import OwnModules, own_modules_in

pytestmark = pytest.mark.usefixtures("own_environment")
SECONDS = 60


@pytest.fixture
def modules(tmp_path: Path, own_environment: None) -> Iterator[OwnModules]:
    yield from own_modules_in(tmp_path / "mine")


def test_a_module_beside_the_settings_is_imported_and_can_import_its_neighbours(modules: OwnModules) -> None:
    modules.write("my_helpers", "LIMIT = 3\n")
    modules.write("my_stages", "from my_helpers import LIMIT\n")
    assert import_users_module("my_stages", modules.folder, SECONDS).LIMIT == 3


def test_a_module_of_a_package_and_an_installed_one_are_imported(modules: OwnModules, tmp_path: Path) -> None:
    modules.write("my_package/__init__", "")
    modules.write("my_package/dates", "from . import shared\n")
    modules.write("my_package/shared", "")
    assert import_users_module("my_package.dates", modules.folder, SECONDS).shared
    assert import_users_module("json.tool", modules.folder, SECONDS).__name__ == "json.tool"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1\nimport no_such_package\n", r"line 2: import no_such_package: ModuleNotFoundError: No module named"),
        ("def f():\n    return 1 / 0\n\nf()\n", r"my_stages\.py, line 2: return 1 / 0: ZeroDivisionError"),
        ("def f(:\n    pass\n", r"my_stages\.py, line 1: SyntaxError"),
        ("import sys\nsys.exit()\n", r"line 2: sys\.exit\(\): it ends the program \(SystemExit"),
        ("import sys\nsys.exit('bye')\n", r"it ends the program \(SystemExit: bye\)"),
        ("quit(0)\n", r"it ends the program"),
        ("name = input('Your name? ')\n", r"line 1: name = input\(.*EOFError"),
        ("raise KeyboardInterrupt\n", r"KeyboardInterrupt"),
        ("raise ValueError('no\\nluck')\n", r"ValueError: no luck\."),
        ("error = ValueError('no')\nerror.add_note('luck')\nraise error\n", r"ValueError: no\."),
        ("x = [0]\nclass A:\n    y = x[1]\n", r"line 3: y = x\[1\]: IndexError"),
        ("def f():\n    f()\nf()\n", r"RecursionError"),
        (
            "from seedbank.stages import value_stage\n@value_stage\nasync def a(): ...\n",
            r"line 2: @value_stage: TypeError",
        ),
        (
            "from seedbank.stages import value_stage\n@value_stage(version='1', preview=str)\nasync def a(source) -> str: ...\n",
            r"a: its parameter source needs an annotation",
        ),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_its_line(modules: OwnModules, text: str, problem: str) -> None:
    modules.write("my_stages", text)
    with pytest.raises(
        ConfigurationError, match=rf"The module my_stages of `stages.modules` cannot be imported.*{problem}"
    ):
        import_users_module("my_stages", modules.folder, SECONDS)
    # The next process finds it as it is then.
    modules.write("my_stages", "")
    import_users_module("my_stages", modules.folder, SECONDS)


def test_a_file_that_is_no_text_is_named(modules: OwnModules) -> None:
    modules.write("my_stages", "").write_bytes(b"x = '\xff'\n")
    with pytest.raises(ConfigurationError, match=r"my_stages\.py, line 1: SyntaxError: .*utf-8"):
        import_users_module("my_stages", modules.folder, SECONDS)


def test_what_a_module_prints_is_not_on_standard_output(
    modules: OwnModules, capsys: pytest.CaptureFixture[str]
) -> None:
    modules.write("my_stages", "print('hello')\nimport sys\nsys.stdout.write('world')\n")
    import_users_module("my_stages", modules.folder, SECONDS)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "hello\nworld")
    assert sys.stdout is not sys.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "waits",
    [
        "import time\ntime.sleep(20)\n",
        "import threading\nthreading.Event().wait(20)\n",
        "import time\nend = time.monotonic() + 4\nwhile time.monotonic() < end:\n    pass\n",
    ],
)
def test_a_module_that_hangs_is_given_up_and_the_line_is_named(modules: OwnModules, waits: str) -> None:
    # The thread of an earlier one still imports the module of its name.
    name = f"hanging_{abs(hash(waits))}"
    modules.write(name, waits)
    began = time.monotonic()
    with pytest.raises(ConfigurationError, match=rf"within 1 seconds, at .*{name}\.py, line \d.*stages.import_seconds"):
        import_users_module(name, modules.folder, 1)
    assert time.monotonic() - began < 20


def test_a_module_that_does_not_exist_is_named_with_a_similar_one(modules: OwnModules) -> None:
    modules.write("my_stages", "")
    with pytest.raises(ConfigurationError, match=r"my_stagse, and there is no such module.*is my_stages meant"):
        import_users_module("my_stagse", modules.folder, SECONDS)


def test_a_file_in_the_place_of_a_name_is_corrected(modules: OwnModules) -> None:
    modules.write("my_stages", "")
    with pytest.raises(ConfigurationError, match=r"names my_stages\.py\. Write it .*statement: my_stages\."):
        import_users_module("my_stages.py", modules.folder, SECONDS)


def test_a_name_that_another_module_has_is_refused(modules: OwnModules) -> None:
    """Otherwise a library would silently be used in the place of the user's file."""
    for taken in ("json", "resources", "msgspec"):
        modules.write(taken, "")
        with pytest.raises(
            ConfigurationError, match=rf"{taken}, which is .*finds another module of this name in .*Give"
        ):
            import_users_module(taken, modules.folder, SECONDS)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["my_stages.py/"], "is not the name of a module"),
        (["my-stages"], "is not the name of a module.*import"),
        (["mine", "mine"], "mine is listed twice"),
        ("mine", "stages.modules"),
    ],
)
def test_the_setting_takes_names_of_modules(names: list[str] | str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        load_settings({"stages": {"modules": names}})
