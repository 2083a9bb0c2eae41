"""Documents that left the corpus: whether that can be meant, and taking them out of the knowledge base.

What belongs here: the one order in which that is safe. What does not: finding them (planner) and who asks for it (seeding,
automation).
"""

from typing import TYPE_CHECKING

from resources.errors import ConfigurationError
from seed_assets.planner import Plan
from seed_assets.session import Session

if TYPE_CHECKING:
    from seed_assets.document_partitions import DocumentPartitions

# More of the corpus gone at once looks like a folder that is not mounted.
LARGEST_REMOVAL = 0.2


def check_removals(session: Session, plan: Plan) -> None:
    """Raises ConfigurationError where so much is gone that it was hardly meant."""
    gone = plan.gone - plan.renamed
    known = len(session.known_documents())
    if len(gone) <= 1 or len(gone) <= LARGEST_REMOVAL * known:
        return
    raise ConfigurationError(
        f"{len(gone)} of {known} documents are gone from {session.settings.corpus}, {min(gone)} for one. If that is "
        "right, say `seedbank seed --allow-removals`, and they are taken out of the knowledge base; if a disk is not "
        "mounted, mount it. Nothing was changed."
    )


def remove_documents(session: Session, partitions: "DocumentPartitions", gone: set[str]) -> None:
    """Rows first, then refs, then partitions: whatever interrupts this, the next plan finds it to be done.

    Raises TableError where the rows cannot be removed; then nothing else was.
    """
    for table in sorted({stage.table for stage in session.pipeline.document_stages if stage.table}):
        with session.store.leases.hold(f"table {table}"):
            session.tables.delete_rows(table, sorted(gone))
    session.store.refs.drop_partitions(sorted(gone))
    partitions.remove(gone)
