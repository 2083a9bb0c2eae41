"""Examples from accepted results: what a model is shown, what is asked again, and what is erased."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.canaries import canaries
from tests.support.extracting import PROPOSALS, Extracting, header_answer, properties, proposal
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer
from tests.support.seed_process import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.long]

IMPORTS = """from typing import Annotated

from pydantic import BaseModel
from seedbank.stages import ExtractedText, Prompted, PromptedModel, Reuse, ShownExamples, value_stage


class Tone(BaseModel):
    tone: str
"""
JUDGED = PROPOSALS.replace("quotes = true", "quotes = true\njudge = true")
_EXAMPLE = re.compile(r'<exampledocument of="Proposal (\d+)">')
_DOCUMENT = re.compile(r"^Title: Proposal (\d+)$", re.MULTILINE)


def answer(call: Call) -> str:
    """An answer whose summary is in words of its own, so that it is not copied."""
    found = json.loads(said) if (said := header_answer(call)).startswith("{") else said
    if isinstance(found, dict) and "summary" in found:
        found["summary"] = f"Something is proposed, as these words show: {' '.join(found['summary'].split()[::3])}."
    return json.dumps(found) if isinstance(found, dict) else found


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(answer=answer) as found:
        yield found


@pytest.fixture
def world(tmp_path: Path, server: ModelServer) -> Extracting:
    """Six proposals of different subjects, with an extraction that is judged."""
    made = Extracting(tmp_path, server, JUDGED)
    for number, subject in enumerate(("bees", "ships", "bread", "clocks", "rivers", "stars")):
        made.write(f"n{number}.txt", document(number, subject))
    return made


def document(number: int, subject: str) -> str:
    text = proposal(number, author=f"Ada {number}", status="Final")
    return f"{text}\nIt is about {subject}, and says of {subject} what nobody has said about {subject} before. "


def showing(world: Extracting, show: str, more: str = "") -> None:
    world.configure(f"{JUDGED}\n[examples]\nshow = {show}\n{more}")


def seeded(world: Extracting) -> dict[str, int]:
    """Seed, and return how many results of each stage were computed."""
    done = world.seed()
    assert done.status == 0, done.printed()
    return {name: found["computed"] for name, found in done.report["stages"].items() if found["computed"]}


def freeze(world: Extracting, stage: str, *arguments: str) -> dict[str, Any]:
    done = world.run("examples", "freeze", stage, *arguments, "--json")
    assert done.status == 0, done.printed()
    return done.report


def listed(world: Extracting, stage: str) -> list[str]:
    return [one["document"] for one in world.run("examples", "list", "--json").report[stage]["examples"]]


def shown(server: ModelServer, since: int) -> dict[int, list[int]]:
    """Which examples each question after the first so many showed, by the numbers of the proposals."""
    found: dict[int, list[int]] = {}
    for call in server.calls[since:]:
        user = call.texts()[-1]
        if "exampledocument" in call.texts()[0]:
            found[int(_DOCUMENT.findall(user)[-1])] = [int(number) for number in _EXAMPLE.findall(user)]
    return found


def test_a_selection_asks_again_only_where_other_examples_are_shown(world: Extracting, server: ModelServer) -> None:
    """A new document, an unchanged selection and a seed with nothing to do invalidate nothing."""
    seeded(world)
    first = freeze(world, "summaries", "--limit", "3")
    assert (first["version"], first["examples"], first["accepted"]) == (1, 3, 6)
    assert seeded(world) == {}

    showing(world, "{ summaries = 2 }")
    planned = world.run("plan", "--json").report["stages"]
    asked = len(server.calls)
    computed = seeded(world)
    assert (computed["summaries_examples"], computed["summaries"]) == (6, 6)
    assert "concepts" not in computed
    assert "proposals" not in computed
    seen = shown(server, asked)
    selected = {int(name[1]) for name in listed(world, "summaries")}
    assert seen.keys() == set(range(6))
    for number, examples in seen.items():
        assert len(examples) == 2
        assert number not in examples
        assert set(examples) <= selected
    assert planned["summaries"]["requests"] == 6

    world.write("new.txt", document(9, "bees and honey"))
    asked = len(server.calls)
    computed = seeded(world)
    assert (computed["summaries_examples"], computed["summaries"]) == (1, 1)
    assert list(shown(server, asked)) == [9]

    # One more example: others are chosen only for documents that it is nearer to.
    before = set(listed(world, "summaries"))
    after = freeze(world, "summaries", "--limit", "4")
    assert (after["version"], after["examples"]) == (2, 4)
    now = set(listed(world, "summaries"))
    documents = {path.name for path in world.corpus.iterdir()}
    # What is of the document itself is not in its key.
    looking = {name for name in documents if before - {name} != now - {name}}
    came = {9 if name == "new.txt" else int(name[1]) for name in now - before}
    explained = world.run("explain", min(looking), "summaries_examples")
    assert "examples.file" in explained.output
    asked = len(server.calls)
    computed = seeded(world)
    assert computed["summaries_examples"] == len(looking)
    changed = shown(server, asked)
    assert computed.get("summaries", 0) == len(changed)
    assert all(set(examples) & came for examples in changed.values())
    assert seeded(world) == {}


def test_extractions_and_concepts_show_examples_as_a_model_answers_them(world: Extracting, server: ModelServer) -> None:
    seeded(world)
    for stage in ("concepts", "proposals"):
        freeze(world, stage)
    showing(world, "{ concepts = 1, proposals = 3 }")
    asked = len(server.calls)
    computed = seeded(world)
    assert (computed["concepts"], computed["proposals"]) == (6, 6)
    calls = [call for call in server.calls[asked:] if properties(call)]
    assert len(calls) == 6
    for call in calls:
        answers = re.findall(r"<exampleanswer>\n(.*?)\n</exampleanswer>", call.texts()[-1], re.DOTALL)
        assert len(answers) == 3
        for one in map(json.loads, answers):
            assert list(one) == ["author", "status", "supersedes"]
            assert one["status"]["quote"] == "Status: Final"


def test_what_is_erased_was_in_the_selection_and_in_results_of_others(world: Extracting, server: ModelServer) -> None:
    """The text of an erased document was shown for other documents, and is in the values that say so."""
    world.write("secret.txt", f"{document(8, 'bees')}\nThe zqvxword stands here.")
    seeded(world)
    freeze(world, "summaries")
    showing(world, "{ summaries = 3 }")
    asked = len(server.calls)
    seeded(world)
    others = [number for number, examples in shown(server, asked).items() if 8 in examples]
    assert others
    # In the selection, in the results of others, and decompressed in the store.
    assert len(canaries(world.home, "zqvxword")) > 2

    # Also after nothing is shown any more.
    # The selection of the home is left when the settings name another file.
    named = world.folder / "chosen.json"
    shutil.copy(world.home / "examples.json", named)
    world.configure(f"{JUDGED}\n[examples]\nfile = '{named}'\n")
    looked = world.run("forget", "secret.txt", "--dry-run", "--json").report
    assert looked["erased"]["examples"] == 2
    assert looked["computed_again"]["summaries"]["results"] == len(others)
    (world.corpus / "secret.txt").unlink()
    done = world.run("forget", "secret.txt", "--yes", "--json")
    assert done.status == 0, done.printed()
    assert canaries(world.home, "zqvxword") == set()
    assert "zqvxword" not in named.read_text()
    assert "secret.txt" not in listed(world, "summaries")
    showing(world, "{ summaries = 3 }")
    asked = len(server.calls)
    assert seeded(world)["summaries_examples"] == 6
    assert all(8 not in examples for examples in shown(server, asked).values())


@pytest.mark.parametrize(
    ("show", "said"),
    [
        ("{ summaries = 2 }", "has no examples of summaries. Run `seedbank examples freeze summaries`"),
        ("{ summary = 2 }", "examples.show names 'summary', which cannot show examples. Did you mean summaries?"),
        ("{ chunks = 2 }", "These stages can: summaries, concepts, proposals."),
        ("{ summaries = 0 }", "1 to 20 examples can be shown"),
    ],
)
def test_settings_that_cannot_be_are_refused(world: Extracting, show: str, said: str) -> None:
    showing(world, show)
    done = world.seed()
    assert done.status == 2
    assert said in done.errors
    assert not world.server.calls


def test_what_cannot_be_an_example_is_not_frozen(world: Extracting, server: ModelServer) -> None:
    """An extraction without a judge, a stage that does not exist, results that were copied, and a file that is damaged."""
    world.configure(PROPOSALS)
    done = world.run("examples", "freeze", "summaries")
    assert done.status == 2
    assert "Nothing is seeded" in done.errors
    seeded(world)
    for stage, said in {
        "proposals": "Set `judge = true` in [extract.proposals]",
        "summarie": "Did you mean summaries?",
        "embeddings": "These stages can: summaries, concepts, proposals.",
    }.items():
        done = world.run("examples", "freeze", stage)
        assert done.status == 2
        assert said in done.errors
    done = world.run("examples", "freeze", "summaries", "--characters", "100")
    assert "6 of documents that are empty or have more than 100 characters" in done.errors
    assert not (world.home / "examples.json").exists()
    done = world.run("examples", "freeze", "summaries", environment=world.environment(LLM__PROVIDER="extractive"))
    assert "No stage can without a model" in done.errors

    freeze(world, "summaries")
    (world.home / "examples.json").write_text('{"format": 1, "stages"')
    showing(world, "{ summaries = 1 }")
    done = world.seed()
    assert done.status == 2
    assert "is damaged" in done.errors


def test_a_stage_of_the_user_shows_the_examples_of_another_one(world: Extracting, server: ModelServer) -> None:
    """As docs/examples.md has it."""
    seeded(world)
    freeze(world, "summaries")
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "examples.md").read_text(), re.DOTALL)[0]
    world.prompt("tones.py", f"{IMPORTS}\n\n{code}")
    world.prompt("tones.md", "Describe the tone of this document in one word.\n\n{text}")
    showing(world, "{ summaries = 2 }", '[stages]\nmodules = ["tones"]\n')
    asked = len(server.calls)
    assert seeded(world)["tones"] == 6
    own = [call for call in server.calls[asked:] if "the tone of this document" in call.texts()[-1]]
    assert len(own) == 6
    assert all(len(_EXAMPLE.findall(call.texts()[-1])) == 2 for call in own)
    assert seeded(world) == {}
