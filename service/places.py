"""A passage where it stands in its document, with the text around it and its page."""

from bisect import bisect_right

from io_managers.store.store import Store
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.graph.pipeline import Pipeline
from service.problems import ServiceError
from service.replies import PassageInPlace


def passage_in_place(
    store: Store, pipeline: Pipeline, document: str, start: int, end: int, context: int
) -> PassageInPlace:
    """The text of a document from `start` to `end`, in characters, with so many characters around it.

    Raises ServiceError if no text of the document is published or if the place is outside of it, and StoreError.
    """
    text = _text_of(store, pipeline, document)
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


def _text_of(store: Store, pipeline: Pipeline, document: str) -> ExtractedText:
    for stage in pipeline.document_stages:
        if stage.returns is ExtractedText:
            ref = store.refs.get(stage.name, [document]).get(document)
            if ref is not None:
                return store.load(ref.content_digest, ExtractedText)
    raise ServiceError(404, "No text of such a document is published. GET /documents lists all of them.")
