"""The checks that a stage declares over all its published results, beside what its runs judge about each unit.

This module has the declaration and the finding of a check. The checks themselves are in stages, and checking runs them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from io_managers.store.fingerprint import Part

Severity = Literal["error", "warning"]
"""An error fails `seedbank check`; a warning is for a person to look at."""


@dataclass(slots=True)
class Finding:
    """What a check found. offenders: unit -> what is wrong with it; figures: other useful numbers."""

    offenders: dict[str, str] = field(default_factory=dict)
    figures: dict[str, float | int | str] = field(default_factory=dict)
    looked_at: int = 0

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.offenders


class PublishedResults(Protocol):
    """The published results of a stage, as its checks see them."""

    def values(self, finding: Finding) -> Iterator[tuple[str, Any]]:
        """(unit, value), counted in the finding. A value that cannot be opened is an offender."""
        ...

    def values_with(self, stage: str, finding: Finding) -> Iterator[tuple[str, Any, Any]]:
        """(unit, value, another stage's value of the unit), of those units that have both."""
        ...

    def key_parts(self) -> Mapping[str, Mapping[str, Part]]:
        """Unit -> the parts of its action key, if they are recorded."""
        ...

    def documents(self) -> set[str]:
        """All documents of which anything is published, by any stage."""
        ...

    def resource(self, name: str) -> Any:
        """A resource of the pipeline."""
        ...


@dataclass(frozen=True, slots=True)
class StageCheck:
    """One check of a stage. look: the function, whose docstring describes the check to people.

    blocking: whether a failure keeps the later stages of the same run from being made, since it concerns the whole corpus.
    quick: whether it opens only a few values, however many documents there are, so that a seed runs it after the stage.
    """

    name: str
    severity: Severity
    look: Callable[[PublishedResults], Finding]
    blocking: bool = False
    quick: bool = False
