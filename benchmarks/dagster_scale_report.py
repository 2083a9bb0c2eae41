"""Compares the figures of dagster_scale with their targets.

What belongs here: the targets, what follows from the figures, and the table. What does not: measuring (dagster_scale).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# The targets, by figure and number of documents.
_AT_MOST = {
    ("rematerialize", 10_000): 120,
    ("rematerialize, times that of 1,000", 10_000): 12,
    ("nothing to do", 10_000): 1.5,
    ("plan", 10_000): 3,
    ("one changed", 10_000): 15,
}
_AT_LEAST = {
    ("rematerialize, times as fast", 212): 10,
    ("rematerialize, times as fast", 1_000): 20,
    ("PostgreSQL, times as fast", 1_000): 5,
    ("nothing to do, times as fast as CocoIndex", 10_000): 4,
}
_PAGE_SECONDS = 5
_PEAK_MB = 1024
# Measurements of other programs and storages. Their memory does not count for the target of the project.
_OTHERS = ("cocoindex", "floor", "rematerialize_stock", "postgres_stock")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. measured: None if it could not be measured; then `note` says why. reached: None if there is no target."""

    documents: int
    figure: str
    measured: float | None
    unit: str
    target: str
    reached: bool | None
    peak_mb: float | None
    note: str

    def __str__(self) -> str:
        measured = "-" if self.measured is None else f"{self.measured:,.2f} {self.unit}".rstrip()
        reached = "" if self.reached is None else "yes" if self.reached else "no"
        peak = "" if self.peak_mb is None else f"{self.peak_mb:.0f}"
        return (
            f"{self.documents:>9,}  {self.figure:43}{measured:>11}{self.target:>10}{reached:>9}{peak:>9}  {self.note}"
        )


HEADER = f"{'documents':>9}  {'figure':43}{'measured':>11}{'target':>10}{'reached':>9}{'peak MB':>9}"


def rows(figures: dict[int, dict[str, Any]]) -> Iterator[Row]:
    """Yield everything that was measured, and what follows from it, by number of documents."""
    for documents, found in figures.items():
        yield from _rows(documents, found)
        before = figures.get(1_000, {})
        if documents > 1_000 and before:
            yield _ratio(
                documents, "rematerialize, times that of 1,000", found["rematerialize"], before["rematerialize"]
            )


def _rows(documents: int, found: dict[str, dict[str, Any]]) -> Iterator[Row]:
    def timed(figure: str, name: str) -> Row:
        of = found[name]
        note = f"best of {of['times']}: {of['best_seconds']:.2f} s" if of.get("times", 1) > 1 else of.get("missing", "")
        if of.get("documents", documents) != documents:
            note = f"{of['seconds']:.1f} s for {of['documents']:,} of them"
        return _row(documents, figure, whole_seconds(of, documents), "s", of.get("peak_mb"), note)

    yield timed("seed, cold", "cold")
    yield timed("rematerialize", "rematerialize")
    yield timed("rematerialize, stock SQLite", "rematerialize_stock")
    yield _ratio(documents, "rematerialize, times as fast", found["rematerialize_stock"], found["rematerialize"])
    if "postgres" in found:
        yield timed("PostgreSQL", "postgres")
        yield timed("PostgreSQL, stock", "postgres_stock")
        yield _ratio(documents, "PostgreSQL, times as fast", found["postgres_stock"], found["postgres"])
    yield timed("nothing to do", "nothing_to_do")
    yield timed("nothing to do, CocoIndex", "cocoindex")
    yield _ratio(documents, "nothing to do, times as fast as CocoIndex", found["cocoindex"], found["nothing_to_do"])
    yield timed("nothing to do, the floor", "floor")
    yield timed("plan", "plan")
    yield timed("one changed", "one_changed")
    page = found["page"]
    for state in ("cold", "warm"):
        seconds, note = None, page.get("missing", "")
        if not note:
            drawn, shown = page[f"{state}_grid_seconds"], page[f"{state}_details_seconds"]
            seconds, note = drawn + shown, f"{drawn:.2f} s until drawn, {shown:.2f} s until one's details"
        yield _row(documents, f"partition page, {state}", seconds, "s", page.get("peak_mb"), note)
    peaks = [of["peak_mb"] for name, of in found.items() if name not in _OTHERS and "peak_mb" in of]
    yield _row(documents, "largest peak memory", max(peaks, default=None), "MB")


def whole_seconds(of: dict[str, Any], documents: int) -> float | None:
    """Extrapolate to all documents from those that were measured; None if none were."""
    return None if "missing" in of else of["seconds"] * documents / of.get("documents", documents)


def _ratio(documents: int, figure: str, slow: dict[str, Any], fast: dict[str, Any]) -> Row:
    missing = "missing" in slow or "missing" in fast
    times = None if missing else (whole_seconds(slow, documents) or 0) / fast["seconds"]
    return _row(documents, figure, times, "x", note="not measured" if missing else "")


def _row(
    documents: int, figure: str, measured: float | None, unit: str, peak_mb: float | None = None, note: str = ""
) -> Row:
    most, least = _AT_MOST.get((figure, documents)), _AT_LEAST.get((figure, documents))
    if figure.startswith("partition page"):
        most = _PAGE_SECONDS
    elif figure == "largest peak memory":
        most = _PEAK_MB
    target = f"<= {most:g}" if most is not None else f">= {least:g}" if least is not None else ""
    reached = None
    if measured is not None and target:
        reached = measured <= most if most is not None else measured >= (least or 0)
    return Row(documents, figure, measured, unit, target, reached, peak_mb, note)
