"""One result of one document: what is published, and whether a seed would publish the same.

This module finds the document and the stage by the names that a user gives, opens the published value, and says why it is not
current. States are found by the planner, for this document alone if the stage looks at no others. Nothing is run or locked. How a
value is printed is up to `cli`.
"""

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from io_managers.store.errors import CorruptObjectError, MissingObjectError, UnknownFormatError
from io_managers.store.refs import Ref
from resources.corpus.corpus import Scan, document_id
from resources.corpus.corpus_place import BucketAddress, Place
from resources.corpus.formats import SUFFIXES, not_read
from resources.errors import ConfigurationError, DocumentError
from resources.wording import did_you_mean
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage, Units
from seed_assets.planning.plan import Plan, State
from seed_assets.planning.planner import make_plan
from seed_assets.session.session import Session


@dataclass(frozen=True, slots=True)
class DocumentResult:
    """A result as it is published, and its state.

    document, stage: their names. state: as in a plan; "gone" if the document is not in the corpus any more, and "unknown" if the
    corpus cannot be read. reason: why it is not current; "" if it is, or if the reason is the failure. failure: the error of a
    result that failed or is blocked. failed_in: the stage in which that happened. value: None if nothing is published; it is
    plain data if it was made by a version of the stage whose type this version does not have. inputs: the values of other
    stages that it was made from, those that are still in the store.
    """

    document: str
    stage: str
    state: State | Literal["gone", "unknown"]
    reason: str = ""
    failure: DocumentError | None = None
    failed_in: str = ""
    value: Any = None
    inputs: tuple[Any, ...] = ()


def document_result(session: Session, document: str, stage: str = "") -> DocumentResult:
    """Find a result by the document's id, or the path of its file, and the name of a stage: the first one if it is "".

    Raises ConfigurationError if there is no such document or stage, and StoreError if the published value is lost.
    """
    named = _stage(session.pipeline, stage)
    scan, unreadable = _scan(session)
    return _result(session, scan, unreadable, document_in(session, scan, document), named)


def document_results(session: Session, document: str) -> dict[str, DocumentResult]:
    """Find the results of all stages of a document, by the names of the stages. document: its id, exactly.

    Raises UnknownDocumentError if there is no such document, and StoreError if a published value is lost.
    """
    scan, unreadable = _scan(session)
    if document not in scan.documents and document not in scan.problems and not _is_published(session, document):
        raise UnknownDocumentError(f"There is no document {document!r}.")
    stages = [stage for stage in session.pipeline.document_stages if stage.kind == "value"]
    return {stage.name: _result(session, scan, unreadable, document, stage) for stage in stages}


class UnknownDocumentError(ConfigurationError):
    """There is no document of this id."""


def _scan(session: Session) -> tuple[Scan, str]:
    """The documents of the corpus; none, and the reason, if it cannot be read."""
    try:
        return session.corpus.scan(), ""
    except ConfigurationError as error:
        return Scan(), str(error)


def _result(session: Session, scan: Scan, unreadable: str, name: str, named: Stage) -> DocumentResult:
    unknown = DocumentResult(name, named.name, "unknown", unreadable)
    found = unknown if unreadable else _in_state(session, scan, name, named)
    ref = session.store.refs.get(named.name, [name]).get(name)
    if ref is None:
        return found
    return replace(found, value=_value(session, named, ref), inputs=tuple(_inputs(session, named, ref)))


def find_document(session: Session, document: str) -> str:
    """The id of the document with this id, or with this path of its file. Raises ConfigurationError if there is none."""
    try:
        scan = session.corpus.scan()
    except ConfigurationError:
        scan = Scan()
    return document_in(session, scan, document)


def _stage(pipeline: Pipeline, name: str) -> Stage:
    shown = {stage.name: stage for stage in pipeline.document_stages if stage.kind == "value"}
    if not name:
        return next(iter(shown.values()))
    if name in shown:
        return shown[name]
    known = pipeline.stages.get(name)
    if known is None:
        problem = f"There is no stage {name!r}.{did_you_mean(name, shown)}"
    elif known.kind == "value":
        units = "the corpus as a whole" if known.units is Units.CORPUS else known.units.value.replace("_", " ")
        problem = f"The stage {name} has results of {units}, and none of a single document."
    else:
        problem = f"The stage {name} has no result in the store: it works on the table {known.table}."
    raise ConfigurationError(f"{problem} The stages with a result of each document are {', '.join(shown)}.")


def document_in(session: Session, scan: Scan, given: str) -> str:
    """The id of the document that is meant by an id, or by the path of a file, given a scan. Raises ConfigurationError."""
    for name in possible_ids(given, session.settings.corpus):
        if name in scan.documents or name in scan.problems or _is_published(session, name):
            return name
    known = session.known_documents().union(scan.documents, scan.problems)
    suffix = posixpath.splitext(given)[1].lower()
    unread = f" {not_read(suffix)}" if suffix and suffix not in SUFFIXES else ""
    raise ConfigurationError(
        f"There is no document {given!r}.{unread}{did_you_mean(given, known)} `seedbank status --json` lists all of them."
    )


def possible_ids(given: str, corpus: Place) -> Iterator[str]:
    """The id itself, and the ids of files with this path below the corpus, or with this path as the shell has it.

    In a bucket, the address of the object takes the place of the last one.
    """
    if given.encode("utf-8", "ignore").decode() == given:  # an id has no bytes that are not UTF-8
        yield given
    yield document_id(posixpath.normpath(given))
    if isinstance(corpus, BucketAddress):
        yield document_id(given.removeprefix(f"{corpus}/"))
        return
    path = os.path.relpath(os.path.realpath(os.path.dirname(os.path.abspath(given))), os.path.realpath(corpus))
    yield document_id(posixpath.normpath(posixpath.join(path, os.path.basename(given))))


def _is_published(session: Session, document: str) -> bool:
    refs, stages = session.store.refs, session.pipeline.document_stages
    return any(refs.get(stage.name, [document]) for stage in stages)


def _in_state(session: Session, scan: Scan, document: str, stage: Stage) -> DocumentResult:
    """The state of a result, without its value."""
    result = partial(DocumentResult, document, stage.name)
    if document not in scan.documents and document not in scan.problems:
        folder = next((error for prefix, error in scan.unreadable.items() if document.startswith(prefix)), None)
        return result("unknown", f"Its folder cannot be read: {folder}") if folder else result("gone")
    needed = _needed(session.pipeline, stage)
    if any(one.over for one in needed.values()):
        plan = session.plan()
    else:
        own = Scan(
            {name: file for name, file in scan.documents.items() if name == document},
            {name: error for name, error in scan.problems.items() if name == document},
        )
        plan = make_plan(replace(session.pipeline, stages=needed), session.store, own, {})
    state = plan.stages[stage.name].states.get(document)
    if state is None:  # the file was removed meanwhile
        return result("gone")
    if state not in ("failed", "blocked"):
        return result(state, plan.stages[stage.name].todo.get(document, ""))
    where, error = _failure(plan, document, needed)
    return result(state, failure=error, failed_in=where)


def _needed(pipeline: Pipeline, stage: Stage) -> dict[str, Stage]:
    """The stages of the same document that a stage needs, itself included, in order."""
    names = {stage.name}
    for one in reversed(list(pipeline.stages.values())):
        if one.name in names:
            names.update(one.upstream)
    return {name: one for name, one in pipeline.stages.items() if name in names}


def _failure(plan: Plan, document: str, needed: dict[str, Stage]) -> tuple[str, DocumentError | None]:
    """The first stage that failed, and its error. The error of a whole table or endpoint is the document's as well."""
    for unit, name, error in plan.failures():
        if unit in (document, "") and name in needed:
            return name, error
    return "", None


def _value(session: Session, stage: Stage, ref: Ref) -> Any:
    try:
        return session.store.load(ref.content_digest, stage.returns)
    except UnknownFormatError:
        return session.store.load(ref.content_digest)


def _inputs(session: Session, stage: Stage, ref: Ref) -> Iterator[Any]:
    """The values that are named in the key of the published action, which may be older than those published now."""
    parts = session.store.actions.parts([ref.action_key]).get(ref.action_key, {})
    for name in stage.upstream:
        digest = parts.get(name)
        if isinstance(digest, str):
            try:
                yield session.store.load(digest, session.pipeline.stages[name].returns)
            except (MissingObjectError, CorruptObjectError, UnknownFormatError):
                continue
