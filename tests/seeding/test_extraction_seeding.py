"""Extractions of the settings, seeded with a model server that counts: what is asked, and what is in the table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lancedb
import pytest

from tests.support.extracting import PROPOSALS, Extracting, given_to, header_answer, properties, proposal
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer

pytestmark = [pytest.mark.integration, pytest.mark.long]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server that answers extractions from the headers of documents."""
    with ModelServer(answer=header_answer) as found:
        yield found


@pytest.fixture
def proposals(tmp_path: Path, server: ModelServer) -> Extracting:
    """Four proposals, and the settings that extract three fields."""
    made = Extracting(tmp_path, server)
    made.write("a.txt", proposal(1, author="Ada Byron, Charles Babbage", status="Final"))
    made.write("b.txt", proposal(2, author="Ada Byron", status="draft", supersedes="1, 7"))
    made.write("c.txt", proposal(3, status="Withdrawn"))
    made.write("d.txt", proposal(4, author="Grace Hopper"))
    return made


def table(world: Extracting, name: str) -> dict[str, dict[str, Any]]:
    """The rows of a table by their keys."""
    rows = lancedb.connect(world.home / "lancedb").open_table(name).to_arrow().to_pylist()
    return {row["row_id"]: row for row in rows}


def test_an_extraction_is_paid_once_and_again_only_for_what_changes(proposals: Extracting, server: ModelServer) -> None:
    """A change of the prompt or of the fields asks about every document again, and about nothing else; an edit asks about one."""
    first = proposals.seed()
    assert first.status == 0, first.printed()
    assert proposals.asked()[0] == 4
    rows = table(proposals, "proposals")
    assert rows["a.txt#0"]["author"] == ["Ada Byron", "Charles Babbage"]
    assert rows["b.txt#0"]["status"] == "Draft"
    assert rows["b.txt#0"]["supersedes"] == [1, 7]
    assert rows["c.txt#0"]["author"] is None
    text = (proposals.corpus / "b.txt").read_text()
    assert text[rows["b.txt#0"]["status_start"] :].startswith(rows["b.txt#0"]["status_quote"])

    steps: list[tuple[str, int]] = []

    def step(name: str) -> dict[str, Any]:
        before = len(server.calls)
        planned = proposals.run("plan", "--json").report["stages"]["proposals"]["requests"]
        assert len(server.calls) == before
        done = proposals.seed()
        assert done.status == 0, done.printed()
        of_extractions, others = proposals.asked(before)
        assert planned == of_extractions
        assert others == 0 or name == "edited"
        steps.append((name, of_extractions))
        return table(proposals, "proposals")

    step("again")
    proposals.prompt(
        "proposals.txt", "Find the authors, the status, and the numbers of the proposals that are superseded."
    )
    step("prompt")
    proposals.configure(f'{PROPOSALS}title = "text"\n')
    assert step("one field more")["a.txt#0"]["title"] == "Proposal 1"
    proposals.write("d.txt", proposal(4, author="Grace Hopper", status="Final"))
    assert step("edited")["d.txt#0"]["status"] == "Final"
    proposals.configure(PROPOSALS)
    assert "title" not in step("the field removed")["a.txt#0"]
    assert steps == [("again", 0), ("prompt", 4), ("one field more", 4), ("edited", 1), ("the field removed", 1)]


def test_a_new_field_that_nothing_is_found_for_is_a_column(proposals: Extracting) -> None:
    """The table has the columns that are declared, even if no value gives a reason to write it."""
    assert proposals.seed().status == 0
    proposals.configure(f'{PROPOSALS}requires = "list of integer"\n')
    assert proposals.seed().status == 0
    assert all(row["requires"] is None for row in table(proposals, "proposals").values())


def test_what_changed_is_explained_in_the_words_of_the_settings(proposals: Extracting) -> None:
    """`explain` shows the lines of the prompt that changed, and the field that came."""
    assert proposals.seed().status == 0
    proposals.prompt("proposals.txt", "Find who wrote it.")
    proposals.configure(f'{PROPOSALS}title = "text"\n')
    said = proposals.run("explain", "a.txt", "proposals").output
    assert "extract.proposals.prompt: its text changed" in said
    assert "+Find who wrote it." in said
    assert "extract.proposals.fields.title: none → text with its quotation" in said


FEELINGS = """
[extract.feelings]
prompt = "feelings.txt"
[extract.feelings.fields]
primary = ["joy", "anger", "fear"]
secondary = ["pride", "rage", "worry"]
tertiary = "text"

[extract.replies]
prompt = "replies.txt"
inputs = ["feelings.primary", "feelings.secondary", "feelings.tertiary"]
reuse = "inputs"
[extract.replies.fields]
reply = "text"
"""


def test_documents_with_equal_feelings_share_one_reply(tmp_path: Path, server: ModelServer) -> None:
    """The second stage is keyed by three values alone: equal values are one paid request, whatever else the entries say."""
    entries = Extracting(tmp_path, server, FEELINGS)
    entries.prompt("feelings.txt", "Which feelings does the entry tell of?")
    entries.prompt("replies.txt", "Write a kind reply to somebody who feels this.")
    for name, primary, secondary in [
        ("a", "joy", "pride"),
        ("b", "joy", "pride"),
        ("c", "fear", "worry"),
        ("d", "", ""),
    ]:
        entries.write(f"{name}.txt", proposal(ord(name), primary=primary, secondary=secondary))
    done = entries.seed()
    assert done.status == 0, done.printed()
    shown = [given_to(call) for call in server.calls if given_to(call)]
    assert sorted(one["feelings.primary"] for one in shown) == ["fear", "joy"]
    replies = {name: row["reply"] for name, row in table(entries, "replies").items()}
    assert replies == {
        "a.txt#0": "joy and pride",
        "b.txt#0": "joy and pride",
        "c.txt#0": "fear and worry",
        "d.txt#0": None,
    }

    spent = done.report["stages"]["replies"]["requests"], done.report["stages"]["feelings"]["requests"]
    assert spent == (2, 4)

    before = len(server.calls)
    entries.prompt("replies.txt", "Write a short reply.")
    entries.write("a.txt", proposal(99, primary="joy", secondary="pride"))
    entries.write("e.txt", proposal(5, primary="fear", secondary="worry"))
    assert entries.seed().status == 0
    assert [given_to(call) for call in server.calls[before:] if given_to(call)] == []
    assert table(entries, "replies")["e.txt#0"]["reply"] == "fear and worry"
    entries.configure(f'{FEELINGS}title = "text"\n')
    said = entries.run("explain", "a.txt", "replies").output
    assert "extract.replies: what it declares changed" in said


CHUNKS = """
[extract.doses]
prompt = "doses.txt"
rows = "many"
over = "chunks"
quotes = true
merge_by = ["drug"]
[extract.doses.fields]
drug = "text"
dose = { type = "number", unit = "mg" }
"""


def test_an_edit_of_a_long_text_asks_about_the_changed_chunk_alone(tmp_path: Path, server: ModelServer) -> None:
    """A megabyte is far beyond the context; what is found in two chunks is one row, and an edit costs one request."""
    world = Extracting(tmp_path, server, f"{CHUNKS}[chunks]\ncharacters = 20000\n")
    world.prompt("doses.txt", "Find the drugs and their doses.")
    filler = [f"Paragraph {number} says nothing about any drug. " * 40 for number in range(550)]
    lines = {10: "Drug: Aspirin", 300: "Drug: Codein", 480: "Drug: aspirin"}
    text = "\n\n".join(lines.get(number, one.strip()) for number, one in enumerate(filler))
    assert len(text) > 900_000
    world.write("long.txt", text)
    only = ("--stages", "lance_doses")
    done = world.seed(*only)
    assert done.status == 0, done.printed()
    first = world.asked()[0]
    assert first > 40
    rows = table(world, "doses")
    assert sorted(row["drug"] for row in rows.values()) == ["Aspirin", "Codein"]
    assert all(text[row["drug_start"] :].startswith(row["drug_quote"]) for row in rows.values())
    before = len(server.calls)
    world.write("long.txt", text.replace("Drug: Codein", "Drug: Morphin"))
    assert world.seed(*only).status == 0
    assert world.asked(before)[0] == 1
    assert sorted(row["drug"] for row in table(world, "doses").values()) == ["Aspirin", "Morphin"]


def test_a_blank_document_and_a_text_in_parts_cost_what_they_must(tmp_path: Path, server: ModelServer) -> None:
    """A text beyond the context is asked about in parts that give one row."""
    world = Extracting(tmp_path, server)
    world.write(
        "long.txt", f"{proposal(1, author='Ada Byron')}\n\n" + "\n\n".join(f"Line {n} of it. " * 30 for n in range(300))
    )
    small = {"environment": world.environment(LLM__CONTEXT_TOKENS="8000", LLM__MAX_OUTPUT_TOKENS="1000")}
    done = world.seed("--stages", "lance_proposals", **small)
    assert done.status == 0, done.printed()
    assert world.asked()[0] > 3
    rows = table(world, "proposals")
    assert [row["author"] for row in rows.values()] == [["Ada Byron"]]


def test_values_are_judged_like_summaries(proposals: Extracting) -> None:
    """Each value is a claim; the verdict is in the table, and a judged value that is kept costs nothing again."""
    proposals.configure(PROPOSALS.replace("quotes = true", "quotes = true\njudge = true"))
    assert proposals.seed().status == 0
    rows = table(proposals, "proposals")
    assert {row["verdict"] for row in rows.values()} == {"accept"}
    assert rows["a.txt#0"]["score"] == 1.0
    assert not rows["a.txt#0"]["needs_review"]
    shown = proposals.run("show", "a.txt", "overview", "--format", "json").report
    assert shown["value"]["added"]["proposals"] == "author: Ada Byron; author: Charles Babbage; status: Final"
    found = proposals.run("search", "what is to be done", "--where", "proposals.author=ada byron", "--json").report
    assert {one["document"] for one in found} == {"a.txt", "b.txt"}  # type: ignore[index] - a list
    done = proposals.seed()
    assert done.computed == {}


MODEL = """
from pydantic import BaseModel, Field


class Proposal(BaseModel):
    author: list[str]
    status: str = Field(max_length=5)
"""


def test_a_pydantic_model_beside_the_settings_is_as_good_as_fields(proposals: Extracting) -> None:
    """A user who has the model already declares nothing twice; its limits hold for what a model server answers."""
    proposals.prompt("my_models.py", MODEL)
    proposals.configure('[extract.proposals]\nprompt = "proposals.txt"\nschema = "my_models:Proposal"\n')
    done = proposals.seed("--stages", "lance_proposals")
    assert done.status == 0, done.printed()
    rows = table(proposals, "proposals")
    assert rows["a.txt#0"]["author"] == ["Ada Byron", "Charles Babbage"]
    assert (rows["a.txt#0"]["status"], rows["c.txt#0"]["status"]) == ("Final", None)


VALIDATED = """
from pydantic import BaseModel, field_validator, model_validator


class Proposal(BaseModel):
    author: list[str]
    status: str
    supersedes: list[int] | None = None

    @field_validator("status")
    @classmethod
    def known(cls, value: str) -> str:
        if value == "Draft":
            raise ValueError("a draft is not final")
        return value

    @model_validator(mode="after")
    def not_itself(self):
        if self.supersedes and 1 in self.supersedes and self.status == "Withdrawn":
            raise ValueError("what is withdrawn supersedes nothing")
        return self
"""
BY_MODEL = '[extract.proposals]\nprompt = "proposals.txt"\nschema = "my_models:Proposal"\n'


def corrected_answer(call: Call) -> str:
    """A model that corrects itself once it is told that a draft is not final."""
    told = "a draft is not final" in call.texts()[-1]
    return header_answer(call).replace('"Draft"', '"Final"') if told and properties(call) else header_answer(call)


def test_what_a_validator_refuses_is_asked_once_more_and_then_fails_by_name(tmp_path: Path) -> None:
    """The answer to the first question stays; a corrected validator asks only where it refuses what is kept."""
    with ModelServer(answer=corrected_answer) as server:
        world = Extracting(tmp_path, server, BY_MODEL)
        world.prompt("my_models.py", VALIDATED)
        world.write("a.txt", proposal(1, author="Ada Byron", status="Final"))
        world.write("b.txt", proposal(2, author="Ada Byron", status="Draft"))
        world.write("c.txt", proposal(3, author="Ada Byron", status="Withdrawn", supersedes="1, 7"))
        world.write("d.txt", proposal(4, author="Grace Hopper"))
        only = ("--stages", "lance_proposals")
        done = world.seed(*only)
        assert done.status == 1, done.printed()
        (failure,) = done.report["failures"]
        assert failure["document"] == "c.txt"
        assert "the row: Value error, what is withdrawn supersedes nothing" in failure["reason"]
        assert {name: row["status"] for name, row in table(world, "proposals").items()} == {
            "a.txt#0": "Final",
            "b.txt#0": "Final",
            "d.txt#0": None,
        }
        asked = len(server.calls)
        assert asked == 4 + 1 + 2, "b is corrected at once, c is given up after the second time"

        assert world.seed(*only).status == 1
        assert len(server.calls) == asked, "the failure is remembered"

        world.prompt("my_models.py", VALIDATED.replace('== "Withdrawn"', '== "Rejected"'))
        assert world.seed(*only).status == 0
        assert table(world, "proposals")["c.txt#0"]["supersedes"] == [1, 7]
        # c has an answer that is right now. The correction of b belongs to the earlier code, and is asked for again.
        assert len(server.calls) == asked + 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("return 1 / 0", "the validators of my_models:Proposal failed: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "the validators of my_models:Proposal failed: SystemExit: 3"),
    ],
)
def test_a_validator_whose_code_fails_fails_the_document_and_pays_once(tmp_path: Path, wrong: str, said: str) -> None:
    with ModelServer(answer=header_answer) as server:
        world = Extracting(tmp_path, server, BY_MODEL)
        world.prompt("my_models.py", VALIDATED.replace("return value", wrong))
        world.write("a.txt", proposal(1, author="Ada Byron", status="Final"))
        world.write("d.txt", proposal(4, author="Grace Hopper"))
        done = world.seed("--stages", "lance_proposals")
        assert [(one["document"], said in one["reason"]) for one in done.report["failures"]] == [("a.txt", True)]
        world.prompt("my_models.py", VALIDATED)
        assert world.seed("--stages", "lance_proposals").status == 0
        assert len(server.calls) == 2
