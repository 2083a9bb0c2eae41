"""What a seed and its worker processes send each other, and how it becomes bytes.

Both are processes of the same program and user, and nobody else has the pipe between them; so values are pickled, and no
format has to be kept.
"""

import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.endpoints.llm import EndpointError
from resources.settings.config import Settings
from seed_assets.engine.runner import RunOptions
from seed_assets.engine.stage_run import Tally
from seed_assets.memo.accounts import AccountsCopy

if TYPE_CHECKING:
    from seed_assets.orchestration.dagster_runs import FinishedRun


@dataclass(frozen=True, slots=True)
class Begin:
    """The first message to a worker: what it works with, and how many there are at most."""

    settings: Settings
    workers: int


@dataclass(frozen=True, slots=True)
class Task:
    """One run for a worker: stages over a range of documents, as a run of this job, with these options."""

    stages: Sequence[str]
    range: tuple[str, str] | None
    job: str
    options: RunOptions


@dataclass(frozen=True, slots=True)
class Noted:
    """What the observer of a worker's run has seen: the name of the method (engine.observer), and its arguments in order."""

    method: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task. tallies, faults, halted, over_budget, stopped: as in the runner. accounts: what was paid.

    spent_usd: what counts against the budget.
    """

    finished: "FinishedRun"
    tallies: Mapping[str, Tally]
    faults: Mapping[str, Exception]
    halted: Mapping[str, EndpointError]
    stopped: str
    over_budget: bool
    accounts: AccountsCopy
    spent_usd: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A task ended with an error that no stage has met, such as a database of Dagster that cannot be used."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Stop:
    """The worker is to finish what is in flight, and to begin nothing more."""


Message = Begin | Task | Stop | Noted | Outcome | Broken


def encoded(message: Message) -> bytes:
    """The bytes of a message."""
    data = io.BytesIO()
    _Pickler(data, pickle.HIGHEST_PROTOCOL).dump(message)
    return data.getvalue()


def decoded(data: bytes) -> Any:
    """The message of these bytes, which a process of this seed has written."""
    return pickle.loads(data)  # noqa: S301 - see the docstring of the module


class _Pickler(pickle.Pickler):
    """Pickles errors by what they hold, since the arguments of their classes differ from what Python keeps as theirs."""

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, Exception):
            return NotImplemented
        state = {name: value for name, value in vars(obj).items() if name not in ("outage_check", "__notes__")}
        return _error, (type(obj), obj.args, state, obj.__cause__)


def _error(kind: type[Exception], args: tuple[Any, ...], state: dict[str, Any], cause: Exception | None) -> Exception:
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(state)
    error.__cause__ = cause
    return error
