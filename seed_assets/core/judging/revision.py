"""Judging a text, having it revised once, and judging it again.

What belongs here: what is done with a verdict, and which text is kept. What does not: verdicts (judging, model_judging), and
how a text is revised (model_revising).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from io_managers.store.fingerprint import Part
from seed_assets.core.judging.judging import Judge
from seed_assets.core.judging.verdicts import Claim, Judgement, SourceText, Verdict
from seed_assets.memo.reuse import Reuse


class Reviser(Protocol):
    """Writes a text once more, without the problems that a judge found in it."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the revised text besides the text, the problems and the sources."""
        ...

    async def revise(
        self, text: str, problems: Sequence[str], sources: Sequence[SourceText], reuse: Reuse
    ) -> str | None:
        """Return the text without the problems, or None if this reviser cannot write another. Raises DocumentError.

        problems: one sentence per problem.
        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class NoReviser:
    """Revises nothing; for texts that are made of their sources' own sentences."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """The constant that there is no reviser."""
        return {"reviser": "none"}

    async def revise(
        self, text: str, problems: Sequence[str], sources: Sequence[SourceText], reuse: Reuse | None = None
    ) -> str | None:
        """Return None for every text."""
        return None


async def judged(
    summary: str,
    concepts: Sequence[str],
    sources: Sequence[SourceText],
    judge: Judge,
    reviser: Reviser,
    reuse: Reuse,
    *,
    title: str = "",
) -> Judgement:
    """Return the summary that goes to the tables, with the verdict on it.

    A summary that is copied or accepted stays as it is. A rejected one needs review. A summary between the two is revised once
    by a reviser that is shown the unsupported claims, and judged again. If the revision is accepted, it replaces the summary.
    If it is not, the one with the higher score is kept (the first if both are equal) and needs review. The first summary also
    needs review if the reviser returns no other text, or if only concepts are unsupported, which another text would not
    change.

    title: see Judgement.

    Raises DocumentError as the judge and the reviser do.
    """
    first = await judge.judge(summary, concepts, sources, reuse)
    if first.is_accepted:
        return Judgement(summary, first, title=title)
    problems = problems_of(first) if first.decision == "revise" else []
    revised = await reviser.revise(summary, problems, sources, reuse) if problems else None
    if revised is None or revised.split() == summary.split():
        return Judgement(summary, first, needs_review=True, title=title)
    second = await judge.judge(revised, concepts, sources, reuse)
    if not any(claim.kind == "claim" for claim in second.claims):
        # A text without claims has no unsupported claim, but it is useless as a summary.
        return Judgement(summary, first, needs_review=True, title=title, first=first)
    if second.is_accepted:
        return Judgement(revised, second, title=title, first=first)
    kept, verdict = (revised, second) if (second.score or 0.0) > (first.score or 0.0) else (summary, first)
    return Judgement(kept, verdict, needs_review=True, title=title, first=first)


def problems_of(verdict: Verdict) -> list[str]:
    """Describe the problems of a text for a reviser: each claim that is not supported, and why."""
    return [_problem(claim) for claim in verdict.claims if claim.kind == "claim" and not claim.is_supported]


def _problem(claim: Claim) -> str:
    if claim.status == "contradicted":
        said = f": they say “{claim.passage}”" if claim.passage else ""
        return f"“{claim.text}” is contradicted by the sources{said}"
    near = f"; what comes nearest is “{claim.passage}”" if claim.passage else ""
    return f"“{claim.text}” is not found in the sources{near}"
