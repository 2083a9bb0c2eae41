"""The stage `concepts`: phrases that say what a document is about."""

from seed_assets.core.concepts.concepts import ConceptExtractor, Concepts
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.graph.stage import value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.documents.checks import GROUNDED
from seed_assets.stages.documents.validity import ungrounded


@value_stage(
    version="1",
    preview=lambda value: ", ".join(value.names),
    checks=(GROUNDED,),
    show=lambda value: {"concepts": ", ".join(value.names)},
    problem=lambda value, extracted_text: ungrounded(value, extracted_text.text),
)
async def concepts(extracted_text: ExtractedText, *, concept_extractor: ConceptExtractor, reuse: Reuse) -> Concepts:
    """One partition: the concepts of one document, best first, each with the place of its first mention.

    Offline they are phrases of the text, chosen by frequency and by similarity to the whole text, in some tens of
    milliseconds. A model names them with their kinds and with passages that are verified in the text; there is one request
    per document, or per part of a document that exceeds the model's context. They are found again when the text, the model,
    its parameters, the prompt or their number changes.
    """
    return await concept_extractor.extract(extracted_text.text, extracted_text.title, reuse)
