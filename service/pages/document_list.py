"""The documents with the states of their stages, found by name and by state.

What belongs here: which documents a page lists. What does not: one document (document_view), and how a list looks (templates).
"""

from collections.abc import Iterable
from typing import NamedTuple, get_args

from seed_assets.planning.plan import Plan
from seed_assets.session.session import Session
from service.mirrored_documents import states_of
from service.routes.documents import State

STATES: tuple[str, ...] = get_args(State)
"""The states of a document, the worst first."""
PAGE = 100


class ListedDocument(NamedTuple):
    """A document in the list. state: the worst of the states of its stages. stages: stage -> state. failed_in: the stage that
    failed; "" if none did. reason, remedy: of that failure."""

    document: str
    state: str
    stages: dict[str, str]
    failed_in: str = ""
    reason: str = ""
    remedy: str = ""


class DocumentList(NamedTuple):
    """A page of the list. counts: state -> how many documents are in it, whatever is looked for. found: how many fit what is
    looked for. following: the id after which the next page begins; "" at the end. general: what failed for all documents."""

    documents: list[ListedDocument]
    counts: dict[str, int]
    found: int
    following: str
    general: list[tuple[str, str, str]]


def document_list(
    session: Session, name: str = "", state: str = "", after: str = "", most: int | None = PAGE
) -> DocumentList:
    """A page of the documents in the order of their ids. name: a part of the id, in small or capital letters. state: only
    documents in this state; "" for all. after: the id after which the page begins. most: how many a page has; None for all.

    Raises ConfigurationError if the corpus cannot be read, and StoreError.
    """
    if session.mirrored:
        states, failures, general = states_of(session), {}, []
    else:
        plan = session.plan()
        states, (failures, general) = plan.states(), _failures(plan)
    listed = [
        ListedDocument(document, _worst(stages.values()), dict(stages), *failures.get(document, ()))
        for document, stages in sorted(states.items())
    ]
    counts = dict.fromkeys(STATES, 0)
    for one in listed:
        counts[one.state] += 1
    sought = name.casefold()
    wanted = [one for one in listed if state in ("", one.state) and sought in one.document.casefold()]
    rest = [one for one in wanted if one.document > after]
    shown = rest[:most]
    following = shown[-1].document if len(shown) < len(rest) else ""
    return DocumentList(shown, counts, len(wanted), following, general)


def _worst(states: Iterable[str]) -> str:
    present = set(states)
    return next((state for state in STATES if state in present), "missing")


def _failures(plan: Plan) -> tuple[dict[str, tuple[str, str, str]], list[tuple[str, str, str]]]:
    """The first failure of each document, and those that belong to no document, each as (stage or place, reason, remedy)."""
    documents = set(plan.documents)
    own: dict[str, tuple[str, str, str]] = {}
    general: list[tuple[str, str, str]] = []
    for unit, stage, error in plan.failures():
        if unit in documents:
            own.setdefault(unit, (stage, error.reason, error.remedy))
        else:
            general.append((unit or stage, error.reason, error.remedy))
    return own, general
