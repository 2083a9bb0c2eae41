"""A new stage of each kind is declared, and everything else follows: no line of the engine is written for it.

What belongs here: stages that no other module knows, put into the pipeline as wiring does, and what becomes of them. What
does not: the stages of the product.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
import pytest

from io_managers.store.fingerprint import Part
from resources.tables.lance_schema import TABLES
from resources.tables.table_spec import Column, TableSpec
from seed_assets.checking.check_run import CURRENT, checks_of, run_check
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import Stage, Units, sink_stage, value_stage
from seed_assets.orchestration.code_location import build_definitions
from seed_assets.planning.plan import UPSTREAM
from seed_assets.stages.clusters.inputs import clusters_in
from tests.support.pipelines import World, essay

pytestmark = pytest.mark.usefixtures("own_environment")


class Length(msgspec.Struct, frozen=True):
    """The length of a document, of all documents of a cluster together, or of the longest document."""

    characters: int
    document_id: str = ""


class AllLengths(CorpusInput):
    """The lengths of all documents."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The new stage of documents."""
        return ("lengths",)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part:
        """A snapshot."""
        return corpus.snapshot("lengths")

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> dict[str, int]:
        """By document."""
        return {document: (await opened("lengths", document)).characters for document in corpus.refs("lengths")}


class MemberLengths(CorpusInput):
    """The lengths of the members of a cluster."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that give the members and their lengths."""
        return ("clusters", "lengths")

    def part(self, corpus: PublishedCorpus, unit: str) -> Part | None:
        """Their lengths count, not their texts."""
        cluster = clusters_in(corpus, unit.rpartition("/")[0]).get(unit)
        return None if cluster is None else [corpus.digest("lengths", document) for document in cluster.members]

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> list[int]:
        """A length of each."""
        cluster = clusters_in(corpus, unit.rpartition("/")[0])[unit]
        return [(await opened("lengths", document)).characters for document in cluster.members]


def _none_is_empty(published: PublishedResults) -> Finding:
    """Whether each document has a length."""
    finding = Finding()
    for unit, value in published.values(finding):
        if not value.characters:
            finding.offenders[unit] = "it is empty"
    return finding


@value_stage(version="1", preview=str, checks=(StageCheck("none_is_empty", "warning", _none_is_empty),))
async def lengths(extracted_text: ExtractedText) -> Length:
    """One partition: how long a document is."""
    return Length(len(extracted_text.text))


@sink_stage(version="1", table="lengths", every_unit=True)
def lance_lengths(document_id: str, content_digest: str, lengths: Length) -> list[dict[str, Any]]:
    """One partition: the row of a document."""
    return [_row(document_id, lengths, content_digest)]


@value_stage(version="1", preview=str, units=Units.CLUSTERS)
async def cluster_lengths(member_lengths: Annotated[list[int], MemberLengths()]) -> Length:
    """One partition: how long the documents of each cluster are together."""
    return Length(sum(member_lengths))


@sink_stage(version="1", table="cluster_lengths", units=Units.CLUSTERS, every_unit=True)
def lance_cluster_lengths(cluster_id: str, content_digest: str, cluster_lengths: Length) -> list[dict[str, Any]]:
    """One partition: the rows of the clusters of a type."""
    return [_row(cluster_id, cluster_lengths, content_digest)]


@value_stage(version="1", preview=str, units=Units.CORPUS)
async def longest(all_lengths: Annotated[dict[str, int], AllLengths()]) -> Length:
    """Not partitioned: the longest document."""
    document_id = max(sorted(all_lengths), key=lambda document: all_lengths[document])
    return Length(all_lengths[document_id], document_id)


@sink_stage(version="1", table="longest", units=Units.CORPUS)
def lance_longest(_: str, content_digest: str, longest: Length) -> list[dict[str, Any]]:
    """Not partitioned: its row."""
    return [_row(longest.document_id, longest, content_digest)]


@value_stage(version="1", preview=str)
async def shares(lengths: Length, all_lengths: Annotated[dict[str, int], AllLengths()]) -> Length:
    """One partition: how much of the corpus a document is, in parts of a million."""
    return Length(1_000_000 * lengths.characters // sum(all_lengths.values()))


NEW: dict[str, list[Stage]] = {
    "seed_documents": [lengths, lance_lengths],
    "seed_clusters": [cluster_lengths, lance_cluster_lengths],
    "seed_corpus": [longest, lance_longest],
    "place_documents": [shares],
}
CURRENT_UNITS = {"lengths": 7, "cluster_lengths": 2, "longest": 1, "shares": 7}


def _row(unit: str, found: Length, content_digest: str) -> dict[str, Any]:
    return {"unit": unit, "characters": found.characters, "content_digest": content_digest}


def _with_new_stages(pipeline: Pipeline) -> Pipeline:
    """The pipeline as wiring would list it: the new stages at the end of their phases."""
    stages = {**pipeline.stages}
    for new in NEW.values():
        stages |= {stage.name: stage for stage in new}
    return replace(pipeline, stages=stages)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Two subjects of three documents each, all of different lengths, and one of no subject; three new tables are declared."""
    columns = (
        Column("unit", "string", "of what", "the unit"),
        Column("characters", "int64", "how long it is", "lengths"),
        Column("content_digest", "string", "digest of what the row was written from", "its inputs"),
    )
    for table, owner in (("lengths", "unit"), ("cluster_lengths", "unit"), ("longest", "")):
        monkeypatch.setitem(cast("dict[str, TableSpec]", TABLES), table, TableSpec(table, "unit", "", columns, owner))
    world = World(tmp_path)
    for subject in ("reefs", "railways"):
        for number in range(3):
            world.write(f"{subject}-{number}.md", _text(subject, number + 1))
    world.write("other.md", essay("nothing", 1))
    world.settings = {"clusters": {"types": ["field:subject"], "smallest": 2}}
    world.change = _with_new_stages
    return world


def _text(subject: str, paragraphs: int) -> str:
    return f"---\nsubject: {subject}\n---\n\n{essay(subject, paragraphs)}"


def _new(calls: dict[str, int]) -> dict[str, int]:
    return {stage.name: calls[stage.name] for new in NEW.values() for stage in new if stage.name in calls}


def _rows(world: World, table: str) -> dict[str, int]:
    return {row["unit"]: row["characters"] for row in world.rows(table)}


def _states(world: World, name: str) -> list[str]:
    return list(world.plan().stages[name].states.values())


@pytest.mark.integration
def test_a_new_stage_of_each_kind_is_planned_run_and_published_and_visited_when_its_inputs_change(world: World) -> None:
    plan = world.plan()
    assert set(plan.stages["lengths"].todo.values()) == {UPSTREAM}
    assert plan.stages["cluster_lengths"].unnamed == 7 // 2
    assert plan.stages["longest"].todo == {"": UPSTREAM}

    first = world.seed()
    assert first.failed() == set()
    assert _new(first.calls) == {**CURRENT_UNITS, "lance_lengths": 7, "lance_cluster_lengths": 2, "lance_longest": 1}
    of_documents = _rows(world, "lengths")
    assert len(of_documents) == 7
    assert list(_rows(world, "cluster_lengths").values()) == [
        sum(length for name, length in of_documents.items() if name.startswith(subject)) for subject in _subjects(world)
    ]
    assert list(_rows(world, "longest").values()) == [max(of_documents.values())]
    for name, units in CURRENT_UNITS.items():
        assert _states(world, name) == ["current"] * units

    again = world.seed()
    assert (again.report.runs, again.calls, again.corpus_calls) == ([], {}, {})

    # A text of the same length: the documents' own stage looks again, and nothing that is made of lengths.
    world.write("railways-2.md", _text("railways", 3).replace("before noon", "after seven"))
    same = world.seed()
    assert _new(same.calls) == {"lengths": 1}

    world.write("reefs-2.md", _text("reefs", 4))
    changed = world.seed()
    assert changed.failed() == set()
    assert _new(changed.calls) == {
        "lengths": 1,
        "lance_lengths": 1,
        "cluster_lengths": 1,
        "lance_cluster_lengths": 1,
        "longest": 1,
        "lance_longest": 1,
        "shares": 7,
    }
    assert list(_rows(world, "longest")) == ["reefs-2.md"]
    assert world.seed().report.runs == []

    # What follows from a stage of the corpus is made in the same seed, whatever its other stages have to do.
    world.raise_version("longest")
    raised = world.seed()
    assert _new(raised.calls) == {"longest": 1}
    world.raise_version("lance_longest")
    assert _new(world.seed().calls) == {"lance_longest": 1}


def _subjects(world: World) -> Iterable[str]:
    """The subject of each cluster, in the order of the rows of clusters."""
    members = {row["cluster_id"]: row["members"] for row in world.rows("clusters")}
    return [members[cluster_id][0].partition("-")[0] for cluster_id in _rows(world, "cluster_lengths")]


@pytest.mark.integration
def test_a_new_stage_is_an_asset_of_the_job_of_its_phase_and_its_checks_are_run(world: World) -> None:
    assert world.seed().failed() == set()
    with world.session() as session:
        definitions = build_definitions(session.settings, session.runner())
        graph = definitions.resolve_asset_graph()
        tags = {node.key.to_user_string(): node.tags["job"] for node in graph.asset_nodes}
        for job, stages in NEW.items():
            of_job = definitions.resolve_job_def(job).asset_layer.executable_asset_keys
            assert {stage.name for stage in stages} <= {key.to_user_string() for key in of_job}
            assert {tags[stage.name] for stage in stages} == {job}
        names = {stage.name for stages in NEW.values() for stage in stages}
        found = {
            (c.stage, c.name): run_check(session.runner(), c) for c in checks_of(session.pipeline) if c.stage in names
        }
    assert found.keys() == {
        ("lengths", "none_is_empty"),
        ("longest", CURRENT),
        *((stage.name, "rows_as_published") for stages in NEW.values() for stage in stages if stage.table),
    }
    assert {name: finding.offenders for name, finding in found.items() if not finding.passed} == {}


def test_a_stage_made_of_a_later_phase_is_refused(world: World) -> None:
    """It would be made of what was there before the seed, and be stale after it."""

    @value_stage(version="1", preview=str, units=Units.CORPUS)
    async def too_early(shares: Annotated[list[int], _AllShares()]) -> Length:
        """Not partitioned."""
        return Length(len(shares))

    with world.session() as session, pytest.raises(ValueError, match=r"too_early.*\['shares'\].*later phase"):
        replace(session.pipeline, stages={**session.pipeline.stages, "too_early": too_early})


class _AllShares(AllLengths):
    @property
    def looks_at(self) -> tuple[str, ...]:
        return ("shares",)
