"""Two seeds at once, on one store and one LanceDB: both go on, nothing is computed twice, no row is lost or doubled."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.pipelines import SINKS, SOURCES, essay
from tests.support.seed_process import SLOW, Finished, Seed, Undisturbed, actions, dagster_runs, rows, seed, undisturbed
from tests.support.slow_seed import EMBEDDED

pytestmark = pytest.mark.integration

TEXTS = 12


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two halves, some texts of which are equal."""
    folder = tmp_path_factory.mktemp("two-runs") / "corpus"
    for half in ("left", "right"):
        (folder / half).mkdir(parents=True)
        for number in range(TEXTS):
            # Every third text is in both halves: the first run that needs it computes it for both.
            subject = f"subject {number}" if number % 3 == 0 else f"{half} subject {number}"
            (folder / half / f"{number:02}.md").write_text(f"# {subject}\n\n{essay(subject)}")
    return folder


def both(home: Path, corpus: Path, *arguments: tuple[str, ...]) -> list[Finished]:
    """Two seeds, started together, each with its own arguments and its own count of embedded texts."""
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                Seed(
                    home,
                    *("seed", "--corpus", str(corpus), "--json", *own),
                    program=SLOW,
                    environment={EMBEDDED: str(home.with_name(f"embedded-{number}"))},
                )
            )
            for number, own in enumerate(arguments)
        ]
        return [process.finish() for process in running]


def check(home: Path, corpus: Path, finished: list[Finished], whole: Undisturbed) -> None:
    """What two runs did for documents is what one does."""
    for one in finished:
        assert one.status == 0, one.printed()
        assert one.errors == ""
    of_documents = {"text_embedding", *SOURCES}
    wanted = Counter(stage for stage in whole.actions.values() if stage in of_documents)
    assert {key for key, stage in actions(home).items() if stage in of_documents} == {
        key for key, stage in whole.actions.items() if stage in of_documents
    }
    texts = wanted.pop("text_embedding")
    computed = sum((Counter(one.computed) for one in finished), Counter())
    assert {name: computed[name] for name in wanted} == wanted
    embedded = [home.with_name(f"embedded-{number}") for number in range(len(finished))]
    assert sum(int(line) for file in embedded if file.exists() for line in file.read_text().split()) == texts
    found = rows(home)
    assert all(found[name].equals(whole.rows[name]) for name in ("documents", "chunks", "concepts", "judgements"))
    assert set(dagster_runs(home).values()) == {"SUCCESS"}
    again = seed(home, corpus)
    assert again.status == 0, again.printed()
    # Whether the corpus was looked at after the last that the other published is a matter of milliseconds.
    assert not again.computed.keys() & {*SOURCES, *SINKS}


def test_two_seeds_of_the_same_documents_share_the_work(corpus: Path, tmp_path: Path) -> None:
    """Started together on an empty home: whatever both miss, one computes and the other waits for."""
    home = tmp_path / "home"
    finished = both(home, corpus, (), ())
    check(home, corpus, finished, undisturbed(corpus))
    written = sum((Counter(one.computed) for one in finished), Counter())
    assert {written[f"lance_{table}"] for table in ("documents", "chunks", "concepts")} == {2 * TEXTS}


def test_two_seeds_of_different_documents_write_to_the_same_tables(corpus: Path, tmp_path: Path) -> None:
    """Each leaves the other's documents alone, and pays nothing for a text that the other has done."""
    home = tmp_path / "home"
    finished = both(home, corpus, ("--documents", "left/*"), ("--documents", "right/*"))
    assert [one.report["stages"]["lance_documents"]["documents"] for one in finished] == [TEXTS, TEXTS]
    check(home, corpus, finished, undisturbed(corpus))
