"""What `plan`, `status` and `seed` say about stages that the settings add. It is found in seed_assets.session.stage_notes."""

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seed_assets.session.session import Session

logger = logging.getLogger(__name__)


def warn_of_notes(session: "Session", *, unlisted: bool = False) -> None:
    """Print on standard error what there is to say, one sentence a line.

    unlisted: also about stages that no setting names any more.
    """
    from seed_assets.session.stage_notes import stage_notes

    for sentence in stage_notes(session).sentences(unlisted=unlisted):
        logger.warning("%s", sentence)


def notes_as_json(session: "Session") -> dict[str, Any]:
    """All of it, as a part of a JSON object."""
    from seed_assets.session.stage_notes import stage_notes

    return {"own_stages": asdict(stage_notes(session))}
