"""Which parts of a home hold something of documents, in the order in which they are erased.

A new feature that keeps something of documents elsewhere than in results, rows and Dagster's records adds its part here.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from answering.asked import Asked
from answering.erasing import Answers
from io_managers.store.retention.erasing import PublishedRefs, StoredResults
from io_managers.store.retention.mentions import Mentions
from io_managers.store.retention.traces import Outcome, Traces
from seed_assets.erasing.home_files import HomeFiles
from seed_assets.erasing.rows import Rows
from seed_assets.session.session import Session
from seed_assets.wiring import selection_of

if TYPE_CHECKING:
    from seed_assets.core.examples.selection import Selection


class Erasable(Protocol):
    """A part of a home that holds something of documents."""

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Erase it, or say what that would be. It may be called again after an interruption."""
        ...


@runtime_checkable
class HasResults(Protocol):
    """A part of a home that knows of results which hold something of documents without naming them."""

    def results(self, mentions: Mentions) -> set[str]:
        """The keys of these results."""
        ...


def selections_of(session: Session) -> "list[Selection]":
    """The selections of examples that there are: the one of the settings, and the one that the home had before."""
    named = selection_of(session.settings)
    own = replace(named, path=session.home.examples)
    return [one for one in dict.fromkeys((named, own)) if one.path.exists()]


def erasables_of(session: Session) -> Iterator[Erasable]:
    """The parts of a home.

    The remote comes first, since it may be out of reach; then the refs, so that nothing is served any more; and the results last,
    since they lead to everything else.
    """
    if (remote := session.remote) is not None:
        from io_managers.sharing.erasing import RemoteResults

        yield RemoteResults(remote)
    yield PublishedRefs(session.store)
    yield Rows(session)
    if session.settings.tables.publish_to or session.home.published.exists():
        from seed_assets.erasing.published_rows import PublishedRows

        yield PublishedRows(session)
    yield Answers(session.store, Asked(session.home.asked))
    if session.home.entity_decisions.exists():
        from seed_assets.stages.entities.entity_erasing import DecisionsAboutDocuments

        yield DecisionsAboutDocuments(session.home.entity_decisions)
    if selections := selections_of(session):
        from seed_assets.stages.examples.example_erasing import FrozenExamples

        yield FrozenExamples(selections)
    if session.home.dagster.is_dir():
        from seed_assets.orchestration.erasing import DagsterRecords

        yield DagsterRecords(session)
    yield HomeFiles(session)
    yield StoredResults(session.store)
