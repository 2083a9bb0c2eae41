"""Declaring stages: the decorators, and the types that a stage's function and its declaration use."""

from resources.errors import DocumentError
from resources.tables.table_spec import Column, TableSpec
from seed_assets.core.concepts.concepts import Concept, Concepts
from seed_assets.core.prompting.shown_examples import ShownExamples
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.core.text.chunking import Chunk, Chunks
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.corpus_inputs import CorpusInput
from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Source, Stage, Units, maintenance_stage, sink_stage, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.own_stages.declared_resources import DeclaredResource, Making
from seed_assets.own_stages.document_rows import document_rows, document_table
from seed_assets.own_stages.prompted_model import Prompted, PromptedModel

__all__ = [
    "Chunk",
    "Chunks",
    "Column",
    "Concept",
    "Concepts",
    "CorpusInput",
    "DeclaredResource",
    "DocumentError",
    "ExtractedText",
    "Finding",
    "Making",
    "Prompted",
    "PromptedModel",
    "PublishedResults",
    "Reuse",
    "ShownExamples",
    "ShownTable",
    "Source",
    "Stage",
    "StageCheck",
    "Summary",
    "TableSpec",
    "TextWork",
    "Units",
    "document_rows",
    "document_table",
    "maintenance_stage",
    "sink_stage",
    "value_stage",
]
