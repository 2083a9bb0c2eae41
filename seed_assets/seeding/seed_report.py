"""The report of a seed, under the names that `seedbank seed --json` prints.

It is filled in by seed_account, and printed by the cli.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resources.corpus.skipped_files import SkippedFiles
from seed_assets.session.sharing import Shared

if TYPE_CHECKING:
    from io_managers.sharing.editions.publishing import Published

# The exit statuses of `seedbank seed`. 130 is what shells give for an interrupt (128 + the signal's number).
DONE, FAILED, BUDGET, WAITING, INTERRUPT = 0, 1, 3, 4, 130


@dataclass(slots=True)
class StageReport:
    """One stage of a seed.

    documents: the number of units that the seed is for. reused, computed, failed, blocked: how many of them were found in the
    store, computed, failed, or wait for a stage before this one that failed. waiting: how many wait for a batch. seconds: how
    long the stage took. requests, tokens, usd: what was sent to models for it, and the price in dollars. unpriced_requests:
    requests whose price is unknown, which `usd` leaves out.
    """

    documents: int = 0
    reused: int = 0
    computed: int = 0
    failed: int = 0
    blocked: int = 0
    seconds: float = 0.0
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced_requests: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class FailureReport:
    """What failed.

    document: the unit; "" if the whole stage failed. stage: its name. reason: why it failed. remedy: what to do.
    """

    document: str
    stage: str
    reason: str
    remedy: str


@dataclass(slots=True)
class SeedReport:
    """What a seed did.

    stages: by name. failures: everything that failed. runs: the ids of its Dagster runs. seconds: how long it took. exit_code:
    0 done, 1 something failed, 3 the budget was spent, 4 documents wait for a batch, 130 interrupted. added, removed: how many
    documents came and went. without_text: documents that hold no text, such as photographs. skipped: the files of the corpus
    that are not documents. warned: how many of the documents have results with warnings. stopped: why the budget ended the
    spending. remedy: what can help; both are "" if the budget did not end it. corpus_stamp: if nothing was to be done, the
    stamp of the files for which that holds (see Scan.stamp), otherwise "". shared: what came from the remote and went to it.
    published: what became of publishing the tables; None if it was not due.
    """

    stages: dict[str, StageReport] = field(default_factory=dict)
    failures: list[FailureReport] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    seconds: float = 0.0
    exit_code: int = DONE
    added: int = 0
    removed: int = 0
    without_text: list[str] = field(default_factory=list)
    skipped: SkippedFiles = field(default_factory=SkippedFiles)
    warned: int = 0
    stopped: str = ""
    remedy: str = ""
    corpus_stamp: str = ""
    shared: Shared = field(default_factory=Shared)
    published: "Published | None" = None
