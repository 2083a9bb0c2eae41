"""The commands that publish and fetch tables: what they print, their exit statuses, and what a home that only reads refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from io_managers.sharing.editions.edition import edition_name
from io_managers.sharing.segments.signatures import public_text
from tests.support.pipelines import World, use_in_commands
from tests.support.table_readers import KEY, OTHER, shared_folder

pytestmark = pytest.mark.slow

Run = Callable[..., Any]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return shared_folder(tmp_path / "published")


@pytest.fixture
def run(place: Path, plain_world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; in a home that publishes, or in one that only reads."""

    def command(home: Path, *arguments: str, reads: bool = False) -> Any:
        name, other = ("READ_FROM", "PUBLISH_TO") if reads else ("PUBLISH_TO", "READ_FROM")
        monkeypatch.setenv(f"SEEDBANK_TABLES__{name}", str(place))
        monkeypatch.delenv(f"SEEDBANK_TABLES__{other}", raising=False)
        monkeypatch.setenv("SEEDBANK_STORE__SIGNING_KEY", "" if reads else KEY.text)
        monkeypatch.setenv("SEEDBANK_STORE__TRUSTED_KEYS", json.dumps([public_text(KEY.public)]))
        with monkeypatch.context() as patch:
            if not reads:
                use_in_commands(plain_world, patch)  # its vectors are those of a test
            return CliRunner().invoke(app, [*arguments, "--home", str(home)])

    return command


@pytest.fixture
def home(plain_world: World) -> Path:
    return plain_world.home


def test_what_is_published_can_be_pulled_and_is_checked(run: Run, home: Path, tmp_path: Path) -> None:
    reader = tmp_path / "reader"
    first = run(home, "tables", "publish", "--json")
    assert first.exit_code == 0, first.output
    published = json.loads(first.stdout)
    assert (published["number"], published["new"]) == (1, True)
    assert "published already, as edition 1" in run(home, "tables", "publish").stdout
    assert "published already, as edition 1" in run(home, "tables", "publish", "--verify").stdout
    pulled = run(reader, "tables", "pull", reads=True)
    assert pulled.exit_code == 0, pulled.output
    assert "Edition 1 is in use now" in pulled.stdout
    again = json.loads(run(reader, "tables", "pull", "--json", reads=True).stdout)
    assert (again["number"], again["new"], again["fetched_bytes"], again["refused"]) == (1, False, 0, {})
    checked = run(reader, "check", reads=True)
    assert checked.exit_code == 0, checked.output
    assert "mirror_as_fetched" in checked.stdout
    damaged = next((Path(again["directory"]) / "chunks.lance" / "data").iterdir())
    damaged.write_bytes(b"damaged")
    checked = run(reader, "check", "--json", reads=True)
    assert checked.exit_code == 1
    assert "tables pull --repair" in checked.stdout
    assert run(reader, "tables", "pull", "--repair", reads=True).exit_code == 0
    assert run(reader, "check", reads=True).exit_code == 0


def test_what_cannot_be_used_is_named_with_status_1(run: Run, home: Path, tmp_path: Path, place: Path) -> None:
    reader = tmp_path / "reader"
    run(home, "tables", "publish")
    run(reader, "tables", "pull", reads=True)
    (place / edition_name(2)).write_bytes(b"something else")
    pulled = run(reader, "tables", "pull", reads=True)
    assert pulled.exit_code == 1
    assert f"Not used: {edition_name(2)}: It is not an edition, or it was cut off." in pulled.stdout
    refused = run(home, "tables", "publish")
    assert refused.exit_code == 1
    assert "--take-over" in refused.stderr
    assert "Published edition 3" in run(home, "tables", "publish", "--take-over").stdout
    assert run(reader, "tables", "pull", reads=True).exit_code == 0


@pytest.mark.parametrize(
    "command",
    [
        ("seed",),
        ("plan",),
        ("status",),
        ("show", "clusters"),
        ("report",),
        ("forget", "a.md"),
        ("backup", "/nowhere"),
        ("cache", "push"),
        ("cache", "gc"),
        ("tables", "publish"),
        ("dev",),
        ("worker",),
    ],
)
def test_what_needs_a_home_that_was_seeded_is_refused_in_one_that_reads(
    command: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    """A seed there would make tables that nobody searches, and pay for them."""
    found = run(tmp_path / "reader", *command, reads=True)
    assert found.exit_code == 2, found.output
    assert "only reads tables" in found.stderr
    assert not (tmp_path / "reader" / "store").exists()


def test_a_search_without_a_mirror_fetches_it_or_says_what_is_missing(
    run: Run, home: Path, tmp_path: Path, place: Path
) -> None:
    reader = tmp_path / "reader"
    nothing = run(reader, "search", "coral", reads=True)
    assert nothing.exit_code == 2
    assert "Nothing is published at" in nothing.stderr
    run(home, "tables", "publish")
    # They are fetched, and then refused by name, since these settings name another embedder.
    found = run(reader, "search", "coral", reads=True)
    assert found.exit_code == 2
    assert "vectors of another embedder" in found.stderr
    assert (reader / "mirror" / "current").exists()


def test_the_settings_are_needed(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.delenv("SEEDBANK_TABLES__PUBLISH_TO", raising=False)
    runner = CliRunner()
    assert "Set tables.publish_to" in runner.invoke(app, ["tables", "publish", "--home", str(home)]).stderr
    assert "Set tables.read_from" in runner.invoke(app, ["tables", "pull", "--home", str(home)]).stderr
    monkeypatch.setenv("SEEDBANK_TABLES__READ_FROM", str(place))
    monkeypatch.setenv("SEEDBANK_TABLES__PUBLISH_TO", str(place))
    both = runner.invoke(app, ["tables", "pull", "--home", str(home)])
    assert both.exit_code == 2
    assert "makes its tables" in both.stderr


def test_a_key_is_needed_to_publish_where_others_can_write(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would use what is not signed."""
    monkeypatch.setenv("SEEDBANK_TABLES__PUBLISH_TO", str(home.parent / "published"))
    shared_folder(home.parent / "published")
    found = CliRunner().invoke(app, ["tables", "publish", "--home", str(home)])
    assert found.exit_code == 2
    assert "store.signing_key" in found.stderr
    assert OTHER.text not in found.output
