"""What the service sends, as types: they are encoded as they are, and OpenAPI describes them.

What belongs here: the shape of each reply. What does not: requests, which the routes declare, and errors (problems).
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from fastapi import Response

from answering.answers import AnswerSentence, CacheUse, Citation, Event, Passage, Question, Reply
from resources.ingestions.ingestion_requests import Ingestion
from service.problems import ProblemDocument


class AskReply(msgspec.Struct, frozen=True):
    """An answer. The fields are those of answering.answers: Answer, Reply. answer: all of it in words, with the numbers of the
    citations. session: the conversation that it was added to."""

    question: str
    answer: str
    found: bool
    confidence: float
    answered_by: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    cache: CacheUse
    usd: float | None
    requests: int
    input_tokens: int
    output_tokens: int
    index_behind: bool
    sought: str
    seconds: float
    session: str | None = None


class StreamedPassages(msgspec.Struct, frozen=True):
    """The first event of a stream: the passages that the answer will be made from."""

    passages: tuple[Passage, ...]


class SearchReply(msgspec.Struct, frozen=True):
    """The best passages for a query, best first."""

    passages: list[Passage]
    cache: CacheUse


class IngestionStatus(msgspec.Struct, frozen=True):
    """An ingestion. remedy: what to do so that it goes on; "" if nothing has to be done."""

    ingestion: Ingestion
    ended: bool
    remedy: str


class Ingestions(msgspec.Struct, frozen=True):
    """Ingestions, the newest first."""

    ingestions: list[IngestionStatus]


class DocumentState(msgspec.Struct, frozen=True):
    """A document. state: the worst of the states of its stages: failed, blocked, waiting, missing, stale, current."""

    document: str
    state: str
    stages: dict[str, str]


class Documents(msgspec.Struct, frozen=True):
    """A page of the documents, by id. total: how many there are. next: the value of `after` for the next page; None at the
    end."""

    documents: list[DocumentState]
    total: int
    next: str | None


class StageState(msgspec.Struct, frozen=True):
    """The state of one stage of a document. reason, remedy: why it is not current, and what to do."""

    state: str
    reason: str = ""
    remedy: str = ""


class DocumentReply(msgspec.Struct, frozen=True):
    """A document: the state of each stage, and what is published of it; None for what is not published.

    concepts, verdict: as `seedbank show DOCUMENT STAGE --json` has them. asked: kept questions whose answers use the document.
    """

    document: str
    stages: dict[str, StageState]
    title: str | None
    text: str | None
    summary: str | None
    concepts: list[dict[str, Any]] | None
    verdict: dict[str, Any] | None
    asked: list[str]


class PassageInPlace(msgspec.Struct, frozen=True):
    """A passage where it stands in its document. before, after: the text around it. page: from 1; None without pages."""

    document: str
    title: str
    start: int
    end: int
    before: str
    text: str
    after: str
    page: int | None


class Cluster(msgspec.Struct, frozen=True):
    """A cluster, as in the table of clusters."""

    cluster_id: str
    cluster_type: str
    title: str
    summary: str
    concepts: list[str]
    size: int
    members: list[str]
    typical: list[str]
    verdict: str
    needs_review: bool


class Clusters(msgspec.Struct, frozen=True):
    """All clusters, by id."""

    clusters: list[Cluster]


class ModelUse(msgspec.Struct, frozen=True):
    """What one stage and model have cost. usd: in dollars; `unpriced` requests are not in it. reused: results that were reused;
    saved_usd: what they had cost."""

    stage: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    usd: float
    unpriced: int
    outcomes: dict[str, int]
    reused: int
    saved_usd: float


class CacheStats(msgspec.Struct, frozen=True):
    """What is kept. kept: how many passages of questions and how many answers. values, actions, bytes: of the whole store."""

    retrievals: int
    answers: int
    values: int
    actions: int
    bytes: int
    models: list[ModelUse]


class Purged(msgspec.Struct, frozen=True):
    """What was removed. requests: answered requests to a model, which are paid once more if they are needed."""

    retrievals: int
    answers: int
    requests: int


class NewSession(msgspec.Struct, frozen=True):
    """A conversation that has begun."""

    session: str


class SessionEntry(msgspec.Struct, frozen=True):
    """A conversation. made_at: seconds since 1970. turns: how many questions it has."""

    session: str
    title: str
    made_at: float
    turns: int


class Sessions(msgspec.Struct, frozen=True):
    """All conversations, the newest first."""

    sessions: list[SessionEntry]


class SessionReply(msgspec.Struct, frozen=True):
    """A conversation: its questions with their answers, oldest first."""

    session: str
    turns: list[AskReply]


class Health(msgspec.Struct, frozen=True):
    """The service answers."""

    status: str


SHOWN: tuple[type[msgspec.Struct], ...] = (
    AskReply,
    StreamedPassages,
    AnswerSentence,
    SearchReply,
    IngestionStatus,
    Ingestions,
    Documents,
    DocumentReply,
    PassageInPlace,
    Clusters,
    CacheStats,
    Purged,
    NewSession,
    Sessions,
    SessionReply,
    Health,
    ProblemDocument,
)
"""The types that OpenAPI describes, with those that they are made of."""

encode = msgspec.json.Encoder().encode
REFERENCE = "#/components/schemas/{name}"


def schemas() -> dict[str, Any]:
    """The schemas of these types, by name."""
    return msgspec.json.schema_components(SHOWN, ref_template=REFERENCE)[1]


def reply_with(value: msgspec.Struct, status: int = 200) -> Response:
    """The response with a value, as JSON."""
    return Response(encode(value), status, media_type="application/json")


def described(
    kind: type[msgspec.Struct], description: str, *more: str, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of a successful response. more: other media types, of which only the name is given."""
    schema = {"$ref": REFERENCE.format(name=kind.__name__)}
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    content |= {media_type: {} for media_type in more}
    return {status: {"description": description, "content": content}}


def ask_reply(reply: Reply, session: str | None = None) -> AskReply:
    """A reply as it is sent."""
    answer = reply.answer
    return AskReply(
        reply.question.text,
        answer.text,
        answer.found,
        answer.confidence,
        answer.answered_by,
        answer.sentences,
        answer.citations,
        reply.passages,
        reply.cache,
        reply.usd,
        reply.requests,
        reply.input_tokens,
        reply.output_tokens,
        reply.index_behind,
        reply.sought,
        reply.seconds,
        session,
    )


def events_of(reply: Reply) -> Iterable[Event]:
    """The steps to a reply that is there already."""
    yield Event("passages", passages=reply.passages)
    yield from (Event("sentence", sentence=sentence) for sentence in reply.answer.sentences)
    yield Event("reply", reply=reply)


def question_texts(questions: Iterable[Question]) -> list[str]:
    """The texts of questions, each once, sorted."""
    return sorted({question.text for question in questions})
