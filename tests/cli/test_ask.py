"""The commands `ask` and `warm`, over a home that is seeded offline."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from cli.main import app
from resources.models.embedder import WordLlamaEmbedder
from tests.conftest import DOCUMENTS
from tests.support.pipelines import World, essay, use_in_commands

pytestmark = pytest.mark.slow

BREAD = "Sourdough bread rises for twelve hours at 20 °C. The crumb is open. The crust is baked at 240 °C."


class Bundled(WordLlamaEmbedder):
    """The bundled embedder, which remembers the texts that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str], costs: object = None) -> NDArray[np.float32]:
        self.texts += texts
        return self.embed_sync(texts)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Seeded once for all tests, who get copies of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBANK_HOME", "")
        patch.delenv("SEEDBANK_HOME")
        world = World(tmp_path_factory.mktemp("asked"), plain=True)
        world.embedder = Bundled()  # type: ignore[assignment]
        world.write("bread/sourdough.md", BREAD)
        for name in DOCUMENTS:
            world.write(name, essay(Path(name).stem))
        assert world.seed().report.exit_code == 0
        return world


@pytest.fixture
def asked(seeded: World, tmp_path: Path, own_environment: None, monkeypatch: pytest.MonkeyPatch) -> World:
    world = seeded.copy_to(tmp_path / "copy")
    world.embedder = Bundled()  # type: ignore[assignment]
    use_in_commands(world, monkeypatch)
    return world


def said(world: World, *arguments: str, status: int = 0, entered: str = "") -> str:
    done = CliRunner().invoke(app, [*arguments, "--home", str(world.home)], input=entered)
    assert done.exit_code == status, done.output
    return done.output


@pytest.mark.slow
def test_an_answer_has_numbered_sources_and_is_kept(asked: World) -> None:
    question = "How long does sourdough bread rise?"
    first, second = said(asked, "ask", question), said(asked, "ask", question)
    assert first.startswith("Sourdough bread rises for twelve hours at 20 °C. [1]\n")
    assert "[1] bread/sourdough.md, characters 0 to 48" in first
    assert ("made now" in first, "kept" in second) == (True, True)


@pytest.mark.slow
def test_an_edited_document_is_answered_from_its_new_text(asked: World) -> None:
    question = "How long does sourdough bread rise?"
    said(asked, "ask", question)
    asked.write("bread/sourdough.md", BREAD.replace("twelve", "forty"))
    assert asked.seed().report.exit_code == 0
    assert said(asked, "ask", question).startswith("Sourdough bread rises for forty hours")


@pytest.mark.slow
def test_an_answer_is_one_json_object(asked: World) -> None:
    found = json.loads(said(asked, "ask", "How long does sourdough bread rise?", "--json"))
    assert found["answer"]["citations"][0]["text"] == "Sourdough bread rises for twelve hours at 20 °C."
    assert found["cache"]["answer_hit"] is False
    assert found["answer"]["found"]


def test_the_documents_do_not_say(asked: World) -> None:
    shown = said(asked, "ask", "Who won the world cup of 1998?")
    assert shown.startswith("The documents do not say.")
    assert "nearest passages" in shown


@pytest.mark.slow
def test_a_conversation_goes_on_to_an_empty_line(asked: World) -> None:
    shown = said(
        asked, "ask", entered="How long does sourdough bread rise?\nAt which heat is its crust baked?\n\nNever asked\n"
    )
    assert "twelve hours" in shown
    assert "240 °C" in shown
    assert "Never" not in shown


def test_questions_are_answered_in_advance(asked: World, tmp_path: Path) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_text("How long does sourdough bread rise?\n\nWhat is open?\n")
    assert said(asked, "warm", str(questions)).startswith("2 questions, of which 0 had an answer")
    assert said(asked, "warm").startswith("2 questions, of which 2 had an answer")
    assert json.loads(said(asked, "warm", str(questions), "--json"))["kept"] == 2


def test_a_question_that_cannot_be_asked_leaves_the_others(asked: World, tmp_path: Path) -> None:
    """One line that is too long ended the answers to a thousand others."""
    questions = tmp_path / "questions.txt"
    questions.write_text(f"How long does sourdough bread rise?\n{'word ' * 1000}\nWhat is open?\n")
    found = json.loads(said(asked, "warm", str(questions), "--json", status=1).splitlines()[-1])
    assert (found["questions"], found["refused"]) == (2, 1)
    shown = said(asked, "ask", entered=f"{'word ' * 1000}\nHow long does sourdough bread rise?\n")
    assert "a shorter one" in shown
    assert "twelve hours" in shown


@pytest.mark.slow
def test_an_answer_is_made_from_the_documents_that_pass_the_filters(asked: World) -> None:
    question = ("ask", "How long does sourdough bread rise?")
    assert "twelve hours" in said(asked, *question, "--in", "bread", "--format", "md", "--since", "2000-01-01")
    assert "kept" in said(asked, *question, "--in", "./bread/", "--format", "MD", "--since", "2000-01-01")
    others = json.loads(said(asked, *question, "--document", "reefs/fish.txt", "--json"))
    assert {passage["document"] for passage in others["passages"]} == {"reefs/fish.txt"}
    assert others["question"]["filters"]["documents"] == ["reefs/fish.txt"]
    assert "Did you mean bread/sourdough.md" in said(asked, *question, "--document", "bread/sourdoug.md", status=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask", " "), "is empty"),
        (("ask", "word " * 1000), "a shorter one"),
        (("warm", "/nowhere/questions.txt"), "cannot be read"),
    ],
)
def test_wrong_usage_is_said_in_one_message(
    asked: World, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in said(asked, *arguments, status=2)


def test_nothing_seeded_is_said(tmp_path: Path, own_environment: None) -> None:
    done = CliRunner().invoke(app, ["ask", "What?", "--home", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert "seedbank seed" in done.output
