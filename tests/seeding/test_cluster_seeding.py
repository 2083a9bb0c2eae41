"""Seeds of small, odd and changing corpora: what clusters, categories and placements become of them, and what is kept."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resources.tables.lance import LanceTables
from seed_assets.seeding.seeding import SeedOptions
from tests.support.pipelines import OF_CORPUS, PLACING, World, essay
from tests.support.seed_process import SAMPLE, seed, seedbank

pytestmark = pytest.mark.slow

CORPUS_TABLES = ("clusters", "categories", "document_clusters")


@pytest.fixture
def world(tmp_path: Path, own_environment: None) -> World:
    made = World(tmp_path, plain=True)
    made.corpus.mkdir()
    return made


def rows(world: World, table: str) -> list[dict[str, Any]]:
    """None as well where no row was ever written, and so no table made."""
    there = LanceTables(world.home / "lancedb").version(table) is not None
    return world.rows(table) if there else []


def placements(world: World, cluster_type: str) -> dict[str, str | None]:
    """Document -> its cluster."""
    found = rows(world, "document_clusters")
    return {row["document_id"]: row["cluster_id"] for row in found if row["cluster_type"] == cluster_type}


def clusters(world: World, cluster_type: str) -> dict[str, list[str]]:
    """Cluster -> its members."""
    found = rows(world, "clusters")
    return {row["cluster_id"]: row["members"] for row in found if row["cluster_type"] == cluster_type}


def with_genes(world: World, genes: dict[str, str]) -> None:
    """A document each, with a line of front matter; "" for none."""
    for name, line in genes.items():
        front = f"---\n{line}\n---\n\n" if line else ""
        world.write(f"{name}.md", f"{front}{essay(name, 1)}")


# What a corpus is: the documents of a name and a text each.
ODD: dict[str, list[str]] = {
    "one": [essay("lamps")],
    "two": [essay("lamps"), essay("bricks")],
    "three": [essay("lamps"), essay("bricks"), essay("ships")],
    "all equal": [essay("lamps")] * 9,
    "all without a word": ["...\n", "— — —", "!", "?!"],
    "all noise": [" ".join(f"w{number * 7919 % 9973}x{word * 31 % 887}" for word in range(60)) for number in range(12)],
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_corpus_is_seeded_and_then_current(kind: str, world: World) -> None:
    for number, text in enumerate(ODD[kind]):
        world.write(f"{number:02}.txt", text)
    first = world.seed()
    assert first.failed() == set()
    assert len(placements(world, "topic")) == len(ODD[kind])
    for cluster_type in ("topic", "concept"):
        for members in clusters(world, cluster_type).values():
            assert len(members) >= 3
    second = world.seed()
    assert (second.failed(), second.calls, second.corpus_calls) == (set(), {}, {})


def test_a_corpus_whose_documents_are_all_gone_has_no_cluster_and_can_be_filled_again(world: World) -> None:
    for number in range(4):
        world.write(f"{number}.txt", essay("lamps"))
    world.seed()
    assert rows(world, "clusters")
    for path in world.corpus.iterdir():
        path.unlink()
    assert world.seed(SeedOptions(allow_removals=True)).failed() == set()
    assert [rows(world, table) for table in (*CORPUS_TABLES, "documents", "judgements")] == [[]] * 5
    for number in range(4):
        world.write(f"{number}.txt", essay("lamps"))
    again = world.seed()
    assert again.failed() == set()
    assert [len(members) for members in clusters(world, "topic").values()] == [4]
    assert again.calls.get("summaries", 0) == 0, "what was paid for is still there"


def test_equal_documents_are_one_cluster(world: World) -> None:
    for number in range(9):
        world.write(f"{number}.txt", essay("lamps"))
    world.seed()
    assert [len(members) for members in clusters(world, "topic").values()] == [9]


def test_documents_are_grouped_by_a_field_and_those_without_it_are_outliers(world: World) -> None:
    """Genes can be clustered by phenotype or by function."""
    world.settings = {"clusters": {"types": ["field:gene"]}}
    with_genes(
        world,
        {
            **{f"hair{number}": "gene: [KRT1, KRT10]" for number in range(4)},
            **{f"eye{number}": "gene: [PAX6, RHO]" for number in range(4)},
            "none": "",
            "empty": "gene: []",
            "other": "protein: KRT1",
        },
    )
    assert world.seed().failed() == set()
    found = sorted(clusters(world, "field:gene").values())
    assert found == [[f"eye{number}.md" for number in range(4)], [f"hair{number}.md" for number in range(4)]]
    outliers = {document for document, cluster in placements(world, "field:gene").items() if cluster is None}
    assert outliers == {"none.md", "empty.md", "other.md"}


def test_a_field_of_mixed_types_is_read_as_text_and_unreadable_values_are_reported(world: World) -> None:
    world.settings = {"clusters": {"types": ["field:gene"]}}
    with_genes(
        world,
        {
            **{f"number{number}": "gene: 17" for number in range(3)},
            "text": 'gene: "17"',
            "list": "gene: [17]",
            "nested": "gene: {a: {b: 17}}",
        },
    )
    done = world.seed()
    assert ["list.md", "number0.md", "number1.md", "number2.md", "text.md"] in clusters(world, "field:gene").values()
    assert placements(world, "field:gene")["nested.md"] is None
    assert done.failed() == set()


def test_a_document_with_fifty_thousand_values_loses_its_field_alone(world: World) -> None:
    world.settings = {"clusters": {"types": ["field:gene"]}}
    many = "gene: [" + ", ".join(f"G{number}" for number in range(50_000)) + "]"
    with_genes(world, {**{f"few{number}": "gene: [G1, G2]" for number in range(3)}, "many": many})
    assert world.seed().failed() == set()
    assert list(clusters(world, "field:gene").values()) == [["few0.md", "few1.md", "few2.md"]]
    assert placements(world, "field:gene")["many.md"] is None


def test_a_field_may_stand_in_a_table_beside_the_documents(world: World, tmp_path: Path) -> None:
    table = tmp_path / "genes.csv"
    with table.open("w", newline="") as opened:
        values = [(f"{number}.txt", "KRT1;KRT10" if number < 3 else "PAX6|RHO") for number in range(6)]
        csv.writer(opened).writerows([("document", "gene"), *values])
    world.settings = {"clusters": {"types": ["field:gene"], "table": str(table)}}
    for number in range(6):
        world.write(f"{number}.txt", essay(f"subject {number}", 1))
    assert world.seed().failed() == set()
    assert sorted(clusters(world, "field:gene").values()) == [
        ["0.txt", "1.txt", "2.txt"],
        ["3.txt", "4.txt", "5.txt"],
    ]


def test_a_field_that_no_document_has_is_reported_and_everything_else_is_done(world: World) -> None:
    world.settings = {"clusters": {"types": ["topic", "field:nothing"]}}
    for number in range(4):
        world.write(f"{number}.txt", essay("lamps"))
    done = world.seed()
    assert clusters(world, "topic")
    assert clusters(world, "field:nothing") == {}
    assert len(world.documents_in("documents")) == 4
    assert done.failed() <= {("field:nothing", "clusters")}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sample corpus, and its home."""
    folder = tmp_path_factory.mktemp("planted")
    corpus, home = folder / "corpus", folder / "home"
    shutil.copytree(SAMPLE, corpus)
    done = seed(home, corpus)
    assert done.status == 0, done.printed()
    return corpus, home


@pytest.fixture
def copied(planted: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    corpus, home = planted
    shutil.copytree(corpus, tmp_path / "corpus")
    shutil.copytree(home, tmp_path / "home")
    return tmp_path / "corpus", tmp_path / "home"


def table(home: Path, name: str) -> pa.Table:
    return LanceTables(home / "lancedb").read(name)


@pytest.mark.integration
def test_categories_of_documents_are_lists_of_texts_and_never_missing(planted: tuple[Path, Path]) -> None:
    """The wrong type of this one column once cost 2 h 22 min of paid work."""
    _, home = planted
    found = table(home, "document_clusters")
    field = found.schema.field("category_ids")
    assert field.type == pa.list_(pa.field("item", pa.string()))
    known = {row["category_id"] for row in table(home, "categories").to_pylist()}
    placed = found.to_pylist()
    assert all(isinstance(row["category_ids"], list) for row in placed)
    named = {category for row in placed for category in row["category_ids"]}
    assert named == known
    assert known
    # And those of a document's own concepts.
    of_category = {row["category_id"]: set(row["concepts"]) for row in table(home, "categories").to_pylist()}
    concepts: dict[str, set[str]] = {}
    for row in table(home, "concepts").to_pylist():
        concepts.setdefault(row["document_id"], set()).add(row["name"])
    for row in placed:
        mine = concepts.get(row["document_id"], set())
        assert row["category_ids"] == sorted(c for c, members in of_category.items() if members & mine)


def test_without_concepts_the_lists_of_categories_are_empty(world: World) -> None:
    """An empty list has no type of its own: a table that guesses it breaks at the first that is not empty."""
    world.write("dots.txt", "...")
    world.seed()
    assert [row["category_ids"] for row in world.rows("document_clusters")] == [[], []]
    world.write("lamps.txt", essay("lamps"))
    assert world.seed().failed() == set()
    found = LanceTables(world.home / "lancedb").read("document_clusters")
    assert found.schema.field("category_ids").type == pa.list_(pa.field("item", pa.string()))


@pytest.mark.integration
def test_all_is_found_again_from_scratch_when_asked_and_numbers_stay(copied: tuple[Path, Path]) -> None:
    corpus, home = copied
    before = table(home, "clusters")
    done = seed(home, corpus, "--rebind", "--recluster")
    assert done.status == 0, done.printed()
    assert done.report["stages"]["clusters"]["computed"] >= 1
    after = table(home, "clusters")
    assert after.to_pylist() == before.to_pylist(), "the same documents, the same clusters, the same numbers"
    assert done.computed.get("cluster_summaries", 0) == 0
    assert seed(home, corpus).computed == {}


@pytest.mark.integration
def test_the_tables_are_written_again_from_what_is_kept(copied: tuple[Path, Path]) -> None:
    corpus, home = copied
    before = {name: table(home, name).to_pylist() for name in CORPUS_TABLES}
    done = seed(home, corpus, "--rebind", "--rebuild-sink")
    assert done.status == 0, done.printed()
    assert {name for name in done.computed if not name.startswith("lance_")} <= {"search_index"}
    for name, expected in before.items():
        key = "placement_id" if name == "document_clusters" else f"{name[:-1].replace('ie', 'y')}_id"
        assert sorted(table(home, name).to_pylist(), key=lambda row: row[key]) == sorted(
            expected, key=lambda row: row[key]
        )


@pytest.mark.integration
def test_a_new_document_without_computing_anything_fails_and_loses_nothing(copied: tuple[Path, Path]) -> None:
    corpus, home = copied
    before = table(home, "clusters").to_pylist()
    (corpus / "added.txt").write_text(essay("lamps"))
    done = seed(home, corpus, "--rebind", "--cache-only")
    assert done.status == 1
    assert "added.txt" in {failure["document"] for failure in done.report["failures"]}
    assert table(home, "clusters").to_pylist() == before
    assert seed(home, corpus).status == 0


@pytest.mark.integration
def test_a_type_that_is_not_wanted_any_more_is_taken_out_and_costs_nothing_to_take_back(
    copied: tuple[Path, Path],
) -> None:
    corpus, home = copied
    before = table(home, "clusters").to_pylist()
    topic = {"SEEDBANK_CLUSTERS__TYPES": '["topic"]'}
    done = seed(home, corpus, "--rebind", environment=topic)
    assert done.status == 0, done.printed()
    assert {row["cluster_type"] for row in table(home, "clusters").to_pylist()} == {"topic"}
    assert {row["cluster_type"] for row in table(home, "document_clusters").to_pylist()} == {"topic"}
    assert seedbank(home, "check", "--json", environment=topic).status == 0
    back = seed(home, corpus)
    assert back.status == 0, back.printed()
    made = {name: count for name, count in back.computed.items() if not name.startswith("lance_")}
    assert made.keys() <= {"document_clusters", "corpus_map"}
    assert sorted(table(home, "clusters").to_pylist(), key=lambda row: row["cluster_id"]) == sorted(
        before, key=lambda row: row["cluster_id"]
    )


@pytest.mark.integration
@pytest.mark.parametrize(("members_by", "written"), [("ids", 0), ("content", 1)])
def test_what_a_member_says_may_count_or_only_who_it_is(
    members_by: str, written: int, copied: tuple[Path, Path]
) -> None:
    corpus, home = copied
    environment = {"SEEDBANK_CLUSTER_SUMMARIES__MEMBERS_BY": members_by, "SEEDBANK_CLUSTERS__TYPES": '["topic"]'}
    assert seed(home, corpus, "--rebind", environment=environment).status == 0
    before: list[dict[str, Any]] = table(home, "clusters").to_pylist()
    first = max(before, key=lambda row: row["size"])["members"][0]
    path = corpus / first
    path.write_text(path.read_text("utf-8") + "\nOne more line of the same.\n", "utf-8")
    done = seed(home, corpus, environment=environment)
    assert done.status == 0, done.printed()
    after = table(home, "clusters").to_pylist()
    assert {row["cluster_id"]: row["members"] for row in after} == {row["cluster_id"]: row["members"] for row in before}
    assert done.computed.get("cluster_summaries", 0) == written


@pytest.mark.integration
def test_a_cluster_is_split_at_its_bound_and_all_stay_members(copied: tuple[Path, Path]) -> None:
    corpus, home = copied
    environment = {"SEEDBANK_CLUSTERS__LARGEST": "6"}
    done = seed(home, corpus, "--rebind", environment=environment)
    assert done.status == 0, done.printed()
    assert max(row["size"] for row in table(home, "clusters").to_pylist()) <= 6
    assert seedbank(home, "check", "--json", environment=environment).status == 0


def test_a_kept_summary_says_of_which_documents_it_is_and_the_plan_says_that_it_is_kept(world: World) -> None:
    """What was not written again must not look as if it was about the present members."""
    world.settings = {"cluster_summaries": {"resummarize_share": 0.5}}
    for number in range(6):
        world.write(f"{number}.txt", essay("lamps"))
    world.seed()
    first = rows(world, "clusters")
    assert {(row["size"], row["changed_share"]) for row in first} == {(6, 0.0)}
    assert all(row["summary_members"] == row["members"] for row in first)
    world.write("6.txt", essay("lamps"))
    done = world.seed()
    assert done.failed() == set()
    assert done.corpus_calls.keys() & {"cluster_summaries", "cluster_judgements"} == set()
    kept = rows(world, "clusters")
    assert [row["size"] for row in kept] == [7] * len(first)
    assert [row["summary_members"] for row in kept] == [row["members"] for row in first]
    assert {row["changed_share"] for row in kept} == {round(1 / 6, 4)}
    plan = world.plan()
    for stage in ("cluster_summaries", "cluster_judgements"):
        assert plan.stages[stage].kept_although() == {"members": len(first)}
    assert world.seed().corpus_calls == {}
    # Without the setting every summary is of its members again.
    world.settings = {}
    assert world.seed().corpus_calls["cluster_summaries"] == len(first)
    assert all(row["summary_members"] == row["members"] for row in rows(world, "clusters"))


def test_a_kept_summary_that_was_lost_is_written_of_the_same_documents(world: World) -> None:
    world.settings = {"cluster_summaries": {"resummarize_share": 0.5}}
    for number in range(6):
        world.write(f"{number}.txt", essay("lamps"))
    world.seed()
    world.write("6.txt", essay("lamps"))
    world.seed()
    before = rows(world, "clusters")
    stages = ("cluster_summaries",)
    assert world.seed(SeedOptions(stages=stages), no_cache=True).failed() == set()
    assert rows(world, "clusters") == before


def test_the_stages_of_the_corpus_run_by_themselves_in_order(world: World) -> None:
    """Clusters, what is said of them, judgements and tables are never a step that somebody has to think of."""
    for number in range(12):
        world.write(f"{number}.txt", essay(("lamps", "bricks", "ships")[number % 3], 1 + number % 2))
    done = world.seed(SeedOptions())
    assert set(done.corpus_calls) == {*OF_CORPUS, *PLACING}
    # One more of what is there: only what stands on it.
    world.write("12.txt", essay("lamps", 3))
    second = world.seed()
    assert second.failed() == set()
    assert second.corpus_calls["cluster_summaries"] <= 2
