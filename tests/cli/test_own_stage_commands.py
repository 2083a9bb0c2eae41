"""Commands with stages of the user, each in a process of its own: what they print, how they end, and what survives a kill."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from resources.settings.config import load_settings
from seed_assets.orchestration.code_location import build_definitions
from tests.support.model_answers import Call, fitting_answer
from tests.support.model_faults import Latency, always
from tests.support.model_server import ModelServer
from tests.support.own_modules import COUNTING, OwnModules, own_modules_in
from tests.support.pipelines import essay
from tests.support.seed_process import PLAIN, ROOT, Finished, Seed, committed, published, seedbank

pytestmark = pytest.mark.integration
NOISY = "import os\nprint('imported')\nos.write(1, b'written\\n')\nos.system('echo started')\n" + COUNTING.replace(
    "    return len(", "    print('computing')\n    return len("
)
# A stage that asks a model, from the example that `new stage --prompt` writes.
DOCUMENTS = 8


class Home:
    """A corpus, a home, and a seedbank.toml with modules beside it."""

    def __init__(self, folder: Path, modules: OwnModules) -> None:
        self.folder, self.modules = folder, modules
        self.home, self.corpus = folder / "home", folder / "corpus"
        self.corpus.mkdir()
        for number in range(DOCUMENTS):
            (self.corpus / f"{number}.md").write_text(essay(f"matter {number}", 1))
        self.environment = {"SEEDBANK_CONFIG": str(modules.config), "SEEDBANK_CORPUS": str(self.corpus)}

    def run(self, *arguments: str, **options: object) -> Finished:
        return seedbank(self.home, *arguments, environment=self.environment, **options)

    def start(self, *arguments: str, program: tuple[str, ...] = PLAIN) -> Seed:
        return Seed(self.home, *arguments, environment=self.environment, program=program)


@pytest.fixture
def home(tmp_path: Path, own_environment: None):
    for modules in own_modules_in(tmp_path / "mine"):
        yield Home(tmp_path, modules)


def test_json_stays_json_whatever_a_module_prints(home: Home) -> None:
    home.modules.write("my_stages", NOISY)
    home.modules.name(["my_stages"])
    done = home.run("seed", "--json", program=PLAIN)
    assert done.status == 0, done.printed()
    assert done.computed["word_count"] == DOCUMENTS
    assert {"imported", "written", "started", "computing"} <= set(done.errors.splitlines())
    shown = home.run("status", "--json")
    assert json.loads(shown.output)["counts"]["word_count"]["current"] == DOCUMENTS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 / 0\n", "line 1: 1 / 0: ZeroDivisionError"),
        ("import sys\nsys.exit(0)\n", "it ends the program"),
        ("import os\nos._exit(0)\n", "line 2: os._exit(0): it ends the program with status 0"),
        ("import time\ntime.sleep(600)\n", "was not imported within 5 seconds"),
        (COUNTING.replace("extracted_text: ExtractedText", "textt: ExtractedText"), "its input textt is no stage"),
        (COUNTING.replace("async def word_count", "async def summaries"), "the project has a stage of this name"),
    ],
)
def test_a_module_that_cannot_be_used_ends_commands_with_status_2_and_changes_nothing(
    home: Home, text: str, problem: str
) -> None:
    home.modules.write("my_stages", text)
    home.modules.config.write_text('[stages]\nmodules = ["my_stages"]\nimport_seconds = 5\n')
    for arguments in (("seed", "--json"), ("plan",)):
        done = home.run(*arguments)
        assert (done.status, done.output) == (2, ""), done.printed()
        assert problem in done.errors
        assert "Traceback" not in done.errors
    assert not (home.home / "store").exists()


@pytest.mark.parametrize("options", [[], ["--prompt"]])
def test_a_new_stage_works_with_its_test(home: Home, options: list[str]) -> None:
    made = home.run("new", "stage", "feelings", *options)
    assert made.status == 0, made.printed()
    assert 'modules = ["feelings_stage"]' in made.output
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(home.modules.folder)],
        cwd=home.modules.folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    again = home.run("new", "stage", "feelings", *options)
    assert (again.status, "already, and nothing is overwritten" in again.errors) == (2, True)
    assert home.run("new", "stage", "summaries").status == 2
    assert home.run("new", "stage", "Two-Words").status == 2
    for name in ("class", "source"):
        assert "it has a meaning of its own" in home.run("new", "stage", name).errors
    home.modules.name(["feelings_stage"])
    (home.corpus / "0.md").write_text("Due on 2026-03-01.")
    done = home.run("seed", "--json", program=PLAIN)
    assert done.status == 0, done.printed()
    left_out = done.report["own_stages"]["left_out"]
    assert list(left_out) == (["feelings", "lance_feelings"] if options else [])
    assert ("The stage feelings is left out: it asks a model" in done.errors) == bool(options)
    if not options:
        assert done.computed["lance_feelings"] == DOCUMENTS
        assert home.run("check", program=("-m", "cli.main")).status == 0


def _answer(call: Call) -> str:
    asked = "how does the author" in call.texts()[-1].lower()
    return json.dumps({"feeling": "glad", "quotation": "seen"}) if asked else fitting_answer(call)


def test_a_kill_while_a_stage_of_the_user_asks_a_model_pays_nothing_twice(home: Home) -> None:
    assert home.run("new", "stage", "feelings", "--prompt").status == 0
    with ModelServer(always(Latency(0.3)), answer=_answer) as server:
        home.modules.config.write_text(
            '[stages]\nmodules = ["feelings_stage"]\n[llm]\nprovider = "openai"\nmodel = "scripted"\nrpm = 0\n'
            f'base_url = "{server.url}/v1"\nin_flight = 1\n'
        )
        arguments = ("seed", "--json", "--stages", "lance_feelings")
        with home.start(*arguments) as killed:
            assert killed.wait_until(lambda: committed(home.home)["feelings"] >= 2)
            killed.kill()
        paid = committed(home.home)["feelings"]
        assert 2 <= paid < DOCUMENTS
        done = home.run(*arguments, program=PLAIN)
        assert done.status == 0, done.printed()
        assert published(home.home)["lance_feelings"] == DOCUMENTS
        answered = [call for call in server.calls if call.valid]
        # What was in flight when the process died was answered to nobody.
        assert len(answered) <= DOCUMENTS + 1
        asked = len(server.calls)
        assert home.run(*arguments, program=PLAIN).status == 0
        assert len(server.calls) == asked


def test_dagster_loads_the_stages_of_the_user_as_assets_with_their_checks(home: Home) -> None:
    home.modules.write("my_stages", COUNTING)
    home.modules.name(["my_stages"])
    definitions = build_definitions(load_settings({"home": home.home, "corpus": home.corpus}))
    graph = definitions.resolve_asset_graph()
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert {"word_count", "lance_word_counts"} <= names
    checks = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert ("lance_word_counts", "rows_as_published") in checks
    job = definitions.resolve_job_def("seed_documents").asset_layer.executable_asset_keys
    assert "word_count" in {key.to_user_string() for key in job}
