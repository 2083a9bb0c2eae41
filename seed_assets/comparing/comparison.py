"""What a comparison found: for each document and stage the published result beside that of the changed settings, and the sums.

What belongs here: the types, and what follows from their fields. What does not: finding them (comparing), and how they are
printed (cli).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from io_managers.store.action_cache import Provenance
from resources.endpoints.llm import Usage
from seed_assets.core.judging.model_preference import Preference
from seed_assets.core.judging.verdicts import Judgement, Verdict
from seed_assets.explaining.key_changes import Change
from seed_assets.memo.accounts import paid_for


@dataclass(frozen=True, slots=True)
class Spent:
    """What results had cost, when they were made. seconds: of work; several requests may have been under way at once."""

    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, provenance: Provenance) -> "Spent":
        """What one result had cost."""
        return cls.of_usage(paid_for(provenance), provenance.seconds)

    @classmethod
    def of_usage(cls, usage: Usage, seconds: float = 0.0) -> "Spent":
        """The same of what was added up elsewhere."""
        return cls(usage.requests, usage.tokens, usage.usd, usage.unpriced, seconds)

    def plus(self, other: "Spent") -> "Spent":
        """The sum of two."""
        return Spent(
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.usd + other.usd,
            self.unpriced + other.unpriced,
            self.seconds + other.seconds,
        )

    def times(self, factor: float) -> "Spent":
        """A multiple; numbers of requests and tokens are rounded."""
        requests, tokens, unpriced = (round(n * factor) for n in (self.requests, self.tokens, self.unpriced))
        return Spent(requests, tokens, self.usd * factor, unpriced, self.seconds * factor)


def summed(costs: Iterable[Spent]) -> Spent:
    """The sum of all of these."""
    found = Spent()
    for cost in costs:
        found = found.plus(cost)
    return found


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two results.

    value: as the stage returned it. shown: the value as text for people. model: "" if none was asked.
    """

    value: Any
    shown: str
    cost: Spent
    model: str = ""


@dataclass(frozen=True, slots=True)
class StageComparison:
    """Two results of a stage for one document.

    before: what is published; None if nothing is. now: under the changed settings; None if there is none. difference: how the
    values differ, "" if they are equal. failure: why there is no result now, with the remedy; "" if there is one. untried:
    whether that is because the comparison ended before.
    """

    stage: str
    before: Side | None
    now: Side | None
    difference: str = ""
    failure: str = ""
    untried: bool = False


@dataclass(frozen=True, slots=True)
class DocumentComparison:
    """Both results of all compared stages for one document.

    preference: which account of the document the judge prefers, the first being the published one; None if it was not asked, or
    the two are equal. no_preference: why it could not say, "" if it could or was not asked.
    """

    document: str
    stages: tuple[StageComparison, ...]
    preference: Preference | None = None
    no_preference: str = ""

    def with_preference(self, preference: Preference | None, why_not: str = "") -> "DocumentComparison":
        """The same with what the judge said."""
        return replace(self, preference=preference, no_preference=why_not)


@dataclass(frozen=True, slots=True)
class Projection:
    """What it would cost to compute everything that a change of settings makes stale.

    documents: how many are left, without those of the sample, which are done. expected: by the sample, in proportion to the
    sizes of the files. at_most: by the plan, for stages of documents. at_most_elsewhere: for stages of clusters and of the
    corpus, which a sample says nothing about.
    """

    documents: int
    expected: Spent
    at_most: Spent
    at_most_elsewhere: Spent


@dataclass(slots=True)
class Comparison:
    """A change of settings, and what it does to a sample of documents.

    changes: stage -> the differences of its keys that the settings make. elsewhere: those of its names that have no results of
    single documents. candidates: how many documents the sample was taken from. judge: the model that was asked which text is
    better, "" for none. paid: what this comparison cost; paid_to_judge: the part of it for preferences. kept: stages of which
    the settings keep published results, so that a seed would use the change for new and edited documents only. stopped: why not
    all documents were tried, "" if all were.
    """

    changes: Mapping[str, Sequence[Change]]
    elsewhere: tuple[str, ...] = ()
    documents: list[DocumentComparison] = field(default_factory=list[DocumentComparison])
    candidates: int = 0
    judge: str = ""
    paid: Spent = Spent()
    paid_to_judge: Spent = Spent()
    projection: Projection | None = None
    kept: tuple[str, ...] = ()
    stopped: str = ""

    @property
    def failed(self) -> bool:
        """Whether a document has no result now because of a failure."""
        return any(one.failure and not one.untried for document in self.documents for one in document.stages)

    def stages(self) -> list[str]:
        """The compared stages, in order."""
        return list(dict.fromkeys(one.stage for document in self.documents for one in document.stages))

    def both(self, stage: str) -> list[tuple[Side, Side]]:
        """The two results of each document that has both."""
        found = (one for document in self.documents for one in document.stages if one.stage == stage)
        return [(one.before, one.now) for one in found if one.before is not None and one.now is not None]

    def different(self, stage: str) -> int:
        """For how many documents the two results of a stage differ."""
        return sum(bool(one.difference) for document in self.documents for one in document.stages if one.stage == stage)

    def costs(self, stage: str) -> tuple[Spent, Spent]:
        """What the published results of a stage had cost, and what those of the changed settings did, where there are both."""
        both = self.both(stage)
        return summed(before.cost for before, _ in both), summed(now.cost for _, now in both)

    def verdicts(self) -> tuple[list[Verdict], list[Verdict]]:
        """The verdicts on all published texts, and on those of the changed settings, of documents that have both."""
        both = [pair for stage in self.stages() for pair in self.both(stage)]
        judged = [(b.value.verdict, n.value.verdict) for b, n in both if _judged(b) and _judged(n)]
        return [before for before, _ in judged], [now for _, now in judged]

    def to_review(self) -> tuple[int, int]:
        """How many texts need review, published and under the changed settings."""
        both = [pair for stage in self.stages() for pair in self.both(stage) if all(map(_judged, pair))]
        return sum(before.value.needs_review for before, _ in both), sum(now.value.needs_review for _, now in both)

    def preferred(self) -> Counter[str]:
        """How many documents the judge prefers which text of: `before`, `now`, `tie`; and of how many both texts are `equal`."""
        names = {"first": "before", "second": "now", "tie": "tie"}
        found = Counter(names[one.preference.better] for one in self.documents if one.preference)
        found["swayed"] = sum(one.preference.swayed for one in self.documents if one.preference)
        return found


def _judged(side: Side) -> bool:
    return isinstance(side.value, Judgement)
