"""A passage where it stands in its document, with the text around it and its page."""

from bisect import bisect_right

from io_managers.store.store import Store
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.graph.pipeline import Pipeline
from seed_assets.session.session import Session
from service.mirrored_documents import text_of
from service.problems import ServiceError
from service.replies import PassageInPlace

_NO_TEXT = "No text of such a document is published. GET /documents lists all of them."


def passage_in_place(session: Session, document: str, start: int, end: int, context: int) -> PassageInPlace:
    """The text of a document from `start` to `end`, in characters, with so many characters around it.

    Raises ServiceError if no text of the document is published or if the place is outside of it, StoreError and TableError.
    """
    text = text_of(session, document) if session.mirrored else _text_of(session.store, session.pipeline, document)
    if text is None:
        raise ServiceError(404, _NO_TEXT)
    if not 0 <= start < end <= len(text.text):
        raise ServiceError(
            404, f"The text has {len(text.text):,} characters: a passage begins before it ends, and within them."
        )
    page = bisect_right(text.page_starts, start) if text.page_starts else None
    return PassageInPlace(
        document,
        text.title,
        start,
        end,
        text.text[max(0, start - context) : start],
        text.text[start:end],
        text.text[end : end + context],
        page or None,
    )


def _text_of(store: Store, pipeline: Pipeline, document: str) -> ExtractedText | None:
    for stage in pipeline.document_stages:
        if stage.returns is ExtractedText:
            ref = store.refs.get(stage.name, [document]).get(document)
            if ref is not None:
                return store.load(ref.content_digest, ExtractedText)
    return None
