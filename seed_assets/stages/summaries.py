"""The stage `summaries`: a document in few words."""

from seed_assets.core.extraction import ExtractedText
from seed_assets.core.summarizing import Summarizer, Summary
from seed_assets.stage import document_stage


@document_stage(version="1", preview=lambda value: value.text)
async def summaries(extracted_text: ExtractedText, *, summarizer: Summarizer) -> Summary:
    """One partition: the summary of one document.

    Offline it is made of the document's own central sentences. Made again when the text or the summarizer changes. Costs
    some tens of milliseconds a document offline.
    """
    return await summarizer.summarize(extracted_text.text, extracted_text.title)
