"""The pipeline: its stages in order, what they use, and the keys that follow from both.

What belongs here: which stages exist and which implementation each seam has under given settings. What does not: any
step's code, and Dagster.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from io_managers.store.fingerprint import Action, KeyTemplate, Part, same_part
from resources.config import Settings
from seed_assets.core.clusters import FIELD
from seed_assets.core.field_table import FieldTable
from seed_assets.stage import REUSE, SOURCE, Identified, OfKind, Stage, Units
from seed_assets.views import VIEWS, Clustered


@dataclass(frozen=True)
class Pipeline:
    """Stages by name, in an order in which each comes after its inputs, and the resources they use by name.

    keeping: stages whose published results stay when nothing but these of their resources has changed (another model,
    another prompt). clustered: what clusters are made of.
    """

    stages: Mapping[str, Stage]
    resources: Mapping[str, Any]
    keeping: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    clustered: Clustered = field(default_factory=Clustered)

    def __post_init__(self) -> None:
        for position, stage in enumerate(self.stages.values()):
            before = {SOURCE, *VIEWS, *list(self.stages)[:position]}
            unknown = [name for name in (*stage.inputs, *stage.over) if name not in before]
            if unknown:
                raise ValueError(f"Stage {stage.name}: its inputs {unknown} are no stages before it.")
            missing = [name for name in stage.uses if name != REUSE and name not in self.resources]
            if missing:
                raise ValueError(f"Stage {stage.name} uses {missing}, which the pipeline does not have.")

    @cached_property
    def templates(self) -> dict[str, KeyTemplate]:
        """What makes each stage's action keys."""
        return {stage.name: KeyTemplate(stage.name, self._fixed(stage)) for stage in self.stages.values()}

    def of_units(self, *units: Units) -> list[Stage]:
        """The stages of these units, in order."""
        return [stage for stage in self.stages.values() if stage.units in units]

    @cached_property
    def document_stages(self) -> list[Stage]:
        """Those with a partition a document, tables included, in order."""
        return self.of_units("documents")

    @cached_property
    def placing_stages(self) -> list[Stage]:
        """Those of documents that come after the corpus was looked at as a whole, in order."""
        placing: set[str] = set()
        for stage in self.document_stages:
            if stage.over or placing.intersection(stage.inputs):
                placing.add(stage.name)
        return [stage for stage in self.document_stages if stage.name in placing]

    @cached_property
    def upkeep_stages(self) -> list[Stage]:
        """Those that do work on tables, in order."""
        return [stage for stage in self.stages.values() if stage.kind == "upkeep"]

    def action(self, stage: Stage, inputs: Mapping[str, Part]) -> Action:
        """The action of a stage on inputs: stage name -> content digest, `source` -> digest and format."""
        return self.templates[stage.name].action(inputs)

    def keeps(self, stage: Stage) -> bool:
        """Whether published results of a stage may stay though its keys have changed."""
        return stage.continues or stage.name in self.keeping

    def kept(self, stage: Stage, before: Mapping[str, Part], now: Action) -> bool:
        """Whether a result whose key was made of the parts `before` stays in the place of that of `now`."""
        free = self.keeping.get(stage.name, frozenset[str]())
        decisive = [name for name in before.keys() | now.parts.keys() if name not in free]
        if stage.continues:
            return all(same_part(_present(before.get(name)), _present(now.parts.get(name))) for name in decisive)
        return stage.name in self.keeping and all(same_part(before.get(n), now.parts.get(n)) for n in decisive)

    def used_by(self, stage: Stage) -> dict[str, Any]:
        """The resources that a stage's function takes, but for `reuse`."""
        return {name: self.resources[name] for name in stage.uses if name != REUSE}

    def with_stage(self, stage: Stage) -> "Pipeline":
        """The same pipeline with one stage replaced by name."""
        return replace(self, stages={**self.stages, stage.name: stage})

    def with_resources(self, **resources: Any) -> "Pipeline":
        """The same pipeline with some resources replaced by name."""
        return replace(self, resources={**self.resources, **resources})

    def downstream(self, names: Iterable[str], *, of_unit: bool = False) -> set[str]:
        """These stages and all that depend on them; with of_unit, only on what they say of the same unit."""
        found = set(names)
        for stage in self.stages.values():
            if found.intersection(stage.inputs if of_unit else (*stage.inputs, *stage.over)):
                found.add(stage.name)
        return found

    def _fixed(self, stage: Stage) -> dict[str, Part]:
        fixed: dict[str, Part] = {"version": stage.version}
        for name, resource in self.used_by(stage).items():
            if stage.reuse == "inputs" and isinstance(resource, OfKind):
                fixed[name] = resource.kind
                continue
            if not isinstance(resource, Identified):
                raise TypeError(
                    f"Stage {stage.name} uses {name}, which does not say what decides its results (`identity`)."
                )
            fixed[name] = dict(resource.identity)
        return fixed


def _present(part: Part | None) -> Part:
    """What a view's part says of the corpus as it is, without what a result goes on from."""
    return part.get("now", part) if isinstance(part, Mapping) else part


def source_part(content_digest: str, format: str) -> Part:
    """What `source` contributes to a key: the same bytes under another suffix are read another way."""
    return {"content": content_digest, "format": format}


def build_pipeline(settings: Settings) -> Pipeline:
    """The pipeline under these settings; by default nothing in it needs a key or the network.

    Nothing heavy is loaded here: what a stage uses opens what it needs when it is first used.
    """
    from resources.embedder import WordLlamaEmbedder
    from seed_assets.core.chunking import Chunker
    from seed_assets.core.clustering import ClusterRules
    from seed_assets.core.parser_pool import ParserPool
    from seed_assets.implementations import implementations
    from seed_assets.stages.search_index import Indexing

    # Sentences and phrases are compared here, whoever embeds the chunks.
    local = WordLlamaEmbedder()
    clusters = settings.clusters
    return Pipeline(
        stages={stage.name: stage for stage in _stages(settings)},
        resources={
            "parser": ParserPool(),
            "chunker": Chunker(settings.chunks.characters, settings.chunks.overlap),
            "local_embedder": local,
            "cluster_rules": ClusterRules(clusters.smallest, clusters.largest, clusters.seed, clusters.drift),
            "category_rules": ClusterRules(settings.categories.smallest, 0, clusters.seed, clusters.drift),
            "indexing": Indexing(settings.search_index.vector_index_rows),
            **implementations(settings, local),
        },
        keeping=_keeping(settings),
        clustered=Clustered(
            clusters.types,
            settings.cluster_summaries.members_by == "content",
            FieldTable(clusters.table_path) if clusters.table_path else None,
            clusters.smallest,
        ),
    )


def _stages(settings: Settings) -> list[Stage]:
    """All stages, each after what it is made of: documents, the corpus, and documents as parts of it."""
    from seed_assets.stages.categories import categories
    from seed_assets.stages.chunks import chunks
    from seed_assets.stages.cluster_judgements import cluster_judgements
    from seed_assets.stages.cluster_summaries import cluster_summaries
    from seed_assets.stages.clusters import clusters
    from seed_assets.stages.concepts import concepts
    from seed_assets.stages.corpus_map import corpus_map
    from seed_assets.stages.document_clusters import document_clusters
    from seed_assets.stages.embeddings import embeddings
    from seed_assets.stages.extracted_text import extracted_text
    from seed_assets.stages.fields import fields
    from seed_assets.stages.judgements import judgements
    from seed_assets.stages.lance_categories import lance_categories
    from seed_assets.stages.lance_chunks import lance_chunks
    from seed_assets.stages.lance_clusters import lance_clusters
    from seed_assets.stages.lance_concepts import lance_concepts
    from seed_assets.stages.lance_document_clusters import lance_document_clusters
    from seed_assets.stages.lance_documents import lance_documents
    from seed_assets.stages.lance_judgements import lance_judgements
    from seed_assets.stages.search_index import search_index
    from seed_assets.stages.summaries import summaries

    by_field = any(name.startswith(FIELD) for name in settings.clusters.types)
    of_documents = [
        extracted_text,
        chunks,
        embeddings,
        summaries,
        concepts,
        *([fields] if by_field else []),
        judgements,
    ]
    tables = [lance_documents, lance_chunks, lance_concepts, lance_judgements]
    over = (*clusters.over, "fields") if by_field else clusters.over
    of_clusters = [replace(clusters, over=over), cluster_summaries, cluster_judgements, lance_clusters, corpus_map]
    of_corpus = [categories, lance_categories, search_index]
    return [*of_documents, *tables, *of_clusters, *of_corpus, document_clusters, lance_document_clusters]


def _keeping(settings: Settings) -> dict[str, frozenset[str]]:
    keeps = {
        "summaries": (settings.summaries, "summarizer"),
        "concepts": (settings.concepts, "concept_extractor"),
        "judgements": (settings.judge, "judge"),
        "cluster_judgements": (settings.judge, "cluster_judge"),
    }
    return {name: frozenset({used}) for name, (rule, used) in keeps.items() if rule.when_model_changes == "keep"}
