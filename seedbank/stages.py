"""Declaring stages: the decorators, and the types that a stage's function and its declaration use."""

from seed_assets.graph.corpus_inputs import CorpusInput
from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck
from seed_assets.graph.shown_tables import ShownTable
from seed_assets.graph.stage import Source, Stage, Units, maintenance_stage, sink_stage, value_stage

__all__ = [
    "CorpusInput",
    "Finding",
    "PublishedResults",
    "ShownTable",
    "Source",
    "Stage",
    "StageCheck",
    "Units",
    "maintenance_stage",
    "sink_stage",
    "value_stage",
]
