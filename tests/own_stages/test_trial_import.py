"""Modules of users that end or block their process: this is found in another one, once for each content of their files."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from seed_assets.own_stages import module_import, trial_import
from seed_assets.own_stages.module_import import import_users_module
from tests.support.own_modules import OwnModules, own_modules_in

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_environment")]
SECONDS = 60


@pytest.fixture
def modules(tmp_path: Path, own_environment: None) -> Iterator[OwnModules]:
    for found in own_modules_in(tmp_path / "mine"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module_import, "try_import", trial_import.try_import)
            yield found


@pytest.mark.parametrize(
    ("text", "seconds", "problem"),
    [
        ("import os\nos._exit(0)\n", SECONDS, r"line 2: os\._exit\(0\): it ends the program with status 0"),
        ("import os\n\nos.kill(os.getpid(), 9)\n", SECONDS, r"it crashes \(SIGKILL\)"),
        ("import os\nos.abort()\n", SECONDS, r"line 2: os\.abort\(\): it crashes \(SIGABRT\)"),
        (
            "import re\nre.match('(a+)+$', 'a' * 60 + 'b')\n",
            1,
            r"within 1 seconds, at .*my_stages\.py, line 2: re\.match",
        ),
        ("import subprocess\nsubprocess.run(['sleep', '600'])\n", 1, r"within 1 seconds, at .*my_stages\.py, line 2"),
    ],
)
def test_a_module_that_ends_its_process_is_named_with_its_line(
    modules: OwnModules, tmp_path: Path, text: str, seconds: int, problem: str
) -> None:
    """Without another process, a command would end without a word, and some with the status of success."""
    modules.write("my_stages", text)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=rf"The module my_stages of `stages.modules` .*{problem}"):
            import_users_module("my_stages", modules.folder, seconds, memory=tmp_path / "imports.memory")
    assert "my_stages" not in sys.modules


def test_a_module_that_is_known_is_tried_again_only_when_one_of_its_files_changes(
    modules: OwnModules, tmp_path: Path
) -> None:
    """The trial costs a second, which a command with nothing to do must not take."""
    memory, told = tmp_path / "imports.memory", tmp_path / "told"
    modules.write("my_helpers", "LIMIT = 3\n")
    modules.write(
        "my_stages",
        f"import my_helpers, os\nwith open({str(told)!r}, 'a') as file:\n    file.write(f'{{os.getpid()}} ')\n",
    )

    def tried() -> int:
        told.unlink(missing_ok=True)
        modules.forget()
        import_users_module("my_stages", modules.folder, SECONDS, memory=memory)
        return len([process for process in told.read_text().split() if int(process) != os.getpid()])

    assert [tried(), tried()] == [1, 0]
    modules.write("my_helpers", "LIMIT = 4\n")
    assert [tried(), tried()] == [1, 0]
    memory.write_bytes(b"broken")
    assert [tried(), tried()] == [1, 0]
    memory.unlink()
    assert tried() == 1


def test_a_module_that_imports_itself_in_another_program_does_not_do_so_without_an_end(
    modules: OwnModules, tmp_path: Path
) -> None:
    code = f"""
import subprocess, sys
again = '''
import sys
from pathlib import Path
sys.path[:] = {sys.path}
from {import_users_module.__module__} import import_users_module
import_users_module("my_stages", Path({str(modules.folder)!r}), 60, memory=Path({str(tmp_path / "imports.memory")!r}))
'''
done = subprocess.run([sys.executable, "-c", again], capture_output=True, text=True)
raise ValueError(done.stderr[-600:].replace("\\n", " "))
"""
    modules.write("my_stages", code)
    with pytest.raises(ConfigurationError, match=r"by a program that it starts itself"):
        import_users_module("my_stages", modules.folder, 20, memory=tmp_path / "imports.memory")
