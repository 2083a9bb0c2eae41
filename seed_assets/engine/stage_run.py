"""What becomes of documents in a stage: results, failures and their kinds, counted by stage.

Results are computed in stage_work. The report of a whole seed is in seeding.seed_report.
"""

from dataclasses import dataclass, field

from io_managers.store.errors import StoreError
from io_managers.store.values import Result
from resources.endpoints.llm import EndpointError
from resources.errors import ConfigurationError, DocumentError


@dataclass(slots=True)
class StageRun:
    """What became of the documents of one stage.

    results: by partition, all durable. failures: by partition. repaired: results of upstream stages that had to be computed
    again because their values were corrupt, by stage. waiting: those whose requests are in a batch. stopped: why some documents
    were not begun, "" if all were. fault: an error that every other document would meet too.
    """

    stage: str
    results: dict[str, Result] = field(default_factory=dict)
    failures: dict[str, DocumentError] = field(default_factory=dict)
    repaired: dict[str, dict[str, Result]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    stopped: str = ""
    fault: StoreError | ConfigurationError | None = None


@dataclass(slots=True)
class Tally:
    """What a run did in one stage so far.

    visited: documents that have a result; computed: those of them that had none before; failed: by document; waiting: for a
    batch.
    """

    visited: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    failed: dict[str, DocumentError] = field(default_factory=dict)
    seconds: float = 0.0
    waiting: set[str] = field(default_factory=set)


class BlockedError(DocumentError):
    """A document without a result that it needs. It did not fail itself."""

    def __init__(self, stage: str) -> None:
        super().__init__(
            f"{stage} has no result for this document.",
            f"Materialize {stage} for it first, or run `seedbank seed`.",
            transient=True,
        )


class NotBegunError(DocumentError):
    """A document that was left out because the stage's endpoint answers no request. It did not fail itself."""

    def __init__(self, error: EndpointError) -> None:
        super().__init__(error.reason, error.remedy, transient=True)


class InputChangedError(Exception):
    """An input was computed again and has another result, so the key must be formed again."""
