"""What Dagster's pages show of results and tables, and that it is safe and of limited size.

What belongs here: texts, tables and pictures as metadata. What does not: the metadata of every result
(tests/io_managers/test_io_manager), and states (test_truth).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from event_log.home import open_instance
from resources.settings.config import load_settings
from resources.tables.lance_schema import TABLES
from resources.wording import cut_at_word
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import PREVIEW_CHARACTERS, Stage, Units
from seed_assets.orchestration.assets import build_assets
from seed_assets.orchestration.page_metadata import clusters_metadata, markdown_table, page_metadata
from seed_assets.orchestration.table_metadata import table_contents, table_definition
from seed_assets.wiring import build_pipeline
from tests.support.pipelines import SINKS, World, essay

EVIL = "a | b `c` <img src=x> https://evil.example \x1b[31m\u202etxt.exe"


def stage(name: str) -> Stage:
    return build_pipeline(load_settings()).stages[name]


def showing(units: Units, **shown: Any) -> Stage:
    return replace(stage("summaries"), units=units, show=lambda value: shown)


def test_a_table_shows_texts_literally() -> None:
    """A bar in a text would begin another cell, and an address would become a link."""
    table = markdown_table(["claim", "count"], [(EVIL, 1_234), ("two\nlines", 2)], 10, 200)
    lines = (table.md_str or "").splitlines()
    assert lines[:2] == ["| claim | count |", "| --- | --- |"]
    assert lines[2].count("|") - lines[2].count(r"\|") == 3
    assert lines[2].startswith("| ``a \\| b `c` <img src=x> https://evil.example ")
    assert lines[3] == "| `two lines` | 2 |"
    assert not {*lines[2]} & {"\x1b", "\u202e"}


@pytest.mark.parametrize(("units", "rows"), [(Units.DOCUMENTS, 6), (Units.CLUSTER_TYPES, 100), (Units.CORPUS, 100)])
def test_texts_and_tables_are_of_limited_length(units: Units, rows: int) -> None:
    """Each document has a page in the event log: 10,000 documents with long texts would fill it."""
    table = ShownTable(("claim",), [("word " * 1_000,)] * 1_000)
    shown = page_metadata(showing(units, text="word " * 10_000, table=table, number=3), None)
    assert shown["number"] == 3
    assert shown["text"].endswith(" word…")
    assert len(shown["text"]) <= 1_500
    lines = shown["table"].md_str.splitlines()
    assert lines[-1] == f"and {1_000 - rows} more rows"
    assert len(lines) == rows + 4
    assert max(map(len, lines)) < 220


def test_the_page_of_a_cluster_type_has_a_row_for_each_cluster() -> None:
    title = replace(stage("cluster_summaries"), show=lambda value: {"title": value, "summary": f"Of {value}."})
    (shown,) = clusters_metadata(title, {"topic/1": "Reefs", "topic/2": "Rails"}).values()
    assert shown.md_str.splitlines()[2:] == [
        "| `topic/1` | `Reefs` | `Of Reefs.` |",
        "| `topic/2` | `Rails` | `Of Rails.` |",
    ]
    assert clusters_metadata(title, {}) == {}


@pytest.mark.parametrize(
    ("text", "characters", "cut"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two…"),
        ("one two three", 8, "one two…"),
        ("one two", 5, "one…"),
        ("incomprehensible", 8, "incompr…"),
        ("潮が満ちると船が港に入る。", 8, "潮が満ちると船…"),
    ],
)
def test_a_text_is_cut_at_the_end_of_a_word(text: str, characters: int, cut: str) -> None:
    assert cut_at_word(text, characters) == cut
    assert len(cut) <= characters


def test_the_columns_of_a_table_are_those_that_are_declared() -> None:
    for name in SINKS:
        own = table_definition(build_pipeline(load_settings()), stage(name))
        columns = own["dagster/column_schema"].columns
        spec = TABLES[own["dagster/table_name"]]
        assert [(c.name, c.type, c.description, c.constraints.nullable) for c in columns] == [
            (c.name, c.type, c.meaning, c.nullable) for c in spec.columns
        ]
        assert [c.name for c in columns if c.constraints.unique] == [spec.key]
    assert table_definition(build_pipeline(load_settings()), stage("summaries")) == {}
    assets = build_assets(build_pipeline(load_settings()))
    told = {
        key.to_user_string()
        for asset in assets
        for key, own in asset.metadata_by_key.items()
        if "dagster/column_schema" in own
    }
    assert told >= {*SINKS, "lance_clusters", "lance_categories", "lance_document_clusters"}


def test_a_table_that_cannot_be_read_is_no_reason_to_fail(plain_world: World, tmp_path: Path) -> None:
    """The rows are for people to look at; the run has written what it had to."""
    with plain_world.session() as session:
        sink = session.pipeline.stages["lance_chunks"]
        shown = table_contents(session.tables, sink)
        assert shown["dagster/row_count"] == len(plain_world.rows("chunks"))
        lines = shown["first_rows"].md_str.splitlines()
        assert lines[0].startswith("| chunk_id | document_id |")
        assert len(lines) == 2 + 5
        assert "`8 numbers`" in lines[2]
        for path in session.tables.folder("chunks").rglob("*.manifest"):
            path.write_bytes(b"")
        assert table_contents(session.tables, sink) == {}
        assert table_contents(session.tables, session.pipeline.stages["summaries"]) == {}


@pytest.mark.integration
def test_pages_of_a_seeded_home_show_summaries_claims_clusters_and_rows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("long.md", f"# Tides\n\nThe tide | turned at `noon`. {essay('tides', 4)}")
    world.summarizer.words = 60
    world.seed()
    monkeypatch.setenv("SEEDBANK_HOME", str(world.home))
    with open_instance() as instance:

        def latest(asset: str, partition: str | None = None) -> dict[str, Any]:
            records = dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(asset), asset_partitions=[partition] if partition else None
            )
            record = instance.fetch_materializations(records, limit=1).records[0]
            materialization = record.asset_materialization
            assert materialization is not None
            return {name: value.value for name, value in materialization.metadata.items()}

        summary = latest("summaries", "long.md")
        with world.session() as session:
            text = session.store.values("summaries", ["long.md"])["long.md"].text
        assert summary["summary"] == text
        assert len(text) > PREVIEW_CHARACTERS
        assert summary["preview"].endswith("…")
        assert text.startswith(summary["preview"][:-1])
        assert text[len(summary["preview"]) - 1].isspace()
        assert "| status | claim | passage |" in latest("judgements", "long.md")["claims"]
        assert latest("concepts", "long.md")["concepts"].count(", ") == 2
        for sink in (*SINKS, "lance_document_clusters"):
            shown = latest(sink)
            table = TABLES[sink.removeprefix("lance_")]
            assert shown["dagster/row_count"] == len(world.rows(table.name))
            assert f"| {table.key} |" in shown["first_rows"]
        clusters = latest("clusters", "topic")
        assert "| cluster | documents | members |" in clusters["members"]
        assert (
            "| id | title | summary | typical members |" in latest("cluster_summaries", "concept")["cluster_summaries"]
        )
        assert "| id | title | verdict |" in latest("cluster_judgements", "concept")["cluster_judgements"]
        assert "| category | documents | name | concepts |" in latest("categories")["categories"]
