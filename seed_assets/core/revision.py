"""The walk of a text that is judged, sent back once, and judged again.

What belongs here: what is done about a verdict, and which text is kept. What does not: verdicts (judging, model_judging), and
how a text is mended (model_revising, cluster_summarizing).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from io_managers.store.fingerprint import Part
from seed_assets.core.judging import Judge
from seed_assets.core.verdicts import Claim, Judgement, SourceText, Verdict
from seed_assets.reuse import Reuse


class Writer(Protocol):
    """Mends a text."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything but the text, the problems and the sources that decides the mended text."""
        ...

    async def revise(
        self, text: str, problems: Sequence[str], sources: Sequence[SourceText], reuse: Reuse
    ) -> str | None:
        """The text without what was found wrong in it; None from one who cannot write another. Raises DocumentError.

        problems: what is wrong, one each, in words. reuse: through which it asks others, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class NoReviser:
    """Writes nothing: for texts that are made of their sources' own sentences."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """That it writes nothing."""
        return {"reviser": "none"}

    async def revise(
        self, text: str, problems: Sequence[str], sources: Sequence[SourceText], reuse: Reuse | None = None
    ) -> str | None:
        """None."""
        return None


async def judged(
    summary: str,
    concepts: Sequence[str],
    sources: Sequence[SourceText],
    judge: Judge,
    writer: Writer,
    reuse: Reuse,
    *,
    title: str = "",
) -> Judgement:
    """The summary as it goes to the tables, with the verdict on it.

    What is accepted stays as it is. What is rejected needs review at once. What is to be revised is written once more, by one
    who is shown its unsupported claims, and judged again. Where that is accepted it takes the summary's place; else the better
    of the two is kept, which is the first one where both are as good, and needs review. So does the first one where
    nobody writes another, and where no claim is at fault, but only concepts: another text would not change them.

    Raises DocumentError as judge and writer do. title: see Judgement.
    """
    first = await judge.judge(summary, concepts, sources, reuse)
    if first.decision == "accept":
        return Judgement(summary, first, title=title)
    problems = problems_of(first) if first.decision == "revise" else []
    revised = await writer.revise(summary, problems, sources, reuse) if problems else None
    if revised is None or revised.split() == summary.split():
        return Judgement(summary, first, needs_review=True, title=title)
    second = await judge.judge(revised, concepts, sources, reuse)
    if not any(claim.kind == "claim" for claim in second.claims):
        # Who says nothing is not wrong, but of no use either.
        return Judgement(summary, first, needs_review=True, title=title, first=first)
    if second.decision == "accept":
        return Judgement(revised, second, title=title, first=first)
    kept, verdict = (revised, second) if second.score > first.score else (summary, first)
    return Judgement(kept, verdict, needs_review=True, title=title, first=first)


def problems_of(verdict: Verdict) -> list[str]:
    """What is wrong with a text, for one who mends it: each claim that is not supported, and why."""
    return [_problem(claim) for claim in verdict.claims if claim.kind == "claim" and claim.status != "supported"]


def _problem(claim: Claim) -> str:
    if claim.status == "contradicted":
        said = f": they say “{claim.passage}”" if claim.passage else ""
        return f"“{claim.text}” is contradicted by the sources{said}"
    near = f"; what comes nearest is “{claim.passage}”" if claim.passage else ""
    return f"“{claim.text}” is not found in the sources{near}"
