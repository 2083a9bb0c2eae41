"""What the knowledge base holds: documents, passages in their place, and clusters."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from answering.asked import Asked
from resources.tables.lance_errors import TableMissingError
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.reports.plain_values import plain_data
from seed_assets.session.document_result import DocumentResult, UnknownDocumentError, document_results
from seed_assets.session.session import Session
from service.bases import Base
from service.mirrored_documents import states_of, summary_of, text_of
from service.places import passage_in_place
from service.problems import ServiceError, responses
from service.replies import (
    Cluster,
    Clusters,
    DocumentReply,
    Documents,
    DocumentState,
    PassageInPlace,
    StageState,
    described,
    question_texts,
    reply_with,
)

State = Literal["failed", "blocked", "waiting", "missing", "stale", "current"]
_WORST_FIRST: tuple[State, ...] = ("failed", "blocked", "waiting", "missing", "stale", "current")
_LARGEST_PAGE = 1_000
_LONGEST_CONTEXT = 20_000
_UNKNOWN = "There is no such document. GET /documents lists all of them."
DocumentId = Annotated[str, Path(min_length=1, max_length=4_096, description="The document's id: its path.")]


def document_routes(base: Base) -> APIRouter:
    """The routes over one knowledge base."""
    routes = APIRouter(tags=["documents"])

    @routes.get(
        "/documents",
        summary="List the documents with their states",
        responses=described(Documents, "A page of the documents") | responses(),
    )
    async def documents(
        state: State | None = None,
        after: Annotated[str, Query(max_length=4_096, description="Only documents whose id is greater.")] = "",
        limit: Annotated[int, Query(ge=1, le=_LARGEST_PAGE)] = 100,
    ) -> Response:
        return reply_with(await base.in_thread(documents_page, await base.opened(), state, after, limit))

    @routes.get(
        "/documents/{document:path}",
        summary="Show a document: state by stage, text, summary, concepts, verdict",
        responses=described(DocumentReply, "The document") | responses(404),
    )
    async def document(document: DocumentId) -> Response:
        asker = await base.ready()
        return reply_with(await base.in_thread(_document, base.session, asker.sessions, document))

    @routes.get(
        "/passages/{document:path}",
        summary="Show a passage where it stands in its document",
        responses=described(PassageInPlace, "The passage, with the text around it") | responses(404),
    )
    async def passage(
        document: DocumentId,
        start: Annotated[int, Query(ge=0, le=1 << 40, description="Offset of its first character in the text.")],
        end: Annotated[int, Query(ge=0, le=1 << 40, description="Offset after its last character.")],
        context: Annotated[int, Query(ge=0, le=_LONGEST_CONTEXT, description="Characters before and after it.")] = 500,
    ) -> Response:
        found = await base.in_thread(passage_in_place, await base.opened(), document, start, end, context)
        return reply_with(found)

    @routes.get(
        "/clusters",
        summary="List the clusters of documents",
        responses=described(Clusters, "The clusters") | responses(),
    )
    async def clusters(
        cluster_type: Annotated[str, Query(max_length=200, description="Only of this type; all if it is empty.")] = "",
    ) -> Response:
        return reply_with(await base.in_thread(clusters_of, await base.opened(), cluster_type))

    return routes


def documents_page(session: Session, state: str | None, after: str, limit: int) -> Documents:
    """A page of the documents in the order of their ids. state: only those whose worst state this is."""
    found = [
        DocumentState(document, _worst(stages.values()), dict(stages))
        for document, stages in sorted((states_of(session) if session.mirrored else session.plan().states()).items())
    ]
    wanted = [one for one in found if state is None or one.state == state]
    page = [one for one in wanted if one.document > after]
    following = page[limit - 1].document if len(page) > limit else None
    return Documents(page[:limit], len(wanted), following)


def _worst(states: Any) -> str:
    present = set(states)
    return next((state for state in _WORST_FIRST if state in present), "missing")


def _document(session: Session, asked: Asked, document: str) -> DocumentReply:
    if session.mirrored:
        return _mirrored(session, asked, document)
    try:
        results = document_results(session, document)
    except (UnknownDocumentError, ValueError) as error:  # a name with a NUL is no path
        raise ServiceError(404, _UNKNOWN) from error
    text: ExtractedText | None = None
    summary: str | None = None
    concepts: list[dict[str, Any]] | None = None
    verdict: dict[str, Any] | None = None
    for result in results.values():
        match result.value:
            case ExtractedText() as text:
                pass
            case Summary(text=summary):
                pass
            case Judgement(summary=summary) as judgement:
                verdict = plain_data(judgement.verdict)
            case Concepts():
                concepts = plain_data(result.value, result.inputs)["concepts"]
            case _:
                pass
    return DocumentReply(
        document,
        {name: _state_of(result) for name, result in results.items()},
        text.title if text else None,
        text.text if text else None,
        summary,
        concepts,
        verdict,
        question_texts(asked.uses_of(document)),
    )


def _mirrored(session: Session, asked: Asked, document: str) -> DocumentReply:
    """What the tables of another home have of a document."""
    found = text_of(session, document)
    if found is None:
        raise ServiceError(404, _UNKNOWN)
    uses = question_texts(asked.uses_of(document))
    return DocumentReply(document, {}, found.title, found.text, summary_of(session, document), None, None, uses)


def _state_of(result: DocumentResult) -> StageState:
    failure = result.failure
    return (
        StageState(result.state, failure.reason, failure.remedy) if failure else StageState(result.state, result.reason)
    )


def clusters_of(session: Session, cluster_type: str) -> Clusters:
    """The clusters of a type, or all. There are none as long as nothing was clustered."""
    names = list(Cluster.__struct_fields__)
    try:
        rows = session.tables.read("clusters", names).to_pylist()
    except TableMissingError:
        rows = []
    return Clusters([Cluster(**row) for row in rows if cluster_type in ("", row["cluster_type"])])
