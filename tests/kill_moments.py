"""Kills `seedbank seed` at moments spread over every stage and the sink's writes, and shows that nothing finished is lost.

    python -m tests.kill_moments [--moments 20] [--later 0] [--seed N] [--corpus DIR]

What belongs here: which moments of a first seed there are, and what must hold after each. What does not: how a process is
started and seen from outside (seed_process), and what is killed or stopped after a first seed (later_kill_moments), of
which the program disturbs `--later` commands.

A moment is something that can be seen from outside: so many actions in the store, a manifest in a table's folder. So
each falls where its name says, whatever the speed of the machine.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from resources.tables.lance import LanceTables
from resources.tables.lance_marker import newest_version, read_mark
from resources.tables.lance_schema import TABLES
from seed_assets.stages.documents.embeddings import TEXT_EMBEDDING
from tests.later_kill_moments import disturb, later_moments
from tests.support.seed_process import (
    SAMPLE,
    SLOW,
    Finished,
    Seed,
    Undisturbed,
    actions,
    committed,
    dagster_runs,
    published,
    rows,
    seed,
    seedbank,
    undisturbed,
)
from tests.support.slow_seed import EMBEDDED

# A run that is over before the kill arrives shows nothing: the moment is tried again.
_ATTEMPTS = 5
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill. group: "stage", "between" (stages) or "sink"; reached: whether it has come in a home."""

    name: str
    group: str
    reached: Callable[[Path], bool]


@dataclass(frozen=True, slots=True)
class Killed:
    """One kill and the run after it.

    met: how far the tables were. committed: stage -> actions that the killed run had committed. computed: stage -> what
    the next run computed. embedded: texts that it asked the embedder for. wrong: what is not as it must be.
    """

    moment: Moment
    met: str
    committed: Counter[str]
    computed: Counter[str]
    embedded: int
    wrong: tuple[str, ...]


def moments(reference: Undisturbed, seed_number: int) -> Iterator[Moment]:
    """Moments of a run over the corpus of `reference`, at random places within each stage."""
    chance = random.Random(seed_number)
    totals = Counter(reference.actions.values())
    yield Moment("the store is there, nothing else", "between", lambda home: (home / "store" / "store.db").exists())
    yield Moment("Dagster's records are being made", "between", lambda home: any((home / "dagster").glob("*")))
    yield Moment("Dagster's run has begun", "between", lambda home: "STARTED" in dagster_runs(home).values())
    for stage, total in totals.items():
        if total > 1:
            yield _after(stage, chance.randrange(1, total))
    for stage in ("extracted_text", "summaries"):
        yield _unpublished(stage, totals[stage])
        yield _published(stage)
    for table in TABLES:
        yield _announced(table)
        yield _half_written(table)
        yield _written(table)
    yield Moment("search_index: its files are being written", "sink", _indexing)
    yield Moment(
        "search_index: made, not published", "sink", lambda home: (newest_version(_folder(home, "chunks")) or 0) >= 4
    )


def choose(reference: Undisturbed, seed_number: int, count: int) -> list[Moment]:
    """So many moments, at least one of each group where there are three; more than there are come again, elsewhere."""
    chance = random.Random(seed_number)
    chosen: list[Moment] = []
    while len(chosen) < count:
        found = list(moments(reference, seed_number + len(chosen)))
        firsts = [
            chance.choice([moment for moment in found if moment.group == g]) for g in ("stage", "between", "sink")
        ]
        others = [moment for moment in found if moment not in firsts]
        chance.shuffle(others)
        left = set((firsts + others)[: count - len(chosen)])
        chosen += [moment for moment in found if moment in left]
    return chosen


def kill_and_go_on(moment: Moment, reference: Undisturbed, corpus: Path, directory: Path) -> Killed:
    """Kill a cold seed at a moment, then seed again. Raises RuntimeError where the kill always came too late."""
    for attempt in range(_ATTEMPTS):
        home = directory / f"home-{attempt}"
        with Seed(home, "seed", "--corpus", str(corpus), "--json") as running:
            reached = running.wait_until(lambda home=home: moment.reached(home))
            ended = running.kill()
        if reached and ended.status == -9:
            break
        if ended.status != -9 and ended.status != 0:
            raise RuntimeError(f"The run to be killed failed by itself.\n{ended.printed()}")
    else:
        raise RuntimeError(f"The run was over before it could be killed: {moment.name}.")
    before, met = actions(home), _met(home)
    had_runs = dagster_runs(home)
    clean = seedbank(home, "cache", "verify") if (home / "home.json").exists() else None
    counts = directory / "embedded"
    after = seed(home, corpus, program=SLOW, environment={EMBEDDED: str(counts)})
    embedded = sum(map(int, counts.read_text().split())) if counts.exists() else 0
    again = seed(home, corpus)
    had = Counter(before.values())
    wrong = tuple(_wrong(reference, home, before, had_runs, clean, after, embedded, again))
    return Killed(moment, met, had, Counter(after.computed) if not after.status else Counter(), embedded, wrong)


def _met(home: Path) -> str:
    """The version of each table that was begun, and whether its rows are published."""
    described: list[str] = []
    for table in TABLES:
        folder = _folder(home, table)
        if mark := read_mark(folder):
            state = "a commit under way, " if mark.committing else ""
            count = published(home)[f"lance_{table}"]
            described.append(f"{table} at version {newest_version(folder) or 0}, {state}{count} published")
    return "; ".join(described)


def _wrong(
    reference: Undisturbed,
    home: Path,
    before: dict[str, str],
    had_runs: dict[str, str],
    clean: Finished | None,
    after: Finished,
    embedded: int,
    again: Finished,
) -> Iterator[str]:
    """What is not as it must be after a kill, a look at the store, a seed and another seed."""
    if clean is not None and clean.status:
        yield f"the store was not clean: {clean.printed()}"
    if after.status:
        yield f"the next run failed: {after.printed()}"
        return
    if not before.items() <= reference.actions.items():
        yield "the killed run committed actions that an undisturbed one does not"
    if actions(home) != reference.actions:
        yield "the actions are not those of an undisturbed run"
    missing = Counter(reference.actions.values()) - Counter(before.values())
    texts = missing.pop(TEXT_EMBEDDING, 0)
    missing.pop("topic_basis", 0)  # made with the clusters
    computed = {name: count for name, count in after.computed.items() if name in reference.actions.values()}
    if computed != missing:
        yield f"{dict(missing)} were not committed, and {computed} were computed"
    if embedded != texts:
        yield f"{texts} texts had no embedding, and {embedded} were embedded"
    for name, table in rows(home).items():
        if not table.equals(reference.rows[name]):
            yield f"the rows of {name} are not those of an undisturbed run"
    statuses = dagster_runs(home)
    if not had_runs.keys() <= statuses.keys() or not _ENDED.issuperset(statuses.values()):
        yield f"Dagster's runs were {had_runs} and are {statuses}"
    if again.status or again.report["runs"]:
        yield f"another seed found something to do: {again.printed()}"


def _after(stage: str, count: int) -> Moment:
    return Moment(f"{stage}: {count} committed", "stage", lambda home: committed(home)[stage] >= count)


def _unpublished(stage: str, total: int) -> Moment:
    return Moment(
        f"{stage}: all committed, perhaps not published", "between", lambda home: committed(home)[stage] >= total
    )


def _published(stage: str) -> Moment:
    return Moment(f"{stage}: published", "between", lambda home: published(home)[stage] > 0)


def _announced(table: str) -> Moment:
    return Moment(
        f"{table}: its first commit is announced", "sink", lambda home: read_mark(_folder(home, table)) is not None
    )


def _half_written(table: str) -> Moment:
    return Moment(
        f"{table}: rows are being written, not committed", "sink", lambda home: any(_folder(home, table).glob("data/*"))
    )


def _written(table: str) -> Moment:
    return Moment(
        f"{table}: rows committed, not published", "sink", lambda home: (newest_version(_folder(home, table)) or 0) >= 2
    )


def _indexing(home: Path) -> bool:
    return any(_folder(home, "chunks").glob("_indices/*"))


def _folder(home: Path, table: str) -> Path:
    return LanceTables(home / "lancedb").folder(table)


def main() -> int:
    """Kill and go on, so many times; print a line for each. Gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill_moments", description=main.__doc__)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--later", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, default=SAMPLE)
    options = parser.parse_args()
    corpus = options.corpus.absolute()
    print(f"An undisturbed run over {corpus} first ...", flush=True)
    reference = undisturbed(corpus)
    print(
        f"{len(reference.actions)} actions; {', '.join(f'{n}: {t.num_rows} rows' for n, t in reference.rows.items())}"
    )
    total = Counter(reference.actions.values())
    failed = 0
    for number, moment in enumerate(choose(reference, options.seed, options.moments), 1):
        with tempfile.TemporaryDirectory(prefix="seedbank-killed-") as directory:
            killed = kill_and_go_on(moment, reference, corpus, Path(directory))
        counts = ", ".join(f"{name} {killed.committed[name]}/{total[name]}" for name in total if killed.committed[name])
        computed = sum(killed.computed[name] for name in total) + killed.embedded
        print(f"{number:>3}. {moment.name}\n     committed: {counts or 'nothing'}; {killed.met or 'no table yet'}")
        print(f"     the next run computed {computed} of {total.total()}", flush=True)
        for line in killed.wrong:
            print(f"     WRONG: {line}", flush=True)
        failed += bool(killed.wrong)
    for number, later in enumerate(later_moments(options.seed, options.later), options.moments + 1):
        with tempfile.TemporaryDirectory(prefix="seedbank-killed-") as directory:
            wrong = disturb(later, reference, corpus, Path(directory))
        print(f"{number:>3}. {later.name}", flush=True)
        for line in wrong:
            print(f"     WRONG: {line}", flush=True)
        failed += bool(wrong)
    count = options.moments + options.later
    print(f"{count - failed} of {count} lost nothing that was finished.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
