"""Documents that left the corpus: checks whether that was probably meant, and removes them from the knowledge base.

This module has the one order in which that is safe. They are found in planner; seeding and automation ask for the removal.
"""

from collections.abc import Set as AbstractSet
from typing import Protocol

from io_managers.store.holders import Waiting
from resources.corpus.corpus_place import BucketAddress
from resources.errors import ConfigurationError
from seed_assets.engine.sink import remove_rows
from seed_assets.planning.plan import Plan
from seed_assets.session.session import Session

# If a greater share of the documents is gone at once, a folder is probably not mounted.
LARGEST_REMOVAL = 0.2


class RemovablePartitions(Protocol):
    """The partitions in Dagster's records."""

    @property
    def waiting(self) -> Waiting:
        """How long to wait for a table that another process writes."""
        ...

    def remove(self, documents: AbstractSet[str]) -> None:
        """Take the partitions of these documents out of Dagster's records."""
        ...


def check_removals(session: Session, plan: Plan) -> None:
    """Raise ConfigurationError if so much is gone that it was probably not meant."""
    gone = plan.gone - plan.renamed
    known = len(session.known_documents())
    if len(gone) <= 1 or len(gone) <= LARGEST_REMOVAL * known:
        return
    bucket = isinstance(session.settings.corpus, BucketAddress)
    otherwise = "if objects were deleted by mistake, restore them" if bucket else "if a disk is not mounted, mount it"
    raise ConfigurationError(
        f"{len(gone)} of {known} documents are gone from {session.settings.corpus}, such as {min(gone)}. If that is "
        "right, say `seedbank seed --allow-removals`, and they are taken out of the knowledge base; "
        f"{otherwise}. Nothing was changed."
    )


def remove_documents(session: Session, partitions: RemovablePartitions, gone: set[str]) -> None:
    """Remove rows first, then refs, then partitions, so that the next plan finds what an interruption left.

    Raises TableError if the rows cannot be removed, and LeaseBusyError if they are being written and `partitions.waiting`
    ends the wait. Then nothing else was removed.
    """
    for stage in session.pipeline.document_stages:
        if stage.table:
            remove_rows(session.store, session.tables, stage, sorted(gone), partitions.waiting)
    # The results of stages that are not in use stay, so that a later plan that has them finds what is gone.
    here = {*session.pipeline.stages, *session.pipeline.unused}
    elsewhere = session.store.refs.counts().keys() - here
    session.store.refs.drop_partitions(sorted(gone), sorted(elsewhere))
    partitions.remove(gone)
