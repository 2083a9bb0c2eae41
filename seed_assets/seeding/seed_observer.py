"""The interface through which a whole seed reports its progress, beside that of its stages (engine.observer)."""

from collections.abc import Mapping
from typing import Protocol

from seed_assets.engine.observer import Observer, Silent
from seed_assets.planning.estimate import StageEstimate
from seed_assets.planning.plan import Plan


class SeedObserver(Observer, Protocol):
    """An observer of a whole seed."""

    def planned(self, plan: Plan, estimates: Mapping[str, StageEstimate]) -> None:
        """Receive the plan that the seed is about to carry out, with its costs. estimates: by stage."""
        ...


class SilentSeed(Silent):
    """An observer that shows nothing."""

    def planned(self, plan: Plan, estimates: Mapping[str, StageEstimate]) -> None:
        """Show nothing."""
