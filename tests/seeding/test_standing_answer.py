"""The answer of a seed that found nothing to do: it stands while nothing has changed, and after any change it does not.

What belongs here: what the answer depends on, one change after the other, and the command as a whole. What does not: plans
(tests/planning/test_plan_memory).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import _print_report
from cli.standing import Standing
from cli.start import _options
from cli.views import view_of
from io_managers.store.errors import StoreError
from io_managers.store.failures import FailureRecord
from resources.corpus import corpus_index
from resources.home.home import Home
from resources.home.private_files import keep_new_files_private
from resources.local_models.local_embedder import LocalModelEmbedder
from resources.settings.config import PROJECT_ROOT
from resources.tables.lance import LanceTables
from seed_assets.engine.damage import DAMAGED, note
from seed_assets.seeding import standing_answer
from seed_assets.seeding.seed_report import SeedReport
from seed_assets.seeding.seeding import SeedOptions, seed
from seed_assets.seeding.standing_answer import Answer, called, find, home_of, place
from tests.support import seed_process
from tests.support.pipelines import World, essay
from tests.support.tiny_models import write_json, write_model

pytestmark = pytest.mark.slow

# Files of tests are young, and code may have been edited just now. A clock of the system ticks every few milliseconds.
_NS = 50_000_000
_REST_SECONDS = 0.12


@pytest.fixture(autouse=True)
def little_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files rest for moments, not for seconds, before their times are believed."""
    monkeypatch.setattr(standing_answer, "_SETTLED_NS", _NS)
    monkeypatch.setattr(standing_answer, "_CODE_SETTLED_NS", 0)
    monkeypatch.setattr(corpus_index, "_SETTLED_NS", _NS)


def leave(world: World) -> SeedReport:
    """Seed as the command does, once the files have rested."""
    os.chmod(world.home, 0o700)
    time.sleep(_REST_SECONDS)
    standing = Standing(world.home, world.corpus, as_json=True, default_options=True)
    with world.session() as session:
        standing.before_seed(session)
        report = seed(session, SeedOptions())
        standing.after_seed(report, _print_report)
    return report


def answer(world: World) -> Answer | None:
    """What the next seed would print at once."""
    home = home_of(str(world.home))
    return find(place(home), called(str(world.home), str(world.corpus)), home, view_of(as_json=True))


def standing(world: World) -> World:
    """A world in which the answer stands."""
    leave(world)
    leave(world)
    assert answer(world) is not None
    return world


def touch(world: World) -> None:
    (world.corpus / "reefs/corals.txt").touch()


def rewrite_with_the_same_times(world: World) -> None:
    file = world.corpus / "reefs/corals.txt"
    status, content = file.stat(), file.read_bytes()
    file.write_bytes(content.swapcase())
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_with_the_same_times(world: World) -> None:
    file = world.corpus / "reefs/corals.txt"
    other = world.corpus / "reefs/fish.txt"
    status = file.stat()
    shutil.copy(other, world.home.parent / "other")
    (world.home.parent / "other").replace(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def add(world: World) -> None:
    world.write("reefs/new.txt", essay("anemones"))


def add_one_that_is_no_document(world: World) -> None:
    world.write("reefs/new.xyz", "no document, and counted")


def rename_one_that_is_no_document(world: World) -> None:
    (world.corpus / "table.csv_").rename(world.corpus / "table.other")


def remove(world: World) -> None:
    (world.corpus / "reefs/corals.txt").unlink()


def rename(world: World) -> None:
    (world.corpus / "reefs/corals.txt").rename(world.corpus / "reefs/polyps.txt")


def ignore(world: World) -> None:
    world.write(".seedbankignore", "corals.txt\n")


def remove_corpus(world: World) -> None:
    shutil.rmtree(world.corpus)


def drop_table(world: World) -> None:
    LanceTables(world.home / "lancedb").drop("chunks")


def delete_row(world: World) -> None:
    LanceTables(world.home / "lancedb").open("chunks").delete("document_id = 'reefs/corals.txt'")


def drop_ref(world: World) -> None:
    store = world.store()
    store.refs.drop("chunks", ["reefs/corals.txt"])
    store.close()


def forget_result(world: World) -> None:
    store = world.store()
    store.database.write(("DELETE FROM actions WHERE stage = ?", [("chunks",)])).result()
    store.close()


def record_failure(world: World) -> None:
    store = world.store()
    key = store.refs.get("summaries")["reefs/corals.txt"].action_key
    store.failures.record([FailureRecord(key, "summaries", "reefs/corals.txt", "It failed.", "Ask.", transient=False)])
    store.close()


def note_damage(world: World) -> None:
    store = world.store()
    note(store, [store.refs.get("lance_chunks")["reefs/corals.txt"]], DAMAGED)
    store.close()


def flip_a_bit_of_the_store(world: World) -> None:
    with (world.home / "store/store.db").open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-100, os.SEEK_END)
        file.write(bytes([byte ^ 1]))


def restore_the_store(world: World) -> None:
    copy = world.home.parent / "copy"
    shutil.copytree(world.home / "store", copy)
    shutil.rmtree(world.home / "store")
    copy.rename(world.home / "store")


def leave_a_commit_in_the_log(world: World) -> None:
    """As a process leaves it that was killed: the main file is as it was."""
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom io_managers.store.store import Store\n"
        "store = Store(Path(sys.argv[1]))\nstore.refs.drop('chunks', ['reefs/corals.txt'])\nos._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(world.home / "store")], check=True, cwd=PROJECT_ROOT)


def record_out_of_sync(world: World) -> None:
    Home(world.home).record_out_of_sync()


def delete_dagsters_records(world: World) -> None:
    shutil.rmtree(world.home / "dagster")


def kill_a_run(world: World) -> None:
    (world.home / "running/host_boot_-_1_2_abcd").write_text("host/boot/-/1/2/abcd\n")


def move_home_to_another_corpus(world: World) -> None:
    (world.home / "home.json").write_text(json.dumps({"format": 1, "corpus": "/elsewhere"}))


def open_home_to_others(world: World) -> None:
    os.chmod(world.home, 0o755)


def put_answers_into_the_reserve(world: World) -> None:
    store = world.store()
    store.reserve.prepare()
    store.close()


CHANGES: tuple[Callable[[World], None], ...] = (
    touch,
    rewrite_with_the_same_times,
    replace_with_the_same_times,
    add,
    add_one_that_is_no_document,
    rename_one_that_is_no_document,
    remove,
    rename,
    ignore,
    remove_corpus,
    drop_table,
    delete_row,
    drop_ref,
    forget_result,
    record_failure,
    note_damage,
    flip_a_bit_of_the_store,
    restore_the_store,
    record_out_of_sync,
    kill_a_run,
    move_home_to_another_corpus,
    open_home_to_others,
    put_answers_into_the_reserve,
)
# The first starts a process, the second needs what Dagster has written.
CHANGES_OUTSIDE = (leave_a_commit_in_the_log, delete_dagsters_records)


@pytest.mark.parametrize(
    "change",
    [*CHANGES, *(pytest.param(change, marks=pytest.mark.integration) for change in CHANGES_OUTSIDE)],
    ids=lambda change: change.__name__,
)
def test_after_any_change_no_answer_stands(world: World, change: Callable[[World], None]) -> None:
    world.write("table.csv_", "no document, and counted by its suffix")
    standing(world)
    assert answer(world) is not None
    change(world)
    assert answer(world) is None


def test_the_answer_is_the_report_that_was_printed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write("broken/empty.txt", b"")
    world.write("bad.md", "---\ntitle: [\n---\n\n" + essay("harbours"))
    world.write("table.xyz", "no document, and counted by its suffix")
    world.seed()
    standing(world)
    report = leave(world)
    capsys.readouterr()
    _print_report(report)
    printed = capsys.readouterr().out

    found = answer(world)

    assert found is not None
    status, before, after = found
    assert (int(status), report.exit_code) == (1, 1)
    seconds = str(round(report.seconds, 3))
    assert f"{before}{seconds}{after}" == printed
    failed = json.loads(f"{before}0.1{after}")["failures"]
    assert [(f["document"], f["stage"]) for f in failed] == [("broken/empty.txt", "extracted_text")]
    assert failed[0]["remedy"]
    report_again = json.loads(f"{before}0.1{after}")
    assert (report_again["skipped"]["suffixes"], report_again["documents_with_warnings"]) == ({".xyz": 1}, 1)


def test_a_seed_that_did_something_leaves_no_answer(world: World) -> None:
    world.write("reefs/new.txt", essay("anemones"))
    assert leave(world).runs
    assert not Path(place(str(world.home))).exists()


def test_a_seed_leaves_none_while_anything_changed_just_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_answer, "_SETTLED_NS", 3_600_000_000_000)
    leave(world)
    assert answer(world) is None
    monkeypatch.setattr(standing_answer, "_SETTLED_NS", _NS)
    monkeypatch.setattr(corpus_index, "_SETTLED_NS", 3_600_000_000_000)
    leave(world)
    assert answer(world) is None


def test_a_change_while_the_seed_looks_is_not_taken_for_seen(world: World) -> None:
    """Notes are taken before the plan is made, so that what comes in between differs from them."""
    standing(world)
    time.sleep(_REST_SECONDS)
    noted = Standing(world.home, world.corpus, as_json=True, default_options=True)
    with world.session() as session:
        noted.before_seed(session)
        report = seed(session, SeedOptions())
        drop_ref(world)
        noted.after_seed(report, _print_report)
    assert answer(world) is None


def test_one_that_was_asked_for_more_or_said_more_than_its_report_leaves_none(world: World) -> None:
    for usual, warned in ((False, False), (True, True)):
        leave(world)
        Path(place(str(world.home))).unlink(missing_ok=True)
        noted = Standing(world.home, world.corpus, as_json=True, default_options=usual)
        with world.session() as session:
            noted.before_seed(session)
            report = seed(session, SeedOptions())
            if warned:
                noted._warnings.emit(None)  # type: ignore[arg-type]
            noted.after_seed(report, _print_report)
        assert answer(world) is None


def test_settings_the_code_and_the_call_count(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    standing(world)
    for name in ("SEEDBANK_CHUNKS__CHARACTERS", "seedbank_summaries__words", "OPENAI_BASE_URL", "HTTPS_PROXY"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "700")
            assert answer(world) is None, name
    with monkeypatch.context() as patch:
        (tmp_path / "own.toml").write_text("documents_per_run = 5\n")
        patch.setenv("SEEDBANK_CONFIG", str(tmp_path / "own.toml"))
        first = called(None, None)
        (tmp_path / "own.toml").write_text("documents_per_run = 6\n")
        assert called(None, None) != first
        assert answer(world) is None
    with monkeypatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path / "missing"))
        assert answer(world) is None
    home, view = home_of(str(world.home)), view_of(as_json=True)
    assert find(place(home), called(str(world.home), None), home, view) is None
    assert find(place(home), called(str(world.home), str(world.corpus)), home, view_of(as_json=False)) is None
    with monkeypatch.context() as patch:
        root = tmp_path / "project"
        (root / "cli").mkdir(parents=True)
        module = root / "cli/main.py"
        module.write_text("version = 1\n")
        patch.setattr(standing_answer, "PACKAGES_FOLDER", str(root))
        patch.setattr(standing_answer, "_PACKAGES", ("cli",))
        before = called(None, None)
        time.sleep(_REST_SECONDS)
        module.write_text("version = 2\n")
        assert called(None, None) != before
    assert answer(world) is not None


def test_the_files_of_a_local_model_count(world: World, tmp_path: Path) -> None:
    """They lie outside of the home and of the corpus, and decide the keys of all vectors."""
    model = write_model(tmp_path / "model")
    world.change = lambda pipeline: pipeline.with_resources(embedder=LocalModelEmbedder(model))
    changes: tuple[Callable[[], object], ...] = (
        lambda: write_model(model, seed=1),
        lambda: write_json(model / "config_sentence_transformers.json", {"prompts": {"passage": "passage: "}}),
        lambda: shutil.copy(write_model(tmp_path / "graph", weights="model.onnx") / "model.onnx", model / "onnx"),
    )
    (model / "onnx").mkdir()
    for change in changes:
        standing(world)
        change()
        assert answer(world) is None


def test_an_answer_that_is_damaged_or_of_another_version_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    standing(world)
    file = Path(place(str(world.home)))
    whole = file.read_bytes()
    for at in range(0, len(whole), 7):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert answer(world) is None, at
    for damaged in (b"", whole[:64], whole[:-1], whole + b"\0"):
        file.write_bytes(damaged)
        assert answer(world) is None
    file.write_bytes(whole)
    assert answer(world) is not None
    monkeypatch.setattr(standing_answer, "_FORMAT", "2")
    assert answer(world) is None


def test_only_the_usual_seed_is_answered() -> None:
    assert _options(["seed"]) == (None, None, False)
    assert _options(["seed", "--json", "--home", "h", "--corpus=c"]) == ("h", "c", True)
    others = ("--verify", "--no-cache", "--recluster", "--rebuild-sink", "--retry-failed", "--cache-only")
    others += ("--allow-removals", "--rebind", "--help")
    for other in others:
        assert _options(["seed", other]) is None
    for arguments in (
        ["plan"],
        ["status"],
        [],
        ["seed", "--stages", "chunks"],
        ["seed", "--documents=a"],
        ["seed", "x"],
    ):
        assert _options(arguments) is None
    for arguments in (["seed", "--home"], ["seed", "--home="], ["seed", "--home", "--json"]):
        assert _options(arguments) is None


@pytest.mark.integration
def test_the_command_answers_without_importing_what_plans(tmp_path: Path, own_environment: None) -> None:
    keep_new_files_private()
    corpus, home = tmp_path / "corpus", tmp_path / "home"
    for name in ("flour", "points", "corals"):
        corpus.mkdir(exist_ok=True)
        (corpus / f"{name}.md").write_text(essay(name))
    (corpus / "empty.txt").write_text("")
    program = (
        "import sys\nfrom resources.corpus import corpus_index\nfrom seed_assets.seeding import standing_answer\n"
        f"standing_answer._CODE_SETTLED_NS = 0\nstanding_answer._SETTLED_NS = corpus_index._SETTLED_NS = {_NS}\n"
        "from cli.start import main\ntry:\n    main()\nfinally:\n"
        "    print('planned' if 'typer' in sys.modules else 'answered', file=sys.stderr)\n"
    )

    def run(*options: str) -> tuple[int, str, str]:
        command = [sys.executable, "-c", program, "seed", "--home", str(home), "--corpus", str(corpus), *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, check=False)
        printed = re.sub(r"in \d+\.\d s|\"seconds\": \d+\.\d+", "", done.stdout)
        return done.returncode, printed, done.stderr.splitlines()[-1]

    # The seed after the first one looks at Dagster's records once more, since a document has failed.
    assert seed_process.seed(home, corpus).status == 1
    time.sleep(_REST_SECONDS)
    assert run()[::2] == (1, "planned")
    time.sleep(_REST_SECONDS)
    for options in ((), ("--json",)):
        planned = run(*options)
        assert planned[2] == "planned"
        assert run(*options) == (1, planned[1], "answered")
    assert run("--verify")[2] == "planned"
    (corpus / "flour.md").write_text(essay("barley"))
    changed = run("--json")
    assert changed[2] == "planned"
    assert json.loads(changed[1].replace(", ,", ","))["stages"]["extracted_text"]["computed"] == 1


def test_a_home_that_cannot_be_used_fails_as_it_does_without_an_answer(world: World) -> None:
    """What the answer depends on is noted without opening the store, so that its errors are reported by the seed."""
    shutil.rmtree(world.home / "store")
    (world.home / "store").write_text("a file")
    noted = Standing(world.home, world.corpus, as_json=True, default_options=True)
    with world.session() as session:
        noted.before_seed(session)
        with pytest.raises(StoreError):
            seed(session, SeedOptions())
