"""Which run comes next: the order of the steps, their repetition, and the runs of each, without Dagster or a home."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Annotated, Any

from io_managers.store.fingerprint import Part
from resources.corpus.corpus import Scan
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.pipeline import Phase, Pipeline
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import Source, Units, value_stage
from seed_assets.planning.partition_ranges import cover
from seed_assets.planning.phases import OutOfSync, Phases, Run, Step
from seed_assets.planning.plan import Plan


class Standing(CorpusInput):
    """Where a document stands among all texts."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        return ("texts",)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part | None:
        return corpus.digest("texts", unit)

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> Any:
        return await opened("texts", unit)


@value_stage(version="1", preview=str)
async def texts(source: Source) -> str:
    """One text per document."""
    return source.data.decode()


@value_stage(version="1", preview=str)
async def words(texts: str) -> list[str]:
    """The words of each document."""
    return texts.split()


@value_stage(version="1", preview=str, units=Units.CLUSTER_TYPES)
async def groups() -> int:
    """The groups of documents."""
    return 0


@value_stage(version="1", preview=str, units=Units.CORPUS)
async def everything() -> int:
    """One value for the corpus."""
    return 0


@value_stage(version="1", preview=str)
async def places(standing: Annotated[str, Standing()]) -> str:
    """Where each document stands."""
    return standing


STAGES = (texts, words, groups, everything, places)
PIPELINE = Pipeline({stage.name: stage for stage in STAGES}, {}, cluster_types=("topic", "concept"))
PLAN = Plan([], {}, Scan(documents={}, problems={}), set(), set(), {}, set(), placed=True)
ORDER = [f"{letter}.md" for letter in "abcdef"]


@dataclass
class World:
    """What is to be done and what is only shown wrongly, as a plan would say it; runs change nothing by themselves."""

    todo: dict[str, list[str]] = field(default_factory=dict)
    out_of_reach: dict[str, frozenset[str]] = field(default_factory=dict)
    types: dict[str, list[str]] = field(default_factory=dict)
    of_corpus: list[str] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    wrong_corpus: OutOfSync = field(default_factory=lambda: OutOfSync([], []))
    asked: list[frozenset[str]] = field(default_factory=list)

    def documents(self, plan: Plan, stages: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return _of(self.todo, stages)

    def blocked(self, plan: Plan) -> Mapping[str, frozenset[str]]:
        return self.out_of_reach

    def clusters(self, plan: Plan) -> Mapping[str, Sequence[str]]:
        return dict(self.types)

    def corpus(self, plan: Plan) -> Sequence[str]:
        return list(self.of_corpus)

    def ranges(self, wanted: AbstractSet[str], avoid: AbstractSet[str]) -> list[tuple[str, str]]:
        self.asked.append(frozenset(wanted))
        return cover(ORDER, wanted, avoid, 1_000)

    def ranges_of_only(self, wanted: AbstractSet[str]) -> list[tuple[str, str]]:
        self.asked.append(frozenset(wanted))
        return cover(ORDER, wanted, set(ORDER) - wanted, 1_000)

    def members(self, first: str, last: str) -> list[str]:
        return ORDER[ORDER.index(first) : ORDER.index(last) + 1]


@dataclass
class Shown:
    """Dagster's records of a world."""

    world: World

    def documents(self, plan: Plan, stages: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return _of(self.world.wrong, stages)

    def corpus(self, plan: Plan) -> OutOfSync:
        return self.world.wrong_corpus


def _of(todo: Mapping[str, list[str]], stages: Sequence[str]) -> dict[str, list[str]]:
    found = {document: [name for name in names if name in stages] for document, names in todo.items()}
    return {document: names for document, names in found.items() if names}


def phases(world: World, *steps: Step) -> Phases:
    return Phases(PIPELINE, world, Shown(world), world, steps or tuple(Step))


def runs(found: Any) -> list[Run]:
    return [run for group in found.groups for run in group]


def test_the_steps_come_in_order_and_a_seed_ends() -> None:
    """A step before the one it is made from would compute from old results."""
    everywhere = {"a.md": ["texts", "places"]}
    world = World(everywhere, {}, {"topic": ["groups"]}, ["everything"], {}, OutOfSync(["groups"], ["everything"]))
    way = phases(world)
    seen: list[Step] = []
    while found := way.next(PLAN):
        seen.append(found.step)
    assert seen == [Step.DOCUMENTS, Step.CLUSTERS, Step.CORPUS, Step.PLACES, Step.RECORDS]


def test_a_step_without_work_starts_no_run() -> None:
    """An empty run would cost a second and a row in Dagster's list."""
    assert phases(World()).next(PLAN) is None
    found = phases(World(of_corpus=["everything"])).next(PLAN)
    assert found is not None
    assert runs(found) == [Run(Phase.CORPUS, ["everything"])]


def test_a_step_is_repeated_while_its_work_becomes_other_work() -> None:
    """Documents beside a failed one would not reach the tables in the same seed."""
    world = World({"a.md": ["texts"], "b.md": ["texts"]}, types={"topic": ["groups"]})
    way = phases(world)
    steps: list[Step] = []
    for left in ({"b.md": ["texts"]}, {"b.md": ["texts"]}, {}):
        found = way.next(PLAN)
        assert found is not None
        steps.append(found.step)
        world.todo = left
    assert steps == [Step.DOCUMENTS, Step.DOCUMENTS, Step.CLUSTERS]


def test_a_step_that_did_its_work_in_vain_comes_again_only_if_asked_for() -> None:
    """A seed would never end, or give up after somebody deleted partitions under it."""
    world = World({"a.md": ["texts"]})
    way = phases(world)
    assert way.next(PLAN) is not None
    assert way.next(PLAN, repeat=True) is not None
    assert way.next(PLAN) is None


def test_a_step_is_left_if_none_of_its_runs_can_be_started() -> None:
    """A tick would compare all documents a second time, only to find the same."""
    world = World({"a.md": ["texts"]}, types={"topic": ["groups"]})
    way = phases(world)
    found = way.next(PLAN)
    assert found is not None
    way.leave(found.step)
    following = way.next(PLAN)
    assert following is not None
    assert following.step is Step.CLUSTERS
    way.leave(found.step)
    assert way.next(PLAN, repeat=True) is not None, "an earlier step is left already"


def test_no_step_comes_again_after_a_later_one() -> None:
    """A corpus that changes all the time would keep a seed from its later steps."""
    world = World(types={"topic": ["groups"]})
    way = phases(world)
    found = way.next(PLAN)
    assert found is not None
    assert found.step is Step.CLUSTERS
    world.types, world.todo = {}, {"a.md": ["texts", "places"]}
    found = way.next(PLAN)
    assert found is not None
    assert (found.step, found.todo) == (Step.PLACES, {"a.md": ["places"]})


def test_a_run_of_documents_has_their_range_and_only_the_stages_that_one_of_them_needs() -> None:
    """Each stage that is visited in vain costs events for every document of the range."""
    found = phases(World({"a.md": ["words"], "c.md": ["words"]})).next(PLAN)
    assert found is not None
    (run,) = runs(found)
    assert (run.phase, list(run.stages), run.range) == (Phase.DOCUMENTS, ["words"], ("a.md", "c.md"))
    assert list(run.members) == ["a.md", "b.md", "c.md"]
    assert run.todo == {"a.md": ["words"], "c.md": ["words"]}


def test_a_document_that_failed_is_avoided_by_the_runs_of_others() -> None:
    """One failed document would take all documents of its range along."""
    blocked = {"b.md": frozenset({"texts", "words"})}
    found = phases(World({"a.md": ["words"], "c.md": ["words"]}, blocked)).next(PLAN)
    assert found is not None
    assert [run.range for run in runs(found)] == [("a.md", "a.md"), ("c.md", "c.md")]


def test_what_is_only_shown_wrongly_is_visited_too_and_failed_documents_by_themselves() -> None:
    """Dagster would go on showing what is current as missing, or everything beside a failed document as failed."""
    world = World(
        {"a.md": ["words"]},
        {"c.md": frozenset({"texts"}), "d.md": frozenset({"words"})},
        wrong={"b.md": ["texts"], "c.md": ["texts"], "d.md": ["words"]},
    )
    found = phases(world).next(PLAN)
    assert found is not None
    assert [(run.range, list(run.stages)) for run in runs(found)] == [
        (("a.md", "b.md"), ["texts", "words"]),
        (("c.md", "c.md"), ["texts"]),
        (("d.md", "d.md"), ["words"]),
    ]


def test_the_ranges_of_a_group_are_found_when_its_turn_comes() -> None:
    """To find ranges may move partitions; a sensor that starts only the first group must not move those of others."""
    world = World({"a.md": ["words"], "c.md": ["words"]}, {"c.md": frozenset({"texts"})})
    found = phases(world).next(PLAN)
    assert found is not None
    first = list(next(found.groups))
    assert [run.range for run in first] == [("a.md", "a.md")]
    assert world.asked == [{"a.md"}]


def test_cluster_types_share_a_run_and_the_records_come_group_by_group() -> None:
    """Two runs would cluster in two steps what one step can do."""
    found = phases(World(types={"topic": ["groups"], "concept": ["groups"]})).next(PLAN)
    assert found is not None
    assert runs(found) == [Run(Phase.CLUSTERS, ["groups"], ("topic", "concept"), ["topic", "concept"])]

    found = phases(World(wrong_corpus=OutOfSync(["groups"], ["everything"])), Step.RECORDS).next(PLAN)
    assert found is not None
    assert [[run.phase for run in group] for group in found.groups] == [[Phase.CLUSTERS], [Phase.CORPUS]]
