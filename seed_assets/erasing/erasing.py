"""Erases documents from a home, and says what that is: what of it is shared, and what others have to compute again.

What belongs here: the order, and the report. What does not: what each part of a home holds (erasables).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from io_managers.store.retention.mentions import Mentions
from io_managers.store.retention.rules import Removed
from io_managers.store.retention.traces import Traces, find_traces, known_documents
from resources.errors import ConfigurationError
from seed_assets.erasing.erasables import HasResults, erasables_of, selections_of
from seed_assets.graph.stage import Units
from seed_assets.session.session import Session
from seed_assets.session.sharing import refused_as_settings
from seed_assets.stages.examples.example_stages import examples_stage


@dataclass(slots=True)
class Erased:
    """What was erased, or would be.

    erased: how many there were by kind. own: the results of the documents alone. again: by stage, the results that were made of
    them together with others, and that the next seed computes again. shared: documents and other units that have some of the
    results as well, which stay -> how many. there: the documents whose files are still in the corpus. left: sentences about what
    could not be erased.
    """

    documents: tuple[str, ...]
    dry_run: bool
    erased: dict[str, int] = field(default_factory=dict[str, int])
    own: Removed = field(default_factory=Removed)
    again: dict[str, Removed] = field(default_factory=dict[str, Removed])
    shared: dict[str, int] = field(default_factory=dict[str, int])
    there: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])

    @property
    def recomputed(self) -> Removed:
        """What computing again costs at most that was made of the documents together with others."""
        total = Removed()
        for removed in self.again.values():
            total.add(removed)
        return total


def documents_of(session: Session) -> set[str]:
    """All documents of which a home has something."""
    stages = [stage.name for stage in session.pipeline.document_stages]
    known = known_documents(session.store, stages) | set(session.store.batches.documents())
    return known.union(*(selection.documents for selection in selections_of(session)))


def erase(session: Session, documents: Sequence[str], *, dry_run: bool) -> Erased:
    """Erase documents from a home, or find out what that would be.

    If it is interrupted, nothing that is half erased is used, and another call goes on. Raises ConfigurationError if another
    process works in the home, or if its remote cannot be reached; StoreUnavailableError; TableError.
    """
    if dry_run:
        return _erased(session, documents, dry_run=True)
    with session.home.erasing():
        session.store.check_writable()
        return _erased(session, documents, dry_run=False)


def _erased(session: Session, documents: Sequence[str], *, dry_run: bool) -> Erased:
    documents = tuple(dict.fromkeys(documents))
    erasables, known = list(erasables_of(session)), documents_of(session)
    also = [one.results(Mentions(documents, known)) for one in erasables if isinstance(one, HasResults)]
    traces = _traces(session, documents, known, set().union(*also))
    report = Erased(documents, dry_run, again=dict(sorted(traces.others.items())), shared=traces.shared)
    with suppress(ConfigurationError):  # the folder may be gone, and the documents have to be erased all the same
        scan = session.corpus.scan()
        report.there = sorted(set(documents) & (scan.documents.keys() | scan.problems.keys()))
    for removed in traces.own.values():
        report.own.add(removed)
    for erasable in erasables:
        with refused_as_settings():
            outcome = erasable.erase(traces, dry_run=dry_run)
        report.erased |= outcome.erased
        report.left += outcome.left
    return report


def _traces(session: Session, documents: Sequence[str], known: set[str], also: set[str]) -> Traces:
    """What the store has of the documents, with the rows that were made from it."""
    pipeline = session.pipeline
    # Also results that were made with examples of others before a setting was changed are looked at.
    beside = {
        stage.name
        for stage in pipeline.document_stages
        if stage.corpus_inputs or session.store.actions.any_of(examples_stage(stage.name))
    }
    alone = {stage.name for stage in pipeline.document_stages if stage.kind == "value"} - pipeline.downstream(
        beside, of_unit=True
    )
    continuing = {stage.name for stage in pipeline.stages.values() if stage.continues}
    traces = find_traces(session.store, documents, alone=alone, continuing=continuing, also=also, known=known)
    for stage in pipeline.stages.values():
        if stage.kind == "sink":
            traces.units.update((stage.name, unit) for name in stage.upstream for unit in traces.units_of(name))
            if stage.units is Units.DOCUMENTS:
                traces.units.update((stage.name, document) for document in documents)
        elif stage.kind == "maintenance":
            traces.units.add((stage.name, ""))
    return traces
