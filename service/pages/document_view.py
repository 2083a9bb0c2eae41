"""What the page of one document shows, from its published results.

What belongs here: finding these values. What does not: the whole text (text_parts), and the routes (document_pages).
"""

from typing import NamedTuple

from seed_assets.core.clusters.corpus_views import Placed
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.reports.published_results import PublishedResults
from seed_assets.session.document_result import DocumentResult, UnknownDocumentError, document_results
from seed_assets.session.session import Session
from service.mirrored_documents import summary_of, text_of
from service.pages.conversation_pages import place_address
from service.problems import ServiceError

_MOST_NEAREST = 5
_BEGINNING_CHARACTERS = 1_500


class ShownClaim(NamedTuple):
    """A claim of a summary. address: where its passage is shown; "" if there is none."""

    text: str
    status: str
    passage: str
    document: str
    address: str


class ShownConcept(NamedTuple):
    """A concept and the address of the place that is evidence for it."""

    name: str
    kind: str
    address: str


class InCluster(NamedTuple):
    """The cluster of a document in one cluster type. cluster_id: "" for an outlier. nearest: (document, similarity)."""

    cluster_type: str
    cluster_id: str
    title: str
    strength: float
    nearest: tuple[tuple[str, float], ...]


class DocumentView(NamedTuple):
    """What is shown of a document. text: None if none is published; then `stages` says why."""

    document: str
    title: str
    stages: list[DocumentResult]
    text: ExtractedText | None
    beginning: str
    summary: str
    judgement: Judgement | None
    claims: list[ShownClaim]
    concepts: list[ShownConcept]
    clusters: list[InCluster]


def document_view(session: Session, document: str) -> DocumentView:
    """What is shown of a document. Raises ServiceError if there is no such document, and StoreError."""
    if session.mirrored:
        return _mirrored(session, document)
    try:
        results = document_results(session, document)
    except (UnknownDocumentError, ValueError) as error:  # a name with a NUL is no path
        raise unknown_document() from error
    values = {type(result.value): result.value for result in results.values()}
    text: ExtractedText | None = values.get(ExtractedText)
    judgement: Judgement | None = values.get(Judgement)
    summary: Summary | None = values.get(Summary)
    return DocumentView(
        document,
        (text.title if text else "") or document,
        list(results.values()),
        text,
        text.text[:_BEGINNING_CHARACTERS] if text else "",
        judgement.summary if judgement else summary.text if summary else "",
        judgement,
        shown_claims(judgement, document) if judgement else [],
        _concepts(values.get(Concepts), document),
        _clusters(session, values.get(Placed)),
    )


def text_of_document(session: Session, document: str) -> ExtractedText:
    """The published text of a document. Raises ServiceError if there is none, and StoreError."""
    results = PublishedResults(session)
    found = text_of(session, document) if session.mirrored else results.text(document)
    if found is None:
        results.check_opened()
        raise ServiceError(
            404, "No text of such a document is published. The list of documents says what happened to each."
        )
    return found


def _mirrored(session: Session, document: str) -> DocumentView:
    """What the tables of another home have of a document."""
    text = text_of(session, document)
    if text is None:
        raise unknown_document()
    summary, beginning = summary_of(session, document), text.text[:_BEGINNING_CHARACTERS]
    return DocumentView(document, text.title or document, [], text, beginning, summary, None, [], [], [])


def unknown_document() -> ServiceError:
    """The error for a document that does not exist."""
    return ServiceError(404, "There is no such document. It may have been renamed or removed; look for it in the list.")


def shown_claims(judgement: Judgement, document: str = "") -> list[ShownClaim]:
    """The claims of a verdict with their passages. document: the one that they are about, unless a claim names another."""
    found: list[ShownClaim] = []
    for claim in judgement.verdict.claims:
        source = claim.document_id or document
        address = place_address(source, claim.start, claim.end) if claim.end > claim.start and source else ""
        found.append(ShownClaim(claim.text, claim.status, claim.passage, source, address))
    return found


def _concepts(found: Concepts | None, document: str) -> list[ShownConcept]:
    if found is None:
        return []
    return [
        ShownConcept(one.name, one.kind, place_address(document, one.start, one.end) if one.end > one.start else "")
        for one in found.concepts
    ]


def _clusters(session: Session, placed: Placed | None) -> list[InCluster]:
    if placed is None:
        return []
    results = PublishedResults(session)
    return [
        InCluster(
            cluster_type,
            one.cluster_id,
            results.cluster_title(one.cluster_id) or one.cluster_id if one.cluster_id else "",
            one.strength,
            one.nearest[:_MOST_NEAREST],
        )
        for cluster_type, one in placed.placements.items()
    ]
