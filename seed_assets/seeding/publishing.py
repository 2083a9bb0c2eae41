"""Publishes the tables at the end of a seed. If that fails, the seed has failed, and the next one tries again."""

from collections.abc import MutableMapping

from io_managers.store.errors import StoreError
from resources.errors import ConfigurationError
from resources.tables.lance_errors import TableError
from seed_assets.planning.plan import Plan
from seed_assets.seeding.seed_report import FailureReport, SeedReport
from seed_assets.session.session import Session

WHAT = "publishing of tables"


def publish_after_seed(
    session: Session, report: SeedReport, faults: MutableMapping[str, FailureReport], plan: Plan, *, halted: bool
) -> None:
    """Publish the tables if they have changed, unless the seed was stopped or a table or the search index is not as it should be.

    plan: as of now. faults: gets what keeps them from being published.
    """
    if not session.settings.tables.publish_to or halted or faults or plan.maintenance:
        return
    from seed_assets.session.published_tables import PublishedTables, publishes

    if not publishes(session):
        return
    tables = PublishedTables(session)
    try:
        if tables.is_due():
            report.published = tables.publish()
    except (StoreError, TableError) as error:
        faults[WHAT] = FailureReport("", WHAT, error.reason, error.remedy)
    except ConfigurationError as error:
        faults[WHAT] = FailureReport("", WHAT, str(error), "")
    if WHAT in faults or report.published is not None:
        report.corpus_stamp = ""  # what the next seed has to do, or to say, differs
