"""The recent health of an endpoint: whether it answers at all, and whether it had an outage when an answer was wrong.

It is judged from the requests of this process. A model that answers one question wrongly twice is at fault. A server that
failed other questions at the same time, or gave no right answer to any, had an outage, which is a transient failure.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

OUTAGE_SECONDS = 60.0
"""Failures this long before or after an answer belong to the same outage (a judgement)."""
# More events than all requests within an outage; a bound on memory.
_MOST_EVENTS = 512
# Wrong answers to two other questions in a row point to an outage (a judgement); one may be chance.
_MANY_IN_A_ROW = 2

Event = Literal["answered", "wrong", "failed"]
"""How an attempt ended: with a right answer, a wrong answer, or a failure of the endpoint."""


@dataclass(slots=True)
class EndpointHealth:
    """How the last requests ended, with the questions that they were sent for."""

    _events: deque[tuple[float, object, Event]] = field(
        default_factory=lambda: deque[tuple[float, object, Event]](maxlen=_MOST_EVENTS)
    )
    _has_answered: bool = False
    _answered_at: float = float("-inf")

    def record(self, question: object, event: Event) -> None:
        """Record that an attempt for a question has ended now, and how."""
        now = time.monotonic()
        self._events.append((now, question, event))
        if event != "failed":
            self._answered_at = now
        self._has_answered = self._has_answered or event == "answered"

    def record_any_answer(self) -> None:
        """Record that the endpoint answered a request, whether or not the answer is usable."""
        self._answered_at = time.monotonic()

    def has_answered_since(self, since: float) -> bool:
        """Whether any request was answered since a time (of time.monotonic())."""
        return self._answered_at >= since

    def was_down(self, question: object, began: float, ended: float) -> bool:
        """Whether an outage explains the wrong answers to a question that was asked from `began` to `ended`.

        The result may change for OUTAGE_SECONDS after the end, since later failures count as well.
        """
        others = [(at, event) for at, asked, event in self._events if asked is not question]
        if any(event == "failed" and began - OUTAGE_SECONDS <= at <= ended + OUTAGE_SECONDS for at, event in others):
            return True
        meanwhile = [event for at, event in others if began <= at <= ended]
        if not self._has_answered or "answered" in meanwhile:
            return False
        return bool(meanwhile) or self._wrong_neighbours(question, began, ended) >= _MANY_IN_A_ROW

    def _wrong_neighbours(self, question: object, began: float, ended: float) -> int:
        """How many other questions were answered wrongly directly before or after this one, without a right answer between.

        This is for endpoints to which one question is sent at a time.
        """
        others = [found for found in self._events if found[1] is not question]
        before = [found for found in reversed(others) if began - OUTAGE_SECONDS <= found[0] < began]
        after = [found for found in others if ended < found[0] <= ended + OUTAGE_SECONDS]
        wrong: set[int] = set()
        for side in (before, after):
            for _, asked, event in side:
                if event == "answered":
                    break
                wrong.add(id(asked))
        return len(wrong)


@dataclass(frozen=True, slots=True)
class HealthOutageCheck:
    """Tells whether an outage explains the wrong answers to one question, by what is known when it is called."""

    health: EndpointHealth
    question: object
    began: float
    ended: float

    def is_passing(self) -> bool:
        """See EndpointHealth.was_down."""
        return self.health.was_down(self.question, self.began, self.ended)
