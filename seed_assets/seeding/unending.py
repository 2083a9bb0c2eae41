"""Work that is still to be done after a run has done it: a fault to be reported, and no reason for another run.

This module recognises it from the plans before and after a run.

It happens if what a run publishes does not last, for example because records are damaged on the disk. Without this check each
seed would start the same runs again, and report no failure.
"""

from collections.abc import Collection, Mapping

from seed_assets.engine.stage_run import Tally
from seed_assets.planning.plan import UPSTREAM, VANISHED, Plan
from seed_assets.seeding.seed_report import FailureReport

_REMEDY = (
    "Run `seedbank cache verify`, which names damaged records, then seed again. If that changes nothing, run "
    "`seedbank cache repair`."
)


class Unending:
    """The work that one seed could not complete in this way. units: stage -> its units."""

    def __init__(self) -> None:
        self.units: dict[str, set[str]] = {}
        self._reasons: dict[tuple[str, str], str] = {}
        self._once: set[tuple[str, str, str]] = set()

    def look(
        self, stages: Collection[str], before: Plan, after: Plan, tallies: Mapping[str, Tally], *, undisturbed: bool
    ) -> None:
        """Compare the plans before and after runs over these stages.

        undisturbed: whether all runs succeeded. After other runs, work counts only if it is left over twice.
        """
        for name in stages:
            tally = tallies.get(name, Tally())
            earlier, later = before.stages[name].todo, after.stages[name].todo
            for unit in earlier.keys() & later.keys():
                reason = later[unit]
                done = (unit in tally.visited and unit not in tally.failed) or reason == VANISHED
                if not done or reason in {UPSTREAM, ""} or reason != earlier[unit] or _changed(unit, before, after):
                    continue
                seen = (name, unit, reason)
                if undisturbed or seen in self._once:
                    self.add(name, unit, reason)
                self._once.add(seen)

    def add(self, stage: str, unit: str, reason: str) -> None:
        """Note work that a run has done, and that is still to be done."""
        self.units.setdefault(stage, set()).add(unit)
        self._reasons[stage, unit] = reason

    def reports(self) -> list[FailureReport]:
        """Return one failure for each unit that is left."""
        return [
            FailureReport(unit, stage, f"a run has done it, and it is still to be done: {reason}.", _REMEDY)
            for (stage, unit), reason in self._reasons.items()
        ]


def _changed(unit: str, before: Plan, after: Plan) -> bool:
    """Whether a document was changed in the meantime, so that there is new work."""
    one, other = before.scan.documents.get(unit), after.scan.documents.get(unit)
    return (one.content_digest if one else None) != (other.content_digest if other else None)
