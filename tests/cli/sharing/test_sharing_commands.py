"""The commands that share: what they print, their exit statuses, and that nothing is shared by mistake."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from io_managers.sharing.segments.signatures import SigningKey, public_text
from tests.support.pipelines import World, use_in_commands

pytestmark = pytest.mark.slow

KEY = SigningKey.parse("secret:" + "07" * 32)
Run = Callable[..., Any]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A folder that others can write."""
    folder = tmp_path / "remote"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def run(plain_world: World, remote: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command over a seeded home, with a remote and a key unless the test says otherwise."""
    use_in_commands(plain_world, monkeypatch)

    def command(*arguments: str, **store: Any) -> Any:
        plain_world.settings["store"] = {"remote": str(remote), "signing_key": KEY.text} | store
        return CliRunner().invoke(app, ["cache", *arguments, "--home", str(plain_world.home)])

    return command


def test_a_push_says_what_it_wrote_and_the_next_one_writes_nothing(run: Run, plain_world: World) -> None:
    first = run("push", "--json")
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)
    assert found["results"] >= found["values"] > 0
    assert json.loads(run("push", "--json").stdout)["results"] == 0
    assert "Pushed 0 results with 0 values" in run("push").stdout


def test_a_pull_says_what_the_remote_has_and_names_what_it_does_not_use(run: Run, remote: Path) -> None:
    pushed = json.loads(run("push", "--json").stdout)["results"]
    assert json.loads(run("pull", "--json").stdout)["results"] == pushed
    (segment,) = (path for path in (remote / "segments").rglob("*") if path.is_file())
    segment.with_name("0" * 64).write_bytes(segment.read_bytes()[:-1])
    pulled = run("pull")
    assert pulled.exit_code == 1
    assert f"Not used: segments/{segment.parent.name}/{'0' * 64}: It is damaged or was cut off" in pulled.stdout


def test_what_came_from_the_remote_is_in_the_statistics(run: Run, plain_world: World, remote: Path) -> None:
    run("push")
    stats = json.loads(run("stats", "--json").stdout)
    assert stats["remote"]["address"] == str(remote)
    assert stats["remote"]["results"] > 0
    assert f"The remote {remote} has" in run("stats").stdout
    assert json.loads(run("stats", "--json", remote="").stdout)["remote"] is None


def test_an_export_is_imported_elsewhere(
    run: Run, plain_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = tmp_path / "exported"
    out = run("export", str(exported), "--json")
    assert out.exit_code == 0, out.output
    other = World(tmp_path / "other", plain=True)
    shutil.copytree(plain_world.corpus, other.corpus)
    other.settings = {"store": {"trusted_keys": [public_text(KEY.public)]}}
    use_in_commands(other, monkeypatch)
    exported.chmod(0o777)
    taken = CliRunner().invoke(app, ["cache", "import", str(exported), "--home", str(other.home), "--json"])
    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["results"] == json.loads(out.stdout)["results"]
    shutil.rmtree(exported)
    assert {name for name in other.seed().calls if not name.startswith("lance_")} <= {"search_index"}
    assert other.summarizer.texts == []


def test_an_import_without_a_signature_needs_a_word(run: Run, tmp_path: Path) -> None:
    """An export from a mail or a web page could hold anything."""
    exported = tmp_path / "exported"
    assert "without a signature" in run("export", str(exported), signing_key="").stdout
    exported.chmod(0o777)
    refused = run("import", str(exported))
    assert refused.exit_code == 1
    assert "It is not signed" in refused.stdout
    assert run("import", str(exported), "--unsigned").exit_code == 0


def test_a_folder_without_an_export_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    wrong = run("import", str(tmp_path / "empty"))
    assert wrong.exit_code == 2
    assert "holds no exported results" in wrong.output


@pytest.mark.parametrize(
    ("arguments", "store", "words"),
    [
        (("push",), {"remote": ""}, "No remote is used"),
        (("push",), {"remote_access": "off"}, "No remote is used"),
        (("push",), {"remote_access": "read"}, "only read from here"),
        (("push",), {"remote_access": "write", "signing_key": ""}, "No key is trusted"),
        (("pull",), {"remote": "/there/is/no/such/folder"}, "does not exist"),
    ],
    ids=str,
)
def test_what_is_set_wrongly_is_said_with_exit_status_2(
    run: Run, arguments: tuple[str, ...], store: dict[str, str], words: str
) -> None:
    done = run(*arguments, **store)
    assert done.exit_code == 2
    assert words in done.output


def test_a_new_pair_of_keys_fits_the_settings(run: Run) -> None:
    pair = json.loads(CliRunner().invoke(app, ["cache", "keygen", "--json"]).stdout)
    assert public_text(SigningKey.parse(pair["signing_key"]).public) == pair["trusted_key"]
    shown = CliRunner().invoke(app, ["cache", "keygen"]).stdout
    assert "SEEDBANK_STORE__SIGNING_KEY=secret:" in shown
    assert "public:" in shown
