"""The stage `summaries`: a short summary of each document."""

from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.summaries.summarizing import Summarizer, Summary
from seed_assets.graph.stage import value_stage
from seed_assets.memo.reuse import Reuse


@value_stage(version="1", preview=lambda value: value.text, show=lambda value: {"summary": value.text})
async def summaries(extracted_text: ExtractedText, *, summarizer: Summarizer, reuse: Reuse) -> Summary:
    """One partition: the summary of one document.

    Offline it consists of central sentences of the document, in some tens of milliseconds. A model writes it in one request;
    a document that exceeds the model's context takes one request per part and one for the whole. It is written again when
    the text, the model, its parameters, the prompt or the length changes.
    """
    return await summarizer.summarize(extracted_text.text, extracted_text.title, reuse)
