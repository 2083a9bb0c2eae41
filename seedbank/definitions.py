"""What Dagster loads: `dagster dev -m seedbank.definitions`, and the same option for its other commands."""

from seed_assets.definitions import defs

__all__ = ["defs"]
