"""The entry point that Dagster loads. What belongs here: this entry point. What does not: the definitions (orchestration)."""

import dagster as dg

from resources.home.private_files import keep_new_files_private
from resources.settings.config import load_settings
from seed_assets.orchestration.code_location import build_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """Return the project's definitions for the current settings; new files of this process are readable only by its user."""
    keep_new_files_private()
    return build_definitions(load_settings())
