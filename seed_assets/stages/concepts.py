"""The stage `concepts`: what a document is about, in phrases."""

from seed_assets.core.concepts import ConceptExtractor, Concepts
from seed_assets.core.extraction import ExtractedText
from seed_assets.stage import document_stage


@document_stage(version="1", preview=lambda value: ", ".join(concept.name for concept in value.concepts))
async def concepts(extracted_text: ExtractedText, *, concept_extractor: ConceptExtractor) -> Concepts:
    """One partition: the concepts of one document, best first, each with where it is first mentioned.

    Offline they are phrases of the text, chosen by frequency and by likeness to the whole. Made again when the text or
    the extractor changes. Costs some tens of milliseconds a document offline.
    """
    return await concept_extractor.extract(extracted_text.text, extracted_text.title)
