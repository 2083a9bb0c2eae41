"""`seedbank cache stats`: the account in every form in which it is printed, and what `plan` expects from it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.costs.prometheus import write_metrics
from cli.main import app
from io_managers.store.account import Account, Spent
from io_managers.store.account_metrics import metrics_of
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import KeyTemplate
from io_managers.store.refs import Ref
from io_managers.store.request_ledger import Attempt, Saving
from resources.endpoints.llm import Usage
from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from seed_assets.memo.accounts import provenance_of, shares_of, worth_of
from seed_assets.planning.experience import Experience
from seed_assets.session.session import Session

FIRST_DAY = 20_000 * 86_400.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of which only the store exists: two days, two stages, two models, of which one has no known price."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("# A\n\nA text about bread.\n")
    settings = load_settings({"home": tmp_path / "home", "corpus": corpus})
    session = Session(settings)
    session.home.bind(corpus)
    for day, stage, model, outcome, usd in (
        (0, "summaries", "writer-1", "answered", 0.25),
        (0, "summaries", "writer-1", "answered", 0.25),
        (1, "summaries", "writer-1", "wrong shape", 0.125),
        (1, "concepts", "writer-2", "answered", None),
    ):
        attempt = Attempt("k", stage, model, outcome, "", 0.5 + day, 100, 10, usd)
        row = (*(getattr(attempt, name) for name in Attempt.__struct_fields__[:-1]), FIRST_DAY + day * 86_400)
        session.store.database.write(("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [row]))
    action = KeyTemplate("summaries", {"version": "1"}).action({"input": 1})
    (digest,) = session.store.commit([(action, "value", Provenance(requests=2, usd=0.5, model="writer-1"))]).result()
    session.store.refs.publish([Ref("summaries", "a.md", action.key, digest)])
    session.store.requests.save([Saving("summaries", "writer-1", 3, 6, 600, 60, 1.5)])
    session.store.database.write().result()
    session.close()
    monkeypatch.setenv("COLUMNS", "80")
    return settings.home


def stats(home: Path, *arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["cache", "stats", "--home", str(home), *arguments])
    assert done.exit_code == status, done.output
    return done.output


def test_the_account_is_shown_in_eighty_columns_with_hits_and_waste(home: Path) -> None:
    printed = stats(home)
    assert "wrong shape; wasted on it: 110 tokens, 0.1250 dollars." in printed
    assert [line.split() for line in printed.splitlines() if line.startswith("summaries, writer-1  ")] == [
        ["summaries,", "writer-1", "3", "330", "0.6250", "0.50", "0.50", "0.50"],
        ["summaries,", "writer-1", "6", "660", "1.50", "3", "1", "75.0%"],
    ]
    assert "concepts, writer-2" in printed
    assert "unknown" in printed
    assert max(len(line) for line in printed.splitlines() if "wasted on" not in line) <= 80


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("day", [("2024-10-04",), ("2024-10-05",)]),
        ("stage", [("concepts",), ("summaries",)]),
        ("model", [("writer-1",), ("writer-2",)]),
        ("model,day", [("2024-10-04", "writer-1"), ("2024-10-05", "writer-1"), ("2024-10-05", "writer-2")]),
    ],
)
def test_the_account_is_broken_down_by_what_is_asked_for(home: Path, by: str, names: list[tuple[str, ...]]) -> None:
    rows = list(csv.reader(io.StringIO(stats(home, "--by", by, "--format", "csv"))))
    keys = [key for key in ("day", "stage", "model") if key in by]
    found = [tuple(row[: len(keys)]) for row in rows[1:]]
    assert rows[0][: len(keys) + 1] == [*keys, "requests"]
    # What was saved just now is of another day than the requests.
    assert [name for name in found if name[0] < "2025"] + [n for n in found if n[0] >= "a"] == names
    assert sum(int(row[len(keys)]) for row in rows[1:]) == 4


def test_csv_and_json_have_the_same_figures(home: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(stats(home, "--format", "csv"))))
    models: list[dict[str, Any]] = json.loads(stats(home, "--format", "json"))["models"]
    assert json.loads(stats(home, "--json"))["models"] == models
    for row, found in zip(rows, models, strict=True):
        assert (row["stage"], row["model"]) == (found["stage"], found["model"])
        assert float(row["usd"]) == found["usd"]
        assert float(row["wasted_usd"]) == found["wasted"]["usd"]
        assert float(row["saved_usd"]) == found["saved"]["usd"]
        assert (int(row["hits"]), int(row["misses"])) == (found["hits"], found["misses"])
        assert float(row["p95_seconds"]) == found["latency_seconds"]["p95"]


def test_an_unknown_breakdown_is_refused_with_those_that_there_are(home: Path) -> None:
    assert "day, stage, model" in stats(home, "--by", "week", status=2)


def test_the_metrics_are_written_as_a_whole_for_other_users(home: Path, tmp_path: Path) -> None:
    """The collector of Prometheus runs as another user, and reads the file at any moment."""
    path = tmp_path / "metrics" / "seedbank.prom"
    stats(home, "--prometheus", str(path))
    lines = path.read_text().splitlines()
    assert 'seedbank_model_requests_total{stage="summaries",model="writer-1",outcome="answered"} 2' in lines
    assert 'seedbank_model_usd_total{stage="summaries",model="writer-1"} 0.625' in lines
    assert 'seedbank_saved_usd_total{stage="summaries",model="writer-1"} 1.5' in lines
    assert 'seedbank_model_seconds{stage="summaries",model="writer-1",quantile="0.95"} 0.5' in lines
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in path.parent.iterdir()] == ["seedbank.prom"]


def test_a_name_with_quotation_marks_does_not_break_the_metrics() -> None:
    account = Account("", "summaries", 'a "b"\\c\nd', requests=1, outcomes={"answered": 1})
    text = metrics_of([account])
    assert 'model="a \\"b\\"\\\\c\\nd"' in text
    assert all(line.startswith(("#", "seedbank_")) for line in text.splitlines())


def test_metrics_that_cannot_be_written_are_an_error_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"seedbank\.prom"):
        write_metrics(tmp_path / "file" / "seedbank.prom", [])


class Priced:
    """An endpoint with a price."""

    model = "writer-1"

    class price:  # noqa: N801
        @staticmethod
        def usd(tokens: Any) -> float:
            return tokens.input * 0.001


def test_what_is_expected_is_the_mean_of_what_such_results_have_cost(home: Path) -> None:
    session = Session(load_settings({"home": home}))
    try:
        experience = Experience(session.store)
        # One result took three requests, of which one gave no usable answer.
        found = experience.expected("summaries", 10, [Priced()])  # type: ignore[list-item]
        assert found is not None
        assert (found.requests, found.input_tokens, found.output_tokens) == (30, 3000, 300)
        assert found.usd == pytest.approx(3.0)
        assert experience.expected("judgements", 10, [Priced()]) is None  # type: ignore[list-item]
    finally:
        session.close()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_the_shares_of_a_batch_add_up_to_what_it_cost(count: int) -> None:
    """The first vector bore the cost of all, so that an edited document saved everything or nothing."""
    paid = Usage(1, 1001, 10, 0.123456789, 0, "m")
    total = Usage()
    for share in shares_of(paid, count):
        total.add(share)
    assert (total.requests, total.input_tokens, total.output_tokens) == (1, 1001, 10)
    assert total.usd == pytest.approx(paid.usd, abs=1e-12)


def test_what_was_found_inside_is_part_of_what_a_result_is_worth() -> None:
    paid, reused = Usage(1, 100, 10, 0.5, 0, "m"), Usage(2, 200, 20, 1.0, 0, "m")
    worth = worth_of(provenance_of(paid, 1.0, "", (), reused, [3.0, 1.0, 2.0]))
    assert (worth.requests, worth.input_tokens, worth.output_tokens, worth.usd) == (3, 300, 30, 1.5)
    assert provenance_of(paid, 1.0, "", (), reused, [3.0, 1.0, 2.0]).latencies == (2.0, 3.0, 3.0)
    assert Spent(1, 2, 3).tokens == 5
