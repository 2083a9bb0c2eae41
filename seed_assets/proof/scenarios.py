"""What goes wrong in the proof, one scenario after the other, and what the server counts meanwhile.

What belongs here: faults and changes, and the seeds before and after them. What does not: processes (commands), the server
(counting_server), and the comparison of the knowledge base with its answers (lost_answers).
"""

import resource
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seed_assets.core.prompting.prompts import FOLDER
from seed_assets.proof import documents
from seed_assets.proof.commands import Commands, Finished, ProofError, Running
from seed_assets.proof.counting_server import CountingServer, Counts
from seed_assets.proof.lost_answers import lost_answers

JUDGE = "judge-1"
IN_FLIGHT = 4
"""How many requests the home of a scenario has in flight at most: so many can be under way when a process is killed."""
# A kill or a full disk comes after so many answered chats: in the middle of the summaries.
_ANSWERED_BEFORE = 5
_DROPPED_EVERY = 3
_FAILED = 1
_POLL_SECONDS = 0.01
_SETTINGS = """corpus = "documents"
home = "home"
prices = "prices.toml"

[llm]
provider = "openai"
base_url = "{url}/v1"
model = "writer-1"
rpm = 0
in_flight = {in_flight}

[judge]
model = "{judge}"

[embeddings]
provider = "openai"
base_url = "{url}/v1"
model = "vectors-1"
dimensions = 32
parameters = {{ dimensions = 32 }}
rpm = 0

[clusters]
types = ["field:shelf"]
"""
_PRICES = """as_of = 2026-01-01

[models]
"writer-1" = { input = 1.0, output = 4.0 }
"judge-1" = { input = 0.5, output = 2.0 }
"vectors-1" = { input = 0.1 }
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scenario.

    counts: what the server counted from its beginning to its end. lost: answers that are missing in the knowledge base
    afterwards. wrong: what else is not as it must be, such as an account that differs from the server's. seconds: how long it
    took.
    """

    scenario: str
    counts: Counts
    lost: tuple[str, ...]
    wrong: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing was paid twice, and nothing is lost or wrong."""
        return not (self.counts.twice or self.lost or self.wrong)


@dataclass(slots=True)
class _Ending:
    """How the commands of a scenario ended. wrong: what is not as it must be."""

    wrong: list[str] = field(default_factory=list)

    def expect(self, finished: Finished, status: int, what: str) -> None:
        """Note if a command did not end with this status."""
        if finished.status != status:
            shown = " ".join(finished.errors.split())[-500:] or finished.output[-500:]
            self.wrong.append(f"{what} ended with status {finished.status} and not {status}. {shown}")


class _Place:
    """A folder with documents, a home and settings of its own."""

    def __init__(self, folder: Path, server: CountingServer, commands: Commands) -> None:
        self.documents = folder / "documents"
        self.home = folder / "home"
        self.config = folder / "seedbank.toml"
        self._commands = commands
        documents.write_documents(self.documents)
        self.config.write_text(_SETTINGS.format(url=server.url, in_flight=IN_FLIGHT, judge=JUDGE), "utf-8")
        (folder / "prices.toml").write_text(_PRICES, "utf-8")

    def seed(self, *options: str, **how: Any) -> Running:
        """Start `seedbank seed`."""
        return self._commands.start("seed", "--json", *options, config=self.config, **how)

    def rows(self) -> Any:
        """The rows of the tables."""
        program = f"{__package__}.knowledge_base"
        return self._commands.run(str(self.home / "lancedb"), config=self.config, module=program).printed()

    def account_faults(self, counts: Counts) -> list[str]:
        """Where the account of the home differs from what the server has counted for it."""
        shown = self._commands.run("cache", "stats", "--json", config=self.config).printed()["models"]
        answered = sum(found["outcomes"].get("answered", 0) for found in shown)
        wasted = sum(found["wasted"]["tokens"] for found in shown)
        tokens = sum(found["input_tokens"] + found["output_tokens"] for found in shown) - wasted
        return [
            f"`cache stats` says {said:,} {what}, and the server has counted {counted:,}."
            for said, counted, what in (
                (answered, counts.answered, "requests were answered"),
                (tokens, counts.tokens, "tokens were paid for them"),
            )
            if said != counted
        ]

    @property
    def store(self) -> Path:
        """The database of the store."""
        return self.home / "store" / "store.db"


Scenario = Callable[["_Place", CountingServer, _Ending], None]


def outcomes(folder: Path, server: CountingServer, commands: Commands) -> Iterator[Outcome]:
    """Carry out all scenarios, below a folder, and yield what became of each. Raises ProofError."""
    for name, scenarios in _PLACES.items():
        place, at_first = _Place(folder / name, server, commands), server.counts()
        for title, scenario in scenarios:
            before, started, ending = server.counts(), time.perf_counter(), _Ending()
            scenario(place, server, ending)
            lost = tuple(lost_answers(place.documents, server.exchanges, server.embedded, place.rows(), JUDGE))
            counts = server.counts() - before
            wrong = (*ending.wrong, *place.account_faults(server.counts() - at_first))
            yield Outcome(title, counts, lost, wrong, time.perf_counter() - started)
        # Every scenario on a new home has the same documents, so the next one is asked everything for the first time.
        server.forget()


def _undisturbed(place: _Place, server: CountingServer, ending: _Ending) -> None:
    ending.expect(place.seed().wait(), 0, "The seed")


def _nothing(place: _Place, server: CountingServer, ending: _Ending) -> None:
    before = server.counts()
    _undisturbed(place, server, ending)
    if (server.counts() - before).requests:
        ending.wrong.append("A seed with nothing to do sent requests.")


def _dropped(place: _Place, server: CountingServer, ending: _Ending) -> None:
    before = server.counts()
    server.drop_every(_DROPPED_EVERY)
    _undisturbed(place, server, ending)
    server.drop_every(0)
    if not (server.counts() - before).unanswered:
        ending.wrong.append("No answer was dropped.")


def _unwritable(place: _Place, server: CountingServer, ending: _Ending) -> None:
    """A file stands where the folder of a table has to be."""
    obstacle = place.home / "lancedb" / "chunks.lance"
    obstacle.parent.mkdir(parents=True)
    obstacle.write_bytes(b"")
    ending.expect(place.seed(fresh=True).wait(), _FAILED, "The seed that could not write a table")
    obstacle.unlink()
    ending.expect(place.seed().wait(), 0, "The seed after it")


def _killed(place: _Place, server: CountingServer, ending: _Ending) -> None:
    before = server.counts()
    server.hold_chats_after(_ANSWERED_BEFORE)
    killed = place.seed(fresh=True)
    _until_held(killed, server)
    killed.kill()
    server.abandon()
    if (server.counts() - before).unanswered != IN_FLIGHT:
        ending.wrong.append(f"Not {IN_FLIGHT} requests were in flight at the kill.")
    ending.expect(place.seed().wait(), 0, "The seed after the kill")


def _full(place: _Place, server: CountingServer, ending: _Ending) -> None:
    """From a moment on, no file of the process may grow beyond the size of the store's log, so nothing can be committed."""
    server.hold_chats_after(_ANSWERED_BEFORE)
    stopped = place.seed()
    _until_held(stopped, server)
    size = place.store.with_name("store.db-wal").stat().st_size
    _, hard = resource.prlimit(stopped.number, resource.RLIMIT_FSIZE)
    resource.prlimit(stopped.number, resource.RLIMIT_FSIZE, (size, hard))
    server.release()
    ending.expect(stopped.wait(), _FAILED, "The seed whose disk was full")
    ending.expect(place.seed().wait(), 0, "The seed after it")


def _flipped(place: _Place, server: CountingServer, ending: _Ending) -> None:
    """One bit of a summary and one of a document's vectors; rebuilding the tables opens every value."""
    with closing(sqlite3.connect(place.store)) as store, store:
        for stage, document in (("summaries", "amber.md"), ("embeddings", "indigo.md")):
            wanted = "SELECT content_digest FROM refs WHERE stage = ? AND partition = ?"
            (digest,) = store.execute(wanted, (stage, document)).fetchone()
            (data,) = store.execute("SELECT data FROM objects WHERE content_digest = ?", (digest,)).fetchone()
            flipped = bytes([*data[:-1], data[-1] ^ 1])
            store.execute("UPDATE objects SET data = ? WHERE content_digest = ?", (flipped, digest))
    ending.expect(place.seed("--rebuild-sink").wait(), 0, "The seed")


def _prompt_changed(place: _Place, server: CountingServer, ending: _Ending) -> None:
    prompts = place.config.parent / "prompts"
    shutil.copytree(FOLDER, prompts)
    changed = prompts / "summaries.toml"
    text = changed.read_text("utf-8")
    changed.write_text(text.replace("Summarise this document in", "Summarise the following document in"), "utf-8")
    if changed.read_text("utf-8") == text:
        ending.wrong.append("The prompt was not changed.")
    ending.expect(place.seed(prompts=prompts).wait(), 0, "The seed")


def _changed(change: Callable[[Path], None]) -> Scenario:
    def scenario(place: _Place, server: CountingServer, ending: _Ending) -> None:
        change(place.documents)
        _undisturbed(place, server, ending)

    return scenario


def _until_held(running: Running, server: CountingServer) -> None:
    """Wait until as many requests are in flight as may be. Raises ProofError if that does not come."""
    while server.held < IN_FLIGHT:
        if not running.running():
            raise ProofError(f"The seed ended before it could be disturbed. {running.wait().errors[-1000:]}")
        time.sleep(_POLL_SECONDS)


# Name of the folder -> its scenarios, each of which goes on from the one before.
_PLACES: dict[str, tuple[tuple[str, Scenario], ...]] = {
    "table": (("A table cannot be written, then it can", _unwritable),),
    "kill": (("Killed with kill -9 amid paid work", _killed),),
    "disk": (("The disk is full amid paid work", _full),),
    "drops": (("A third of the answers is dropped", _dropped),),
    "changes": (
        ("A seed without disturbance", _undisturbed),
        ("One bit flips in each of two stored results", _flipped),
        ("The prompt of the summaries is changed", _prompt_changed),
        ("The prompt is changed back", _undisturbed),
        ("A document is renamed", _changed(documents.rename)),
        ("A document is edited", _changed(documents.edit)),
        ("A document is removed", _changed(documents.remove)),
        ("Nothing has changed", _nothing),
    ),
}
