"""The pipeline: its stages in order, what they use, and the keys that follow from both.

What belongs here: which stages exist and which implementation each seam has under given settings. What does not: any
step's code, and Dagster.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from io_managers.store.fingerprint import Action, KeyTemplate, Part, same_part
from resources.config import Settings
from seed_assets.stage import REUSE, SOURCE, Identified, Stage


@dataclass(frozen=True)
class Pipeline:
    """Stages by name, in an order in which each comes after its inputs, and the resources they use by name.

    keeping: stages whose published results stay when only a resource has changed (another model, another prompt).
    """

    stages: Mapping[str, Stage]
    resources: Mapping[str, Any]
    keeping: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for position, stage in enumerate(self.stages.values()):
            before = {SOURCE, *list(self.stages)[:position]}
            unknown = [name for name in stage.inputs if name not in before]
            if unknown:
                raise ValueError(f"Stage {stage.name}: its inputs {unknown} are no stages before it.")
            missing = [name for name in stage.uses if name != REUSE and name not in self.resources]
            if missing:
                raise ValueError(f"Stage {stage.name} uses {missing}, which the pipeline does not have.")

    @cached_property
    def templates(self) -> dict[str, KeyTemplate]:
        """What makes each stage's action keys."""
        return {stage.name: KeyTemplate(stage.name, self._fixed(stage)) for stage in self.stages.values()}

    @cached_property
    def document_stages(self) -> list[Stage]:
        """Those with a partition a document, sinks included, in order."""
        return [stage for stage in self.stages.values() if stage.kind != "corpus"]

    @cached_property
    def corpus_stages(self) -> list[Stage]:
        """Those that run once for all documents, in order."""
        return [stage for stage in self.stages.values() if stage.kind == "corpus"]

    def action(self, stage: Stage, inputs: Mapping[str, Part]) -> Action:
        """The action of a stage on inputs: stage name -> content digest, `source` -> digest and format."""
        return self.templates[stage.name].action(inputs)

    def kept(self, stage: Stage, before: Mapping[str, Part], now: Action) -> bool:
        """Whether a result whose key was made of the parts `before` stays in the place of that of `now`."""
        decisive = ["version", *stage.inputs]
        return stage.name in self.keeping and all(same_part(before.get(name), now.parts.get(name)) for name in decisive)

    def used_by(self, stage: Stage) -> dict[str, Any]:
        """The resources that a stage's function takes, but for `reuse`."""
        return {name: self.resources[name] for name in stage.uses if name != REUSE}

    def with_stage(self, stage: Stage) -> "Pipeline":
        """The same pipeline with one stage replaced by name."""
        return replace(self, stages={**self.stages, stage.name: stage})

    def with_resources(self, **resources: Any) -> "Pipeline":
        """The same pipeline with some resources replaced by name."""
        return replace(self, resources={**self.resources, **resources})

    def downstream(self, names: Iterable[str]) -> set[str]:
        """These stages and all that depend on them."""
        found = set(names)
        for stage in self.stages.values():
            if found.intersection(stage.inputs):
                found.add(stage.name)
        return found

    def _fixed(self, stage: Stage) -> dict[str, Part]:
        fixed: dict[str, Part] = {"version": stage.version}
        for name, resource in self.used_by(stage).items():
            if not isinstance(resource, Identified):
                raise TypeError(
                    f"Stage {stage.name} uses {name}, which does not say what decides its results (`identity`)."
                )
            fixed[name] = dict(resource.identity)
        return fixed


def source_part(content_digest: str, format: str) -> Part:
    """What `source` contributes to a key: the same bytes under another suffix are read another way."""
    return {"content": content_digest, "format": format}


def build_pipeline(settings: Settings) -> Pipeline:
    """The pipeline under these settings; by default nothing in it needs a key or the network.

    Nothing heavy is loaded here: what a stage uses opens what it needs when it is first used.
    """
    from resources.embedder import Embedder, WordLlamaEmbedder
    from seed_assets.core.chunking import Chunker
    from seed_assets.core.concepts import ConceptExtractor, StatisticalConceptExtractor
    from seed_assets.core.parser_pool import ParserPool
    from seed_assets.core.summarizing import ExtractiveSummarizer, Summarizer
    from seed_assets.stages.chunks import chunks
    from seed_assets.stages.concepts import concepts
    from seed_assets.stages.embeddings import embeddings
    from seed_assets.stages.extracted_text import extracted_text
    from seed_assets.stages.lance_chunks import lance_chunks
    from seed_assets.stages.lance_concepts import lance_concepts
    from seed_assets.stages.lance_documents import lance_documents
    from seed_assets.stages.search_index import Indexing, search_index
    from seed_assets.stages.summaries import summaries

    # Sentences and phrases are compared here, whoever embeds the chunks.
    local = WordLlamaEmbedder()
    embedder: Embedder = local
    summarizer: Summarizer = ExtractiveSummarizer(local, settings.summaries.words)
    concept_extractor: ConceptExtractor = StatisticalConceptExtractor(local, settings.concepts.count)
    if settings.llm.provider != "extractive" or settings.embeddings.provider != "wordllama":
        from resources.model_clients import ModelClients

        models = ModelClients(settings)
        embedder = models.embedder() or local
        if settings.llm.provider != "extractive":
            from seed_assets.core.model_concepts import ModelConceptExtractor
            from seed_assets.core.model_summarizing import ModelSummarizer

            summarizer = ModelSummarizer(models.chat(settings.summaries.model), settings.summaries.words)
            concept_extractor = ModelConceptExtractor(models.chat(settings.concepts.model), settings.concepts.count)
    ordered = (
        extracted_text,
        chunks,
        embeddings,
        summaries,
        concepts,
        lance_documents,
        lance_chunks,
        lance_concepts,
        search_index,
    )
    return Pipeline(
        stages={stage.name: stage for stage in ordered},
        resources={
            "parser": ParserPool(),
            "chunker": Chunker(settings.chunks.characters, settings.chunks.overlap),
            "embedder": embedder,
            "summarizer": summarizer,
            "concept_extractor": concept_extractor,
            "indexing": Indexing(settings.search_index.vector_index_rows),
        },
        keeping=frozenset(
            name
            for name, rule in (("summaries", settings.summaries), ("concepts", settings.concepts))
            if rule.when_model_changes == "keep"
        ),
    )
