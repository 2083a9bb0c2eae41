"""Heartbeats of runs that are done on other machines, in the database of Dagster's records, which all of them reach.

What belongs here: who does a run, how often that was begun, and whether it has moved. What does not: what follows when it has
not (the run launcher). No clocks are compared: an observer sees whether a beat has changed since it looked before.

A run that is begun again elsewhere gets another owner. The earlier one, if it is not dead but was cut off, finds that at its next
beat and ends.
"""

from dataclasses import dataclass

from dagster import DagsterInstance


@dataclass(frozen=True, slots=True)
class Beat:
    """attempt: the number of the attempt, from 0. owner: the process that does the run. count: changes with each beat."""

    attempt: int
    owner: str
    count: int

    def text(self) -> str:
        """The form in the database."""
        return f"{self.attempt} {self.count} {self.owner}"

    @classmethod
    def parse(cls, text: str) -> "Beat | None":
        """Read the form in the database; None if it is none."""
        attempt, _, rest = text.partition(" ")
        count, _, owner = rest.partition(" ")
        return cls(int(attempt), owner, int(count)) if attempt.isdigit() and count.isdigit() else None


class RunBeats:
    """The heartbeats of runs in one instance. Methods raise what its database raises."""

    def __init__(self, instance: DagsterInstance) -> None:
        self._storage = instance.run_storage

    def of(self, run_id: str) -> Beat | None:
        """The last beat of a run; None if nobody has begun it."""
        key = _key(run_id)
        return Beat.parse(self._storage.get_cursor_values({key}).get(key, ""))

    def begin(self, run_id: str, attempt: int, owner: str) -> bool:
        """Begin an attempt of a run; False if it was begun before, as by a message that is delivered twice."""
        last = self.of(run_id)
        if last is not None and last.attempt >= attempt:
            return False
        self._beat(run_id, Beat(attempt, owner, 0))
        return True

    def beat(self, run_id: str, attempt: int, owner: str, count: int) -> bool:
        """Say that a run is alive; False if it has another owner by now, and this one has to end."""
        last = self.of(run_id)
        if last is not None and (last.attempt, last.owner) != (attempt, owner):
            return False
        self._beat(run_id, Beat(attempt, owner, count))
        return True

    def _beat(self, run_id: str, beat: Beat) -> None:
        self._storage.set_cursor_values({_key(run_id): beat.text()})


def _key(run_id: str) -> str:
    return f"seedbank run {run_id}"
