"""The stage `concepts`: what a document is about, in phrases."""

from seed_assets.core.concepts import ConceptExtractor, Concepts
from seed_assets.core.extraction import ExtractedText
from seed_assets.core.validity import ungrounded
from seed_assets.reuse import Reuse
from seed_assets.stage import value_stage


@value_stage(
    version="1",
    preview=lambda value: ", ".join(value.names),
    problem=lambda value, extracted_text: ungrounded(value, extracted_text.text),
)
async def concepts(extracted_text: ExtractedText, *, concept_extractor: ConceptExtractor, reuse: Reuse) -> Concepts:
    """One partition: the concepts of one document, best first, each with where it is first mentioned.

    Offline they are phrases of the text, chosen by frequency and by likeness to the whole, in some tens of milliseconds.
    Else a model names them, each with its kind and with a passage that is really in the text, in one request, or one for
    each part of a document that is longer than its context. Made again when the text changes, or whatever decides what is
    found: the model, its parameters, the prompt, the number.
    """
    return await concept_extractor.extract(extracted_text.text, extracted_text.title, reuse)
