"""Checks of the knowledge base as a whole: each passes over a healthy home, and names what is wrong in a broken one.

What belongs here: for every check, ways to break what it guards, and where its finding is seen: Dagster, the command. What
does not: what is judged of one document alone (test_validity has the functions, test_seeding_failures the runs).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from event_log.home import open_instance
from io_managers.content_hash import publish
from io_managers.store.action_cache import Provenance
from io_managers.store.fingerprint import KeyTemplate, Part
from io_managers.store.refs import Ref
from io_managers.store.request_ledger import Attempt
from io_managers.store.shared import close_shared_store
from io_managers.store.values import CommittedResults
from resources.settings.config import load_settings
from resources.tables.lance_rows import of_owners
from resources.tables.lance_schema import TABLES
from seed_assets.checking.check_run import CURRENT, Check, Finding, checks_of, run_check
from seed_assets.core.clusters.clusters import Placement
from seed_assets.core.concepts.concepts import Concept
from seed_assets.core.text.chunking import Chunk
from seed_assets.engine.maintenance_due import CHANGED
from seed_assets.engine.sink import write_rows
from seed_assets.engine.stage_work import run_stage
from seed_assets.orchestration.code_location import build_definitions
from seed_assets.orchestration.job_names import CHECKS_JOB
from seed_assets.session.session import Session
from tests.support.pipelines import World
from tests.support.seed_process import Finished, seed, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_environment")]

Name = tuple[str, str]
"""A check: its stage's name and its own."""
Break = Callable[[Session], Mapping[str, str]]
"""Breaks one thing, and gives the offenders that are to be named, each with some words of what is wrong with it."""

# Three subjects, so that there are clusters; one document is long, so that it is more than one chunk.
SUBJECTS = {
    "volcano": [
        "Basalt lava flows far from the volcano because it is hot and thin. The lava cools into black rock.",
        "Rhyolite lava piles up near the vent of a volcano because it is cool and stiff. Ash falls over the rock.",
        "A volcano throws out ash and lava when gas escapes from the magma. The ash turns into tuff, a soft rock.",
        "Magma rises below a volcano until it breaks the rock. Lava then runs down the slope and ash fills the air.",
    ],
    "bread": [
        "Bread dough rises because yeast makes gas from sugar. The baker folds the dough before it goes into the oven.",
        "A sour starter is flour and water with wild yeast. The baker feeds the starter and adds it to the dough.",
        "Rye flour gives a dense bread. The baker lets the dough rest, then bakes the loaf in a hot oven.",
        "The oven must be hot before the loaf goes in. Steam keeps the crust of the bread soft while the dough rises.",
    ],
    "rail": [
        "A signal tells the driver of a train whether the track ahead is free. The signal box sets the points.",
        "Points move a train from one track to another. The signal box locks the points before the train comes.",
        "A train needs a long track to brake. The driver watches each signal beside the track.",
        "The railway station has four tracks. Every train stops there until the signal shows green to the driver.",
    ],
}
LONG = "bread-0.txt"
DOCUMENT = "rail-1.txt"
DOCUMENTS = [f"{subject}-{number}.txt" for subject, texts in SUBJECTS.items() for number in range(len(texts))]
ADDED = "volcano-4.txt"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Seeded once by the command; not to be changed."""
    world = World(tmp_path_factory.mktemp("checks"))
    for subject, texts in SUBJECTS.items():
        for number, text in enumerate(texts):
            world.write(f"{subject}-{number}.txt", f"{text}\n")
    world.write(LONG, "\n\n".join(" ".join(SUBJECTS["bread"]) for _ in range(4)))
    done = seed(world.home, world.corpus)
    assert done.status == 0, done.printed()
    return world


@pytest.fixture
def world(seeded: World, tmp_path: Path) -> World:
    """The same home once more, to be broken."""
    return seeded.copy_to(tmp_path)


@contextmanager
def opened(world: World) -> Iterator[Session]:
    """A session as the command has it: with the pipeline under the default settings."""
    session = Session(load_settings({"corpus": world.corpus, "home": world.home}))
    try:
        yield session
    finally:
        session.close()


def broken(world: World, *breaks: Break) -> Mapping[str, str]:
    """Break a home, one thing after another; the offenders of all."""
    offenders: dict[str, str] = {}
    with opened(world) as session:
        for do in breaks:
            offenders |= do(session)
    return offenders


def found(session: Session) -> dict[Name, tuple[Check, Finding]]:
    """What every check finds now."""
    runner = session.runner()
    return {(check.stage, check.name): (check, run_check(runner, check)) for check in checks_of(session.pipeline)}


def failing(session: Session) -> set[Name]:
    return {name for name, (_, finding) in found(session).items() if not finding.passed}


def all_of(problem: str, units: Mapping[str, Any] | list[str] | set[str]) -> dict[str, str]:
    return dict.fromkeys(units, problem)


# Values


def value_of(session: Session, stage: str, unit: str) -> Any:
    """What is published."""
    ref = session.store.refs.get(stage, [unit])[unit]
    return session.store.load(ref.content_digest, session.pipeline.stages[stage].returns)


def put(session: Session, stage: str, unit: str, value: object, parts: Mapping[str, Part] | None = None) -> None:
    """Publish a value in the place of a stage's. parts: what it is said to be made of, if not of what it was."""
    action = KeyTemplate(stage, {"test": unit}).action(parts or {})
    (digest,) = session.store.commit([(action, value, Provenance())], replace=True).result()
    before = session.store.refs.get(stage, [unit]).get(unit)
    key = before.action_key if before and parts is None else action.key
    session.store.refs.publish([Ref(stage, unit, key, digest)])


def changed(session: Session, stage: str, unit: str, **fields: Any) -> None:
    """Publish what is published with other fields."""
    put(session, stage, unit, msgspec.structs.replace(value_of(session, stage, unit), **fields))


def without_value(stage: str, unit: str, session: Session) -> Mapping[str, str]:
    (ref,) = session.store.refs.get(stage, [unit]).values()
    session.store.refs.publish([msgspec.structs.replace(ref, content_digest="sha256:" + "0" * 64)])
    return {unit: "its value cannot be opened"}


def blank_text(session: Session) -> Mapping[str, str]:
    changed(session, "extracted_text", DOCUMENT, text=" \n\t\n")
    return {DOCUMENT: "no text was found in it"}


def unread_page(session: Session) -> Mapping[str, str]:
    changed(session, "extracted_text", DOCUMENT, warnings=("1 of 3 pages holds no text.",))
    return {DOCUMENT: "1 of 3 pages holds no text."}


def with_chunks(
    problem: str, change: Callable[[tuple[Chunk, ...]], tuple[Chunk, ...]], session: Session
) -> Mapping[str, str]:
    changed(session, "chunks", LONG, chunks=change(value_of(session, "chunks", LONG).chunks))
    return {LONG: problem}


def longer_text(session: Session) -> Mapping[str, str]:
    text = value_of(session, "extracted_text", DOCUMENT).text
    changed(session, "extracted_text", DOCUMENT, text=f"{text}And more.\n")
    return {DOCUMENT: "on is in no chunk"}


def with_vectors(
    problem: str, change: Callable[[NDArray[np.float32]], NDArray[np.float32]], session: Session
) -> Mapping[str, str]:
    put(session, "embeddings", LONG, change(value_of(session, "embeddings", LONG).copy()))
    return {LONG: problem}


def with_number(number: float, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    vectors[-1, 0] = number
    return vectors


def of_another_embedder(session: Session) -> Mapping[str, str]:
    for unit in (LONG, DOCUMENT):
        put(session, "embeddings", unit, value_of(session, "embeddings", unit), {"embedder": {"provider": "other"}})
    return all_of("it was embedded by another embedder than most documents", [LONG, DOCUMENT])


def with_concept(problem: str, change: Callable[[Concept], Concept], session: Session) -> Mapping[str, str]:
    first, *others = value_of(session, "concepts", DOCUMENT).concepts
    changed(session, "concepts", DOCUMENT, concepts=(*others, change(first)))
    return {DOCUMENT: problem}


def moved(concept: Concept, start: int, end: int) -> Concept:
    return msgspec.structs.replace(concept, start=concept.start + start, end=concept.end + end)


def flagged(stage: str, count: int, session: Session) -> Mapping[str, str]:
    """So many summaries that a person should look at."""
    units = sorted(session.store.refs.get(stage))[:count]
    for unit in units:
        verdict = msgspec.structs.replace(value_of(session, stage, unit).verdict, decision="reject", score=0.25)
        changed(session, stage, unit, verdict=verdict, needs_review=True)
    return all_of("reject, score 0.25", units)


# Clusters


def with_members(
    problem: str, change: Callable[[tuple[str, ...]], tuple[str, ...]], session: Session
) -> Mapping[str, str]:
    first, *others = value_of(session, "clusters", "topic").clusters
    members = change(first.members)
    changed(session, "clusters", "topic", clusters=(msgspec.structs.replace(first, members=members), *others))
    return {first.cluster_id: problem}


def in_two(session: Session) -> Mapping[str, str]:
    first, second, *others = value_of(session, "clusters", "topic").clusters
    second = msgspec.structs.replace(second, members=(*second.members, first.members[0]))
    changed(session, "clusters", "topic", clusters=(first, second, *others))
    return {first.members[0]: f"it is in two clusters: {first.cluster_id} and {second.cluster_id}"}


def twice_in_one(session: Session) -> Mapping[str, str]:
    (cluster,) = with_members("", lambda members: (*members, members[0]), session)
    first = value_of(session, "clusters", "topic").clusters[0].members[0]
    return {first: f"it is in two clusters: {cluster} and {cluster}"}


def larger_than_allowed(session: Session) -> Mapping[str, str]:
    rules = session.pipeline.resources["cluster_rules"]
    session.pipeline = session.pipeline.with_resources(cluster_rules=replace(rules, max_size=3))
    sizes = session.pipeline.clusters(session.runner().published_corpus())
    return {name: f"it has {size} members" for name, size in sizes.items() if size > 3}


def outliers(count: int, session: Session) -> Mapping[str, str]:
    """So many documents that are in no cluster of a type."""
    placements = value_of(session, "clusters", "concept").placements
    units = sorted(placements)[:count]
    changed(session, "clusters", "concept", placements=placements | dict.fromkeys(units, Placement("", 0.0)))
    return {"concept": f"{count} of 12 documents are in no cluster, {units[0]} for one"}


def kept(share: float, session: Session) -> Mapping[str, str]:
    changed(session, "clusters", "topic", kept=share)
    return {"topic": f"{1 - share:.0%} of the documents changed their cluster"}


def never_made(stage: str, unit: str, session: Session) -> Mapping[str, str]:
    session.store.refs.drop(stage, [unit])
    return {unit or stage: "it was never made"}


def document_added(session: Session) -> None:
    """A new document that went through the stages of single documents, and through no others."""
    (Path(str(session.settings.corpus)) / ADDED).write_text("Pumice is lava full of gas. The rock floats on water.\n")
    pipeline, runner = session.pipeline, session.runner()
    for stage in pipeline.document_stages:
        if stage not in pipeline.placing_stages:
            sink = stage.kind == "sink"
            done = write_rows(runner, stage, [ADDED]) if sink else run_stage(runner, stage, [ADDED])
            assert done.failures == {}
            publish(session.store, CommittedResults(stage.name, done.results), "")


def behind(problem: str, units: list[str], session: Session) -> Mapping[str, str]:
    document_added(session)
    return all_of(problem, units)


def index_dropped(session: Session) -> Mapping[str, str]:
    session.tables.open("chunks").drop_index("text_idx")
    return {"search_index": CHANGED}


def index_file_altered(session: Session) -> Mapping[str, str]:
    """One bit of one file."""
    folder = session.tables.folder("chunks")
    path = min(folder.rglob("part_0_invert.lance"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return {f"chunks.lance/{path.relative_to(folder).as_posix()}": "it was changed since it was made"}


def answered_again(session: Session) -> Mapping[str, str]:
    """A correction is no second answer, since the first one could not be used."""
    outcomes = {"one": ["answered"] * 3, "two": ["answered"], "three": ["wrong shape", "answered"]}
    for key, each in outcomes.items():
        for outcome in each:
            session.store.requests.record(Attempt(key, "summaries", "writer-1", outcome))
    session.store.database.write().result()
    return {"summaries": "2 answers had been paid for before"}


def index_file_gone(session: Session) -> Mapping[str, str]:
    folder = session.tables.folder("chunks")
    path = min(folder.rglob("part_0_tokens.lance"))
    path.unlink()
    return {f"chunks.lance/{path.relative_to(folder).as_posix()}": "it is gone"}


def index_never_made(session: Session) -> Mapping[str, str]:
    session.store.refs.drop("search_index", [""])
    return {"search_index": CHANGED}


# Tables: stage -> a unit of it that has rows, and one that is not there
SINKS = {
    "lance_documents": (DOCUMENT, ADDED),
    "lance_chunks": (LONG, ADDED),
    "lance_concepts": (DOCUMENT, ADDED),
    "lance_judgements": (DOCUMENT, ADDED),
    "lance_clusters": ("topic/1", "topic/99"),
    "lance_categories": ("", ""),
    "lance_document_clusters": (DOCUMENT, ADDED),
}


@dataclass(frozen=True)
class Rows:
    """Ways to break the table of a sink."""

    stage: str

    @property
    def table(self) -> str:
        return self.stage.removeprefix("lance_")

    @property
    def unit(self) -> str:
        return SINKS[self.stage][0]

    @property
    def offender(self) -> str:
        return self.unit or self.stage

    @property
    def of_unit(self) -> str:
        """The condition for the rows of the unit."""
        return of_owners(TABLES[self.table], [self.unit]) if self.unit else "true"

    def missing(self, session: Session) -> Mapping[str, str]:
        session.tables.maintain(self.table, lambda table: table.delete(self.of_unit))
        return {self.offender: "its rows are missing"}

    def twice(self, session: Session) -> Mapping[str, str]:
        rows = session.tables.open(self.table).search().where(self.of_unit).limit(1).to_arrow()
        session.tables.maintain(self.table, lambda table: table.add(rows))
        return {self.offender: f"the row {rows[TABLES[self.table].key][0]} is there twice"}

    def of_nobody(self, session: Session) -> Mapping[str, str]:
        """Rows of a unit that is not there."""
        stranger, spec = SINKS[self.stage][1], TABLES[self.table]
        (row,) = session.tables.open(self.table).search().where(self.of_unit).limit(1).to_list()
        row |= {spec.key: f"{stranger}#0", spec.owner: stranger}
        session.tables.maintain(self.table, lambda table: table.add([row]))
        return {stranger: "its rows are there, and it is not published"}

    def not_published(self, session: Session) -> Mapping[str, str]:
        session.store.refs.drop(self.stage, [self.unit])
        return {self.offender: "its rows are there, and it is not published"}

    def of_something_else(self, session: Session) -> Mapping[str, str]:
        """Rows that were made of other values."""
        other = {"content_digest": "sha256:other"}
        session.tables.maintain(self.table, lambda table: table.update(where=self.of_unit, values=other))
        return {self.offender: "its rows are not those that were published"}

    def changed_by_others(self, session: Session) -> Mapping[str, str]:
        """Rows that somebody else has written are compared as all others are; that somebody did is said of the table."""
        session.tables.open(self.table).update(values_sql={"content_digest": "content_digest"})
        return {self.stage: "the table was changed by another program"}

    def altered_by_others(self, session: Session) -> Mapping[str, str]:
        """One value of one row, which goes on saying that it was written from what is published."""
        spec = TABLES[self.table]
        column = next(c for c in spec.columns if c.type == "string" and c.name not in (spec.key, spec.owner))
        row = session.tables.open(self.table).search().where(self.of_unit).limit(1).to_list()[0]
        session.tables.open(self.table).update(where=f"{spec.key} = '{row[spec.key]}'", values={column.name: "altered"})
        return {self.offender: f"column {column.name} of the row {row[spec.key]} is not what it was written from"}

    def no_table(self, session: Session) -> Mapping[str, str]:
        session.tables.drop(self.table)
        return {self.stage: "the table is not there"}

    def breaks(self) -> dict[str, Break]:
        """By what is broken."""
        of_others: dict[str, Break] = {"rows of nobody": self.of_nobody, "no table": self.no_table}
        return {
            "rows missing": self.missing,
            "a row twice": self.twice,
            "rows of what is not published": self.not_published,
            "rows of other values": self.of_something_else,
            "a table that others changed": self.changed_by_others,
            "a row that others changed": self.altered_by_others,
            **(of_others if self.unit else {}),
        }


def cluster_vanished(session: Session) -> Mapping[str, str]:
    *others, last = value_of(session, "clusters", "topic").clusters
    changed(session, "clusters", "topic", clusters=tuple(others))
    return {last.cluster_id: "there is no such cluster any more"}


CHANGED_DOCUMENTS = "documents have changed since it was made"
# check -> what is broken -> how
BREAKS: dict[Name, dict[str, Break]] = {
    ("extracted_text", "text_not_empty"): {
        "a text of white space": blank_text,
        "a text that is lost": partial(without_value, "extracted_text", DOCUMENT),
    },
    ("extracted_text", "read_as_a_whole"): {
        "a page that was not read": unread_page,
    },
    ("chunks", "cover_the_text"): {
        "no chunk": partial(with_chunks, "the text from 0 on is in no chunk", lambda _: ()),
        "the first left out": partial(with_chunks, "the text from 0 to", lambda chunks: chunks[1:]),
        "the last left out": partial(with_chunks, "on is in no chunk", lambda chunks: chunks[:-1]),
        "one of another text": partial(
            with_chunks, "chunk 0 is not what stands", lambda chunks: (Chunk("x" * 9, 0, 9), *chunks[1:])
        ),
        "a text that was not cut again": longer_text,
        "chunks that are lost": partial(without_value, "chunks", LONG),
    },
    ("embeddings", "of_one_kind"): {
        "NaN": partial(with_vectors, "numbers that are not finite", partial(with_number, np.nan)),
        "infinite": partial(with_vectors, "numbers that are not finite", partial(with_number, np.inf)),
        "not of length 1": partial(with_vectors, "vector 0 is of length 2.000, not 1", lambda vectors: vectors * 2),
        "of another dimension": partial(
            with_vectors,
            "its vectors have 3 dimensions, those of most others 256",
            lambda vectors: np.eye(len(vectors), 3, dtype=np.float32),
        ),
        "of another embedder": of_another_embedder,
        "vectors that are lost": partial(without_value, "embeddings", LONG),
    },
    ("concepts", "grounded"): {
        "one beside its place": partial(with_concept, "is said to stand", lambda concept: moved(concept, 1, 1)),
        "one past the end": partial(with_concept, "is said to stand from", lambda concept: moved(concept, 0, 9_999)),
        "one of nothing": partial(
            with_concept,
            "is said to stand from",
            lambda concept: msgspec.structs.replace(concept, end=concept.start),
        ),
        "another name": partial(
            with_concept,
            "where 'granite' is said to stand, the text has",
            lambda concept: msgspec.structs.replace(concept, name="granite"),
        ),
        "concepts that are lost": partial(without_value, "concepts", DOCUMENT),
    },
    ("judgements", "share_rejected"): {
        "a quarter to be reviewed": partial(flagged, "judgements", 3),
        "a judgement that is lost": partial(without_value, "judgements", DOCUMENT),
    },
    ("cluster_judgements", "share_rejected"): {
        "a third to be reviewed": partial(flagged, "cluster_judgements", 2),
        "a judgement that is lost": partial(without_value, "cluster_judgements", "topic/1"),
    },
    ("clusters", "sizes"): {
        "too small": partial(with_members, "it has 2 members", lambda members: members[:2]),
        "empty": partial(with_members, "it has 0 members", lambda _: ()),
        "too large": larger_than_allowed,
        "a member that is no document": partial(
            with_members, "gone.txt is not a document", lambda members: (*members, "gone.txt")
        ),
        "a document in two": in_two,
        "a document in one twice": twice_in_one,
        "clusters that are lost": partial(without_value, "clusters", "topic"),
    },
    ("clusters", "share_of_outliers"): {"more than half": partial(outliers, 7)},
    ("clusters", "stable"): {"less than half": partial(kept, 0.49)},
    ("clusters", CURRENT): {
        "a new document": partial(behind, CHANGED_DOCUMENTS, ["topic", "concept"]),
        "never made": partial(never_made, "clusters", "concept"),
    },
    ("categories", CURRENT): {
        "a new document": partial(behind, CHANGED_DOCUMENTS, ["categories"]),
        "never made": partial(never_made, "categories", ""),
    },
    ("corpus_map", CURRENT): {
        "a new document": partial(behind, CHANGED_DOCUMENTS, ["topic", "concept"]),
        "never made": partial(never_made, "corpus_map", "topic"),
    },
    ("search_index", CURRENT): {
        "a new document": partial(behind, CHANGED, ["search_index"]),
        "an index that others dropped": index_dropped,
        "never made": index_never_made,
    },
    ("search_index", "index_as_made"): {"a flipped bit": index_file_altered, "a file that is gone": index_file_gone},
    ("search_index", "paid_once"): {"an answer that was paid for three times": answered_again},
    **{(stage, "rows_as_published"): Rows(stage).breaks() for stage in SINKS},
}
BREAKS["lance_clusters", "rows_as_published"]["a cluster that has vanished"] = cluster_vanished
CASES = [
    pytest.param(name, do, id=f"{name[0]}-{name[1]}-{what}")
    for name, breaks in BREAKS.items()
    for what, do in breaks.items()
]


def test_there_is_a_way_to_break_what_each_check_guards(seeded: World) -> None:
    """A new check needs an entry here, which shows that the check can fail."""
    with opened(seeded) as session:
        assert {(check.stage, check.name) for check in checks_of(session.pipeline)} == BREAKS.keys()


def test_every_check_passes_over_a_healthy_home(seeded: World) -> None:
    with opened(seeded) as session:
        looked_at = {}
        for name, (_, finding) in found(session).items():
            assert finding.offenders == {}, name
            looked_at[name] = finding.looked_at
    assert min(looked_at.values()) > 0
    assert looked_at["chunks", "cover_the_text"] == len(DOCUMENTS)
    assert looked_at["clusters", "sizes"] == 2


@pytest.mark.parametrize(("name", "do"), CASES)
def test_a_check_names_what_is_wrong_and_nothing_else(name: Name, do: Break, world: World) -> None:
    with opened(world) as session:
        expected = do(session)
        assert expected
        (check,) = (check for check in checks_of(session.pipeline) if (check.stage, check.name) == name)
        finding = run_check(session.runner(), check)
    assert not finding.passed
    assert finding.offenders.keys() == expected.keys()
    for unit, problem in expected.items():
        assert problem in finding.offenders[unit]


@pytest.mark.parametrize(
    ("name", "do"),
    [
        pytest.param(("judgements", "share_rejected"), partial(flagged, "judgements", 2), id="a sixth to be reviewed"),
        pytest.param(("clusters", "share_of_outliers"), partial(outliers, 6), id="half are outliers"),
        pytest.param(("clusters", "stable"), partial(kept, 0.5), id="half were kept"),
    ],
)
def test_what_is_within_bounds_is_counted_and_no_fault(name: Name, do: Break, world: World) -> None:
    with opened(world) as session:
        before = found(session)[name][1].figures
        do(session)
        finding = found(session)[name][1]
    assert finding.passed
    # Texts that are copied have no scores to be counted.
    assert finding.figures.keys() >= before.keys()
    assert finding.figures != before


def test_a_new_document_leaves_behind_what_is_made_of_all_and_a_seed_catches_up(world: World) -> None:
    with opened(world) as session:
        document_added(session)
        stages = ("clusters", "corpus_map", "categories", "search_index")
        assert failing(session) == {(stage, CURRENT) for stage in stages}
        assert {check.severity for check, finding in found(session).values() if not finding.passed} == {"warning"}
    done = seed(world.home, world.corpus)
    assert done.status == 0, done.printed()
    with opened(world) as session:
        assert failing(session) == set()


# Dagster


@dataclass(frozen=True)
class Job:
    """How the job `checks` ended, and what it said of each check."""

    success: bool
    evaluations: dict[Name, dg.AssetCheckEvaluation]

    def failed(self) -> set[Name]:
        return {name for name, evaluation in self.evaluations.items() if not evaluation.passed}

    def named(self, *name: str) -> Any:
        """The offenders that are named in the metadata of an evaluation; None where none are."""
        stage, check = name
        return getattr(self.evaluations[stage, check].metadata.get("named"), "value", None)


def job(world: World) -> Job:
    """Run the job as Dagster does, with a runner of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBANK_HOME", str(world.home))
        definitions = build_definitions(load_settings({"corpus": world.corpus, "home": world.home}))
        try:
            with open_instance() as instance:
                ended = (
                    definitions.get_repository_def()
                    .get_job(CHECKS_JOB)
                    .execute_in_process(
                        instance=instance,
                        raise_on_error=False,
                        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                    )
                )
        finally:
            close_shared_store(world.home / "store")
    evaluations = ended.get_asset_check_evaluations()
    by_name = {(found.asset_key.to_user_string(), found.check_name): found for found in evaluations}
    assert len(by_name) == len(evaluations)
    return Job(ended.success, by_name)


def test_the_job_of_a_healthy_home_passes_every_check(world: World) -> None:
    done = job(world)
    assert done.success
    assert done.evaluations.keys() == BREAKS.keys()
    assert done.failed() == set()
    with opened(world) as session:
        for name, (check, finding) in found(session).items():
            evaluation = done.evaluations[name]
            assert evaluation.severity.value == {"error": "ERROR", "warning": "WARN"}[check.severity]
            figures = {key: value.value for key, value in evaluation.metadata.items()}
            assert figures == {"looked_at": finding.looked_at, **finding.figures}


def test_the_job_of_a_broken_home_names_what_is_wrong_and_goes_on(world: World) -> None:
    """Only a blocking check fails the run; the results of the others are shown with the checks."""
    expected = broken(world, partial(flagged, "judgements", 3))
    twice = broken(world, Rows("lance_concepts").twice)
    done = job(world)
    assert done.success
    assert done.evaluations.keys() == BREAKS.keys()
    rejected, rows = ("judgements", "share_rejected"), ("lance_concepts", "rows_as_published")
    assert {rejected, rows} <= done.failed()
    assert done.named(*rejected) == expected
    assert done.named(*rows) == twice
    assert done.evaluations[rejected].severity is dg.AssetCheckSeverity.WARN
    assert done.evaluations[rejected].metadata["needs_review"].value == 3
    assert done.evaluations[rejected].metadata["offenders"].value == 3
    assert done.evaluations[rows].severity is dg.AssetCheckSeverity.ERROR
    assert done.named("chunks", "cover_the_text") is None


def test_vectors_of_two_kinds_fail_the_run_and_the_other_checks_are_still_run(world: World) -> None:
    broken(world, of_another_embedder)
    done = job(world)
    assert not done.success
    name = ("embeddings", "of_one_kind")
    assert done.evaluations[name].blocking
    assert done.evaluations[name].severity is dg.AssetCheckSeverity.ERROR
    assert done.named(*name).keys() == {LONG, DOCUMENT}
    assert done.evaluations.keys() == BREAKS.keys()


def test_dagster_names_some_of_many_offenders_and_counts_all(world: World) -> None:
    scans = [f"scan-{number:02}.pdf" for number in range(60)]
    with opened(world) as session:
        blank_text(session)
        (blank,) = session.store.refs.get("extracted_text", [DOCUMENT]).values()
        session.store.refs.publish([msgspec.structs.replace(blank, partition=scan) for scan in scans])
    done = job(world)
    name = ("extracted_text", "text_not_empty")
    assert done.evaluations[name].metadata["offenders"].value == 61
    assert sorted(done.named(*name)) == [DOCUMENT, *scans][:50]


# The command


def check(world: World, *arguments: str) -> Finished:
    return seedbank(world.home, "check", *arguments)


def lines(done: Finished) -> dict[Name, str]:
    """What the command shows of each check, in a word."""
    rows = [line.split() for line in done.output.splitlines()]
    return {(row[0], row[1]): row[2] for row in rows if tuple(row[:2]) in BREAKS and len(row) == 4}


def test_the_command_passes_a_healthy_home(seeded: World) -> None:
    done = check(seeded)
    assert done.status == 0, done.printed()
    assert lines(done) == dict.fromkeys(BREAKS, "passed")


def test_the_command_warns_of_what_a_person_should_look_at_and_succeeds(world: World) -> None:
    expected = broken(world, partial(flagged, "judgements", 8))
    done = check(world)
    assert done.status == 0, done.printed()
    assert lines(done)["judgements", "share_rejected"] == "warning"
    named = [line for line in done.output.splitlines() if line.startswith("  ")]
    assert named == [
        *(f"  {unit}: {expected[unit]}" for unit in sorted(expected)[:5]),
        "  and 3 more; --json lists all.",
    ]
    (shown,) = (line for line in done.output.splitlines() if line.startswith("judgements, share_rejected: "))
    assert shown.endswith("At most a fifth of all summaries should need review by a person.")


def test_the_command_fails_at_an_error_and_its_json_names_all(world: World) -> None:
    chunks = broken(world, partial(with_chunks, "the text from 0 on is in no chunk", lambda _: ()))
    rejected = broken(world, partial(flagged, "judgements", 8))
    shown = check(world)
    assert shown.status == 1, shown.printed()
    assert lines(shown)["chunks", "cover_the_text"] == "failed"
    assert lines(shown)["judgements", "share_rejected"] == "warning"
    done = check(world, "--json")
    assert done.status == 1, done.printed()
    printed: list[dict[str, Any]] = json.loads(done.output)
    by_name = {(one["stage"], one["check"]): one for one in printed}
    assert by_name.keys() == BREAKS.keys()
    assert by_name["chunks", "cover_the_text"]["offenders"] == chunks
    assert by_name["judgements", "share_rejected"]["offenders"] == rejected
    assert by_name["judgements", "share_rejected"]["figures"]["needs_review"] == 8
    assert by_name["chunks", "cover_the_text"]["severity"] == "error"
    assert by_name["judgements", "share_rejected"]["severity"] == "warning"
    for one in by_name.values():
        assert one["passed"] == (one["offenders"] == {})
        assert one["looked_at"] > 0


def test_a_home_in_which_nothing_was_seeded_is_no_healthy_one(tmp_path: Path) -> None:
    done = seedbank(tmp_path / "nothing", "check")
    assert done.status == 2, done.printed()
    assert "Run `seedbank seed` first." in done.errors


def test_a_row_that_is_lost_or_one_too_many_is_a_fault(world: World) -> None:
    """A table can have the right documents and yet lack what they say."""
    with opened(world) as session:
        name = f"{DOCUMENT}#1"
        session.tables.maintain("concepts", lambda table: table.delete(f"concept_id = '{name}'"))
        _, finding = found(session)["lance_concepts", "rows_as_published"]
        assert list(finding.offenders) == [DOCUMENT]
        assert "rows, not" in finding.offenders[DOCUMENT]


def test_where_clusters_are_not_made_yet_a_check_says_so(world: World) -> None:
    """After a kill in the middle of a first seed."""
    with opened(world) as session:
        session.store.refs.drop("clusters", ["topic"])
        _, finding = found(session)["corpus_map", CURRENT]
        assert "cannot be made now" in " ".join(finding.offenders.values())


def test_a_text_that_is_lost_is_named_and_the_others_are_looked_at(world: World) -> None:
    with opened(world) as session:
        (ref,) = session.store.refs.get("extracted_text", [DOCUMENT]).values()
        session.store.refs.publish([msgspec.structs.replace(ref, content_digest="sha256:" + "0" * 64)])
        for name in (("chunks", "cover_the_text"), ("concepts", "grounded")):
            _, finding = found(session)[name]
            assert list(finding.offenders) == [DOCUMENT]
            assert finding.looked_at == len(DOCUMENTS)


def test_a_table_of_the_corpus_that_is_gone_is_named(world: World) -> None:
    with opened(world) as session:
        session.tables.drop("categories")
        _, finding = found(session)["lance_categories", "rows_as_published"]
        assert finding.offenders == {"lance_categories": "the table is not there"}


def test_vectors_of_one_dimension_are_named(world: World) -> None:
    with opened(world) as session:
        put(session, "embeddings", DOCUMENT, np.ones(256, np.float32))
        _, finding = found(session)["embeddings", "of_one_kind"]
        assert "of shape (256,)" in finding.offenders[DOCUMENT]
