"""What a seed did, as its user is told.

What belongs here: the account, under the names that `seedbank seed --json` prints. What does not: filling it in (seeding)
and layout (cli).
"""

from dataclasses import dataclass, field

DONE, FAILED, BUDGET, INTERRUPT = 0, 1, 3, 130


@dataclass(slots=True)
class StageReport:
    """One stage of a seed. documents: that it was asked for; the rest, in documents too, unless they were blocked.

    unpriced_requests: those whose price is unknown, which `usd` leaves out.
    """

    documents: int = 0
    reused: int = 0
    computed: int = 0
    failed: int = 0
    seconds: float = 0.0
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced_requests: int = 0


@dataclass(frozen=True, slots=True)
class FailureReport:
    """What failed, why and what to do. document: "" where the fault is the stage's as a whole."""

    document: str
    stage: str
    reason: str
    remedy: str


@dataclass(slots=True)
class SeedReport:
    """What a seed did. exit_code: 0 done, 1 something failed, 3 the budget was spent, 130 interrupted."""

    stages: dict[str, StageReport] = field(default_factory=dict)
    failures: list[FailureReport] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    seconds: float = 0.0
    exit_code: int = DONE
    added: int = 0
    removed: int = 0
    skipped_files: int = 0
