"""The stage `summaries`: a document in few words."""

from seed_assets.core.extraction import ExtractedText
from seed_assets.core.summarizing import Summarizer, Summary
from seed_assets.reuse import Reuse
from seed_assets.stage import value_stage


@value_stage(version="1", preview=lambda value: value.text)
async def summaries(extracted_text: ExtractedText, *, summarizer: Summarizer, reuse: Reuse) -> Summary:
    """One partition: the summary of one document.

    Offline it is made of the document's own central sentences, in some tens of milliseconds. Else a model writes it, in one
    request, or one for each part of a document that is longer than its context and one for the whole. Made again when the
    text changes, or whatever decides what is written: the model, its parameters, the prompt, the length.
    """
    return await summarizer.summarize(extracted_text.text, extracted_text.title, reuse)
