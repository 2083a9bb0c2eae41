"""Filters of a search, and passages that are nearly the same.

What belongs here: what may be found, and what is folded. What does not: ranking (test_search), and options of the command
(tests/cli/test_search_results).
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resources.errors import ConfigurationError
from resources.models.embedder import WordLlamaEmbedder
from resources.tables.lance import LanceTables
from resources.tables.lance_indexes import ensure_indexes
from resources.tables.lance_schema import TABLES
from retrieval.filters import Filters
from retrieval.near_duplicates import groups
from retrieval.passage_features import Passages, features_of
from retrieval.search import Searcher
from tests.retrieval.test_search import plant

DAYS = {"old.md": dt.date(2020, 1, 1), "new.md": dt.date(2026, 5, 17)}


@pytest.fixture(scope="module")
def embedder() -> WordLlamaEmbedder:
    return WordLlamaEmbedder()


def row(table: str, **values: Any) -> dict[str, Any]:
    """A row of a table in which everything else is empty."""
    empty = {"string": "", "bool": False, "int64": 0, "int32": 0, "float64": 0.0}
    return {column.name: empty.get(column.type, []) for column in TABLES[table].columns} | values


def write(tables: LanceTables, table: str, rows: list[dict[str, Any]]) -> None:
    owners = sorted({one["document_id"] for one in rows})
    tables.write(table, pa.Table.from_pylist(rows, TABLES[table].schema(0)), owners)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, embedder: WordLlamaEmbedder) -> LanceTables:
    """400 documents on harbours that fill every place in a result, and few others, that are far less like a query."""
    tables = LanceTables(tmp_path_factory.mktemp("filtered") / "lancedb")
    texts = {
        f"ports/{number:03}.md": [f"The harbour of port {number} has a quay and a crane."] for number in range(700)
    }
    texts |= {
        "o'brien/ship's log.txt": ["A ship went home in the rain."],
        "rails/points.html": ["A signal box sets the points."],
        "old.md": ["Bread is baked in an oven."],
        "new.md": ["Corals build reefs."],
    }
    plant(tables, embedder, texts)
    formats = {".md": "markdown", ".txt": "text", ".html": "html"}
    write(tables, "documents", [row("documents", document_id=d, format=formats[Path(d).suffix]) for d in texts])
    named = [("old.md", "sourdough"), ("new.md", "coral reef"), ("rails/points.html", "signal box")]
    write(tables, "concepts", [row("concepts", concept_id=f"{d}#0", document_id=d, name=name) for d, name in named])
    placed = [("old.md", "topic/1"), ("new.md", "topic/2"), ("rails/points.html", None)]
    write(
        tables,
        "document_clusters",
        [row("document_clusters", placement_id=f"{d}#topic", document_id=d, cluster_id=c) for d, c in placed],
    )
    ensure_indexes(tables)
    return tables


@pytest.fixture
def searcher(tables: LanceTables, embedder: WordLlamaEmbedder) -> Searcher:
    def modified_at() -> dict[str, float]:
        noon = dt.time(12)
        return {name: dt.datetime.combine(day, noon).timestamp() for name, day in DAYS.items()}

    return Searcher(tables, embedder, modified_at=modified_at)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(folders=("rails",)), {"rails/points.html"}),
        (Filters(documents=("old.md", "o'brien/ship's log.txt")), {"old.md", "o'brien/ship's log.txt"}),
        (Filters(documents=("old.md",), formats=("html",)), set()),
        (Filters(folders=("./rails/", "o'brien")), {"rails/points.html", "o'brien/ship's log.txt"}),
        (Filters(formats=("html",)), {"rails/points.html"}),
        (Filters(formats=(".TXT", "HTML")), {"rails/points.html", "o'brien/ship's log.txt"}),
        (Filters(formats=("pdf",)), set()),
        (Filters(concepts=("Coral  Reef", "sourdough")), {"old.md", "new.md"}),
        (Filters(clusters=("topic/1", "topic/2")), {"old.md", "new.md"}),
        (Filters(clusters=("topic/1",), concepts=("coral reef",)), set()),
        (Filters(since=dt.date(2026, 5, 17)), {"new.md"}),
        (Filters(since=dt.date(2026, 5, 18)), set()),
        (Filters(formats=("md",), since=dt.date(2000, 1, 1)), {"old.md", "new.md"}),
        (Filters(where=("concepts.name=sourdough",)), {"old.md"}),
        (Filters(where=("concepts.name=sourdough", "concepts.name=coral reef")), set()),
    ],
)
def test_a_narrow_filter_finds_all_that_pass_it(searcher: Searcher, filters: Filters, found: set[str]) -> None:
    """A filter after the search would leave nothing: 700 chunks fit this query better than those that pass."""
    assert {hit.document for hit in searcher.search("harbour with a quay and a crane", 10, filters)} == found


def test_ten_results_come_back_through_a_filter(searcher: Searcher) -> None:
    hits = searcher.search("bread from an oven", 10, Filters(folders=("ports",)))
    assert len(hits) == 10
    assert {hit.document.partition("/")[0] for hit in hits} == {"ports"}
    assert searcher.search("harbour", 10, Filters(folders=(".",))) == searcher.search("harbour", 10)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (Filters(folders=("port",)), "No document is in the folder 'port'. Did you mean ports?"),
        (Filters(documents=("olds.md",)), "There is no document 'olds.md'. Did you mean old.md?"),
        (Filters(documents=("x\0\udcff\n'; --",)), "There is no document"),
        (Filters(concepts=("x\0\udcff'; --",)), "There is no concept"),
        (Filters(clusters=("x\0\udcff'; --",)), "There is no cluster"),
        (Filters(formats=("htm1",)), "There is no format 'htm1'. Did you mean"),
        (Filters(concepts=("coral reefs",)), "There is no concept 'coral reefs'. Did you mean coral reef?"),
        (Filters(concepts=("coral reef", "o'brien")), 'There is no concept "o\'brien".'),
        (Filters(clusters=("topic/3",)), "There is no cluster 'topic/3'. Did you mean topic/"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest_names(searcher: Searcher, filters: Filters, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        searcher.search("harbour", 10, filters)
    assert said in str(refused.value)


def test_times_that_are_not_known_are_an_error(tables: LanceTables, embedder: WordLlamaEmbedder) -> None:
    with pytest.raises(ConfigurationError, match="times of the files"):
        Searcher(tables, embedder).search("harbour", 1, Filters(since=dt.date(2020, 1, 1)))


@pytest.mark.slow
def test_copies_are_folded_and_the_place_goes_to_other_passages(tmp_path: Path, embedder: WordLlamaEmbedder) -> None:
    """With 300 copies of a notice, a search had no place for anything else."""
    notice = (
        "This notice must stand at the end of each copy of the harbour rules, in full and without any change. Whoever "
        "prints the rules, or a part of them, also prints the name of the harbour master and the day on which they began."
    )
    texts = {f"copies/{number:03}.md": [notice] for number in range(300)}
    texts["edited.md"] = [notice.replace("in full", "in whole")]
    texts |= {f"own/{number}.md": [f"The harbour office of pier {word} opens."] for number, word in enumerate("abc")}
    tables = LanceTables(tmp_path / "lancedb")
    plant(tables, embedder, texts)
    ensure_indexes(tables)
    searcher = Searcher(tables, embedder)
    assert len({hit.text for hit in searcher.search("notice of the harbour rules", 4)}) < 4
    hits = searcher.search("notice of the harbour rules", 4, fold=True)
    assert len({hit.text for hit in hits}) == 4
    (of_notice,) = [hit for hit in hits if hit.alike]
    folded = {of_notice.document, *(one.document for one in of_notice.alike)}
    assert folded == {name for name in texts if not name.startswith("own/")}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_rows_of_one_table_with_other_numbers_are_not_the_same(embedder: WordLlamaEmbedder) -> None:
    """They share most of their words."""
    texts = [
        "\n".join(f"| Gate {number * 7 + of} | {number * 31 % 97} m | open |" for number in range(20)) for of in (1, 4)
    ]
    texts += [texts[0].replace("open", "open", 1), "", "", "x", "x"]
    rows = pa.Table.from_pylist([features_of(text, embedder).columns for text in texts])
    assert groups(Passages.of_rows(rows), range(7)) == [[0, 2], [1], [3], [4], [5, 6]]


def test_the_parts_of_a_score_are_its_sum(searcher: Searcher) -> None:
    for hit in searcher.search("harbour crane", 5):
        assert sum(hit.parts) == pytest.approx(hit.score, abs=1e-5)
        assert all(0 <= part <= most + 1e-9 for part, most in zip(hit.parts, (0.4, 0.2, 0.2, 0.2), strict=True))


def test_filters_are_values() -> None:
    assert not Filters()
    assert Filters(folders=("a",)) == Filters(folders=("a",))
    assert replace(Filters(), formats=("pdf",))
