"""`seedbank compare`: both results side by side, sums, JSON and a page.

What belongs here: what is printed and written, and exit statuses. What does not: what is compared (tests/comparing).
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cli.explaining.compare import as_data
from cli.explaining.comparison_page import page
from cli.explaining.comparison_report import show_comparison
from cli.explaining.comparison_words import sum_sentences
from seed_assets.comparing.comparison import Comparison, DocumentComparison, Projection, Side, Spent, StageComparison
from seed_assets.core.judging.model_preference import Preference
from seed_assets.core.judging.verdicts import Judgement, Verdict
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.explaining.key_changes import Change
from tests.conftest import DOCUMENTS
from tests.support.pipelines import World
from tests.support.seed_process import PLAIN, seed, seedbank

HOSTILE = "<script>alert(1)</script> & \x1b[31m"


def side(text: str, *, usd: float = 0.0, model: str = "") -> Side:
    return Side(Summary(text), text, Spent(1 if model else 0, 500 if model else 0, usd, 0, 1.5), model)


def verdict(decision: Any, score: float, *, review: bool = False) -> Side:
    value = Judgement("It says so.", Verdict(decision, score, (), "judge"), review)
    return Side(value, decision, Spent())


def document(name: str, better: Any, before: str = "It is old.", now: str = "It is new.") -> DocumentComparison:
    summaries = StageComparison("summaries", side(before), side(now, usd=0.01, model="poet"), "1 of 3 words")
    old, new = verdict("revise", 0.5, review=True), verdict("accept", 1.0)
    judged = StageComparison("judgements", old, new, "verdict: revise → accept")
    return DocumentComparison(
        name, (summaries, judged), Preference(better, False, ("It is clearer.", "It is clearer."))
    )


COMPARISON = Comparison(
    {
        "summaries": [
            Change("summarizer.model.model", "model", "llm.model: writer → poet", "llm.model", "writer", "poet")
        ]
    },
    elsewhere=("cluster_judgements",),
    documents=[
        document("a.md", "second"),
        document("b.md", "second"),
        document(f"{HOSTILE}.md", "first", now=HOSTILE),
        DocumentComparison(
            "d.md", (StageComparison("summaries", side("It is old."), None, failure="the model refused. Wait."),)
        ),
        DocumentComparison("e.md", (StageComparison("summaries", side("It."), side("It."), ""),), None, ""),
    ],
    candidates=212,
    judge="judge",
    paid=Spent(12, 6_000, 0.12, 0, 9.0),
    paid_to_judge=Spent(6, 3_000, 0.03),
    projection=Projection(207, Spent(414, 200_000, 4.2, 0, 300.0), Spent(621, 400_000, 9.5), Spent(8, 9_000, 0.2)),
    kept=("concepts",),
)


def shown(found: Comparison, capsys: pytest.CaptureFixture[str]) -> list[str]:
    show_comparison(found)
    return capsys.readouterr().out.splitlines()


def test_results_stand_side_by_side_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown(COMPARISON, capsys)
    assert lines[0] == "llm.model: writer → poet (summaries)"
    assert lines[1] == "Computed again as well, and not part of a sample of documents: cluster_judgements."
    assert "The settings keep published results of concepts" in lines[2]
    assert lines[3] == "5 documents of 212 tried; on the left what is published."
    place = lines.index("=== a.md")
    assert lines[place + 1] == "summaries: 1 of 3 words"
    assert lines[place + 2].split("  ")[0] == "It is old."
    assert lines[place + 2].rstrip().endswith("It is new.")
    assert "judge prefers the new text: It is clearer." in lines
    assert "summaries: the model refused. Wait." in lines
    assert lines[lines.index("=== e.md") + 1] == "summaries: equal"
    table = next(place for place, line in enumerate(lines) if line.split()[:2] == ["stage", "differ"])
    figures = ["0", "→", "3", "0", "→", "1,500", "0.00", "→", "0.0300", "6.0"]
    assert lines[table + 1].split() == ["summaries", "3", "of", "4", *figures]
    assert max(map(len, lines[table : table + 3])) <= 80
    assert "\x1b" not in "".join(lines)


def test_the_sums_say_what_the_change_is_worth_and_would_cost() -> None:
    verdicts, preferences, paid, projection, elsewhere = sum_sentences(COMPARISON)
    assert verdicts == "Verdicts: accept 0 → 3, revise 3 → 0; mean score 0.50 → 1.00; to be reviewed: 3 → 0."
    assert (
        preferences == "judge prefers the new text of 2 documents, and the published one of 1; of 0 it prefers neither."
    )
    assert paid.startswith("This comparison cost $0.1200 for 12 requests, of which $0.0300 went to the judge. ")
    assert projection == (
        "For the other 207 documents, a seed is expected to cost $4.20, with 414 requests and 200,000 tokens, in proportion to "
        "the sizes of the files. The plan says at most $9.50 and 621 requests."
    )
    assert elsewhere == "For clusters and the corpus, the plan says at most $0.2000 and 8 requests more."
    costs = {"paid": Spent(2, 10, 0.0, 2), "paid_to_judge": Spent()}
    said = list(sum_sentences(replace(COMPARISON, projection=None, stopped="interrupted", **costs)))
    assert said[2].startswith("This comparison cost unknown dollars for 2 requests. ")
    assert said[-1] == "Not all documents were tried: interrupted."


def test_a_page_is_one_file_and_shows_hostile_text_as_text() -> None:
    """A document must not run a script in the browser of the one who compares."""
    written = page(COMPARISON, ["llm.model=poet", HOSTILE])
    tags: list[str] = []
    texts: list[str] = []

    class Reader(HTMLParser):
        handle_starttag: Callable[..., None] = lambda self, tag, attributes: tags.append(tag)
        handle_data: Callable[..., None] = lambda self, data: texts.append(data)

    Reader().feed(written)
    assert "script" not in tags
    assert not {"link", "img", "iframe", "a"} & set(tags)
    assert any("<script>alert(1)</script> &" in text for text in texts)
    assert "\x1b" not in written
    assert "http" not in re.sub(r"http-equiv", "", written)
    assert written.count('<div class="sides">') == 8
    assert "the model refused. Wait." in written
    assert "judge prefers the new text" in written


def test_json_has_both_sides_and_all_sums() -> None:
    data = json.loads(json.dumps(as_data(COMPARISON, ["llm.model=poet"])))
    first = data["documents"][0]
    assert first["stages"][0]["now"] == {
        "shown": "It is new.",
        "model": "poet",
        "requests": 1,
        "tokens": 500,
        "usd": 0.01,
        "unpriced_requests": 0,
        "seconds": 1.5,
    }
    assert first["preference"] == {"better": "now", "swayed": False, "reasons": ["It is clearer.", "It is clearer."]}
    assert data["preferred"] == {"now": 2, "before": 1, "swayed": 0}
    assert data["verdicts"]["before"]["revise"] == 3
    assert data["stages"]["summaries"]["documents"] == 4
    assert data["projection"]["expected"]["usd"] == 4.2
    assert data["documents"][3]["stages"][0]["failure"] == "the model refused. Wait."


@pytest.mark.integration
def test_the_command_tries_settings_writes_a_page_and_publishes_nothing(
    tmp_path: Path, empty_plain_world: World
) -> None:
    home, corpus = tmp_path / "home", empty_plain_world.corpus
    assert seed(home, corpus, program=PLAIN).status == 0
    html = tmp_path / "page.html"
    arguments = ("compare", "--set", "summaries.words=12", "--set", "chunks.characters=300", "--sample", "2")
    done = seedbank(home, *arguments, "--html", str(html), program=PLAIN)
    assert done.status == 0, done.printed()
    assert done.errors.splitlines()[0].endswith("Trying 2 documents: no request to a model. Nothing is published.")
    assert "chunks.characters: 1000 → 300 (chunks)" in done.output
    assert done.output.count("=== ") == 2
    lines = done.output.splitlines()
    table = next(place for place, line in enumerate(lines) if line.split()[:2] == ["stage", "differ"])
    assert max(map(len, lines[table : table + 5])) <= 80
    assert html.read_text().startswith("<!doctype html>")
    plan = seedbank(home, "plan", "--json", program=PLAIN)
    assert {stage["compute"] for stage in json.loads(plan.output)["stages"].values()} == {0}
    data = json.loads(seedbank(home, *arguments, "--json", program=PLAIN).output)
    assert len(data["documents"]) == 2
    assert data["candidates"] == len(DOCUMENTS)
    wrong = seedbank(home, "compare", "--set", "summaries.word=12", program=PLAIN)
    assert wrong.status == 2
    assert "there is no setting summaries.word (is summaries.words meant?)" in wrong.errors
    nothing = seedbank(home, "compare", "--set", "llm.timeout_seconds=9", program=PLAIN)
    assert (
        nothing.output
        == "No key of a stage differs from those of the published results: there is nothing to compare.\n"
    )
