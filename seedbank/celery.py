"""The run launcher for workers on other machines, which dagster.yaml names; it needs the extra `celery`."""

from seed_assets.spreading.celery_launcher import SeedbankCeleryRunLauncher

__all__ = ["SeedbankCeleryRunLauncher"]
