"""Checks of all texts, chunks, vectors, concepts and judgements.

What belongs here: the checks that the stages of documents declare. What does not: finding the problems of one document's
results (validity), and running checks (check_run).
"""

from collections.abc import Callable
from typing import Any

from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck
from seed_assets.stages.documents.validity import uncovered, ungrounded, unlike

# A warning is given if a larger share of summaries needs review; chosen by judgement.
_MOST_REJECTED = 0.2


def _text_not_empty(published: PublishedResults) -> Finding:
    """Every document should have text; one without text consists of pictures of pages, or is empty."""
    finding = Finding()
    for unit, value in published.values(finding):
        if not value.text.strip():
            finding.offenders[unit] = "no text was found in it"
    return finding


def _read_as_a_whole(published: PublishedResults) -> Finding:
    """Every part of a document should have been read; a page without text or bad front matter is a warning of its reader."""
    finding = Finding()
    for unit, value in published.values(finding):
        if value.warnings:
            finding.offenders[unit] = " ".join(value.warnings)
    return finding


def _cover_the_text(published: PublishedResults) -> Finding:
    """The chunks of each document must cover its text, except for white space."""
    return _compared_with_texts(published, uncovered)


def _of_one_kind(published: PublishedResults) -> Finding:
    """All vectors must be finite, have length 1 (or be all zeros), and have the same number of dimensions and the same
    embedder. Otherwise search cannot compare them.
    """
    finding = Finding()
    dimensions: dict[int, int] = {}
    kept: dict[str, Any] = {}
    for unit, value in published.values(finding):
        if problem := unlike(value):
            finding.offenders[unit] = problem
        if value.ndim == 2:
            kept[unit] = value.shape[1]
            dimensions[value.shape[1]] = dimensions.get(value.shape[1], 0) + 1
    usual = max(dimensions, key=lambda found: dimensions[found], default=0)
    for unit, found in kept.items():
        if found != usual:
            finding.offenders[unit] = f"its vectors have {found} dimensions, those of most others {usual}"
    embedders: dict[str, list[str]] = {}
    for unit, parts in published.key_parts().items():
        if "embedder" in parts:  # Of which embedder the others are is not recorded.
            embedders.setdefault(str(parts["embedder"]), []).append(unit)
    most = max(embedders.values(), key=len, default=[])
    for units in embedders.values():
        if units is not most:
            finding.offenders |= dict.fromkeys(units, "it was embedded by another embedder than most documents")
    finding.figures = {"dimensions": usual, "embedders": len(embedders)}
    return finding


def _grounded(published: PublishedResults) -> Finding:
    """Every concept of a document must stand in its text at the recorded place."""
    return _compared_with_texts(published, ungrounded)


def _compared_with_texts(published: PublishedResults, problem_of: Callable[[Any, str], str]) -> Finding:
    """Check each value against the text of its document.

    problem_of: takes a value and the document's text, and returns the problem, or "" if there is none.
    """
    finding = Finding()
    for unit, value, text in published.values_with("extracted_text", finding):
        if problem := problem_of(value, text.text):
            finding.offenders[unit] = problem
    return finding


def _share_rejected(published: PublishedResults) -> Finding:
    """At most a fifth of all summaries should need review by a person."""
    finding = Finding()
    count = 0
    scores: list[float] = []
    flagged: dict[str, str] = {}
    for unit, value in published.values(finding):
        count += 1
        verdict = value.verdict
        # A text that is copied from its source has no score.
        scores += [] if verdict.score is None else [verdict.score]
        if value.needs_review:
            flagged[unit] = verdict.decision + ("" if verdict.score is None else f", score {verdict.score:.2f}")
    share = len(flagged) / count if count else 0.0
    finding.figures = {
        "needs_review": len(flagged),
        "share_needs_review": round(share, 4),
        "copied": count - len(scores),
    }
    if scores:
        finding.figures |= {"mean_score": round(sum(scores) / len(scores), 4), "lowest_score": min(scores)}
    if share > _MOST_REJECTED:
        finding.offenders |= flagged
    return finding


TEXT_NOT_EMPTY = StageCheck("text_not_empty", "warning", _text_not_empty)
READ_AS_A_WHOLE = StageCheck("read_as_a_whole", "warning", _read_as_a_whole)
COVER_THE_TEXT = StageCheck("cover_the_text", "error", _cover_the_text)
OF_ONE_KIND = StageCheck("of_one_kind", "error", _of_one_kind, blocking=True)
GROUNDED = StageCheck("grounded", "error", _grounded)
SHARE_REJECTED = StageCheck("share_rejected", "warning", _share_rejected)
