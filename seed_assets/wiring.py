"""The only module that knows every stage, and the implementation that each stage uses under given settings.

What belongs here: the list of stages, the choice between the offline default and a model, and the choice of the judge. What
does not: stages, their implementations (core), and clients (resources.models).
"""

from collections.abc import Set
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from resources.errors import ConfigurationError
from resources.home.home import Home
from resources.models.embedder import LocalEmbedder
from resources.settings.config import Settings, config_file
from resources.settings.model_settings import BatchMode
from seed_assets.core.clusters.clusters import FIELD
from seed_assets.core.judging.judging import SimilarityJudge, Thresholds
from seed_assets.core.text.text_work import TextWork
from seed_assets.core.workers.workers_embedder import WorkersEmbedder
from seed_assets.graph.additions import Additions, joined
from seed_assets.graph.pipeline import VERSION, Pipeline
from seed_assets.graph.stage import WORK, Finds, Stage

if TYPE_CHECKING:
    from resources.models.model_clients import ModelClients
    from seed_assets.core.examples.selection import Selection
    from seed_assets.core.extractions.declarations import GivenModel

# The name of the resource that judges the summaries of documents, which `calibrate_file` compares with a person.
JUDGE = "judge"
# The stages that are in a pipeline only if something needs them.
_OPTIONAL = frozenset({"fields"})


def build_pipeline(settings: Settings) -> Pipeline:
    """Build the pipeline for these settings; with the default settings it needs neither a key nor a network.

    Nothing heavy is loaded here: resources load what they need when they are first used.
    """
    from resources.models.embedder import WordLlamaEmbedder
    from seed_assets.core.clusters.cluster_rules import CategoryRules, ClusterRules
    from seed_assets.core.reading.ocr.picture_reader import PictureReader
    from seed_assets.core.text.chunking import Chunker
    from seed_assets.core.workers.parser_pool import shared_pool
    from seed_assets.stages.corpus.search_index import Indexing

    # Compares sentences and phrases, even if another embedder embeds the chunks.
    local = WordLlamaEmbedder()
    pool = shared_pool()
    clusters = settings.clusters
    models = _models(settings)
    additions = _additions(settings, models if settings.llm.provider != "extractive" else None, local, pool)
    own = _stages(settings, {name for added in additions for stage in added.stages for name in stage.upstream})
    of_project = implementations(settings, local, pool, models)
    if settings.examples.show:
        own, additions = _with_examples(settings, own, additions, of_project, local)
    stages, added = joined(own, additions, reserved=_OPTIONAL)
    try:
        return Pipeline(
            stages={stage.name: stage for stage in stages},
            resources={
                "parser": pool,
                "picture_reader": PictureReader(
                    settings.ocr.enabled, settings.ocr.languages, settings.ocr.dpi, settings.pdf.most_unread_pages
                ),
                WORK: pool,
                "chunker": Chunker(settings.chunks.characters, settings.chunks.overlap),
                "local_embedder": local,
                "cluster_rules": ClusterRules(
                    clusters.smallest,
                    clusters.largest,
                    clusters.seed,
                    clusters.drift,
                    resummarize_share=settings.cluster_summaries.resummarize_share,
                ),
                "category_rules": CategoryRules(settings.categories.smallest, clusters.seed),
                "indexing": Indexing(settings.search_index.vector_index_rows),
                **of_project,
                **added.resources,
            },
            keeping=_keeping(settings),
            asked_with=models.asked_with() if models else frozenset(),
            cluster_types=clusters.types,
            left_out=added.left_out,
            files=tuple(added.files),
            unused=_OPTIONAL.difference(stage.name for stage in own),
            batched=_batched(settings, stages),
        )
    except ValueError as error:
        if not added.stages:
            raise
        raise ConfigurationError(f"The stages that the settings add do not fit: {error}") from error


def _batched(settings: Settings, stages: list[Stage]) -> dict[str, BatchMode]:
    """By stage, whether its requests go into batches. Raises ConfigurationError for a stage that does not exist."""
    chosen, names = settings.llm.batch, [stage.name for stage in stages if stage.kind == "value"]
    if not settings.llm.uses_batches:
        return {}
    if isinstance(chosen, str):
        return dict.fromkeys(names, chosen)
    if unknown := [name for name in chosen if name not in names]:
        raise ConfigurationError(
            f"llm.batch names {', '.join(unknown)}, and there is no such stage. The stages are {', '.join(names)}."
        )
    return chosen


def _additions(
    settings: Settings, models: "ModelClients | None", local: LocalEmbedder, work: TextWork
) -> list[Additions]:
    """Return what the settings, and the modules that they name, add to the project's own stages.

    models: what makes the models that write; None if the settings name none.
    """
    found: list[Additions] = []
    if settings.entities.enabled:
        from seed_assets.stages.entities.entity_stages import entities_of

        found.append(entities_of(settings, models, work))
        if settings.entities.relationships:
            from seed_assets.stages.relationships.relationship_stages import relationships_of

            found.append(relationships_of(settings, models, work))
        if settings.entities.profiles:
            from seed_assets.stages.profiles.profile_stages import profiles_of

            judging = judging_model(settings, settings.entities.model)
            found.append(profiles_of(settings, models, judging, local, work))
    if settings.extract:
        from seed_assets.stages.extractions.extractions import extractions

        chat = models.chat if models else None
        classes = partial(_class_of, settings)
        found.append(extractions(settings.extract, chat, classes, settings.chunks.characters, work))
    if settings.stages.modules:
        from seed_assets.own_stages.module_stages import stages_of_modules

        found.append(
            stages_of_modules(settings.stages, config_file().parent, Home(settings.home).imports, models, work)
        )
    return found


def _with_examples(
    settings: Settings,
    own: list[Stage],
    additions: list[Additions],
    of_project: dict[str, Any],
    local: LocalEmbedder,
) -> tuple[list[Stage], list[Additions]]:
    """Return the project's own stages and the additions, with examples where the settings say so. Raises ConfigurationError."""
    from seed_assets.stages.examples.example_stages import Examples, left_out

    if settings.llm.provider == "extractive":
        return own, [*additions, left_out(settings.examples)]
    resources = of_project | {name: value for one in additions for name, value in one.resources.items()}
    examples = Examples(settings.examples, selection_of(settings), local, resources)
    every = [*own, *(stage for one in additions for stage in one.stages)]
    examples.check(every)
    shown = [replace(one, stages=examples.stages(one.stages)) for one in additions]
    return examples.stages(own), [*shown, Additions(resources=examples.added(every))]


def selection_of(settings: Settings) -> "Selection":
    """Return the frozen selection of examples, which is read when it is first needed."""
    from seed_assets.core.examples.selection import Selection

    return Selection(settings.examples.file_path or Home(settings.home).examples)


def _class_of(settings: Settings, name: str) -> "GivenModel":
    """The pydantic model that `module:Class` names. Raises ConfigurationError, AttributeError."""
    from seed_assets.core.extractions.declarations import GivenModel
    from seed_assets.own_stages.module_import import import_users_module
    from seed_assets.own_stages.stage_source import source_of, users_names

    module, _, attribute = name.partition(":")
    memory, seconds = Home(settings.home).imports, settings.stages.import_seconds
    imported = import_users_module(module, config_file().parent, seconds, "extract", memory)
    kind = getattr(imported, attribute)
    return GivenModel(kind, source_of(kind, users_names([module], config_file().parent)))


def _models(settings: Settings) -> "ModelClients | None":
    """What makes the models that the settings name; None if they name none."""
    if settings.llm.provider == "extractive" and not settings.embeddings.asks_server:
        return None
    from resources.models.model_clients import ModelClients

    return ModelClients(settings)


def _stages(settings: Settings, needed: Set[str] = frozenset()) -> list[Stage]:
    """Return all stages, each after its inputs: those of documents, of clusters, of the corpus, and of assignments.

    needed: names of inputs of added stages.
    """
    from seed_assets.stages.clusters.cluster_inputs import AboutCluster, MemberTexts
    from seed_assets.stages.clusters.cluster_judgements import cluster_judgements
    from seed_assets.stages.clusters.cluster_summaries import cluster_summaries
    from seed_assets.stages.clusters.clusters import cluster_sizes, clusters
    from seed_assets.stages.clusters.corpus_map import corpus_map
    from seed_assets.stages.clusters.document_clusters import document_clusters
    from seed_assets.stages.clusters.inputs import Material, Place
    from seed_assets.stages.corpus.categories import categories
    from seed_assets.stages.corpus.search_index import search_index
    from seed_assets.stages.documents.chunks import chunks
    from seed_assets.stages.documents.concepts import concepts
    from seed_assets.stages.documents.embeddings import embeddings
    from seed_assets.stages.documents.extracted_text import extracted_text
    from seed_assets.stages.documents.judgements import judgements
    from seed_assets.stages.documents.summaries import summaries
    from seed_assets.stages.tables.lance_categories import lance_categories
    from seed_assets.stages.tables.lance_chunks import lance_chunks
    from seed_assets.stages.tables.lance_clusters import lance_clusters
    from seed_assets.stages.tables.lance_concepts import lance_concepts
    from seed_assets.stages.tables.lance_document_clusters import lance_document_clusters
    from seed_assets.stages.tables.lance_documents import lance_documents
    from seed_assets.stages.tables.lance_judgements import lance_judgements

    rules = settings.clusters
    types = rules.types
    by_field = "fields" in needed or any(name.startswith(FIELD) for name in types)
    of_documents = [extracted_text, chunks, embeddings, summaries, concepts]
    if by_field:
        from seed_assets.stages.documents.fields import fields

        of_documents.append(fields)
    of_documents.append(judgements)
    tables = [lance_documents, lance_chunks, lance_concepts, lance_judgements]
    found = replace(clusters, finds=Finds(cluster_sizes, rules.smallest))
    of_clusters = [found, cluster_summaries, cluster_judgements, lance_clusters, corpus_map]
    of_corpus = [categories, lance_categories, search_index]
    every = [*of_documents, *tables, *of_clusters, *of_corpus, document_clusters, lance_document_clusters]
    by_content = settings.cluster_summaries.members_by == "content"
    table = None
    if rules.table_path:
        from seed_assets.core.reading.field_table import FieldTable

        table = FieldTable(rules.table_path)
    material = Material(types, table)
    bound = (material, Place(types), AboutCluster(by_content), MemberTexts(by_content))
    return [stage.with_inputs(*bound) for stage in every]


def _keeping(settings: Settings) -> dict[str, frozenset[str]]:
    keeps = {
        "summaries": (settings.summaries, {"summarizer"}),
        "concepts": (settings.concepts, {"concept_extractor"}),
        # The reviser is the model that writes the summary, and it is part of the judgement's key.
        "entities": (settings.entities, {"entity_extractor"}),
        "entity_relations": (settings.entities, {"relation_extractor"}),
        "judgements": (settings.judge, {"judge", "reviser"}),
        "entity_profile_judgements": (settings.judge, {"profile_judge", "profile_reviser"}),
        "cluster_judgements": (settings.judge, {"cluster_judge", "cluster_reviser"}),
    }
    kept = {name: frozenset(used) for name, (rule, used) in keeps.items() if rule.when_model_changes == "keep"}
    if settings.extraction.when_version_changes == "keep":
        # Both stages read the document's file. The identity of the parser is the version of the extraction.
        kept |= {"extracted_text": frozenset({VERSION, "parser"}), "fields": frozenset({VERSION})}
    return kept


def implementations(
    settings: Settings, local: LocalEmbedder, work: TextWork | None = None, models: "ModelClients | None" = None
) -> dict[str, Any]:
    """Return the resources of stages by their names, without loading anything heavy.

    local: the bundled embedder.
    work: the workers that process texts; None means threads of this process.
    models: what makes the models, if the caller has it already.
    """
    found = _offline(settings, local, work)
    models = models or _models(settings)
    if models is None:
        return found
    found["embedder"] = models.embedder() or found["embedder"]
    if settings.llm.provider == "extractive":
        return found
    from seed_assets.core.clusters.model_cluster_summarizing import ModelClusterSummarizer
    from seed_assets.core.concepts.model_concepts import ModelConceptExtractor
    from seed_assets.core.judging.model_judging import ModelJudge
    from seed_assets.core.judging.model_revising import ModelClusterReviser, ModelReviser
    from seed_assets.core.summaries.model_summarizing import ModelSummarizer

    of_documents, of_clusters = settings.summaries, settings.cluster_summaries

    def judge(writer: str) -> ModelJudge:
        return ModelJudge(models.chat(judging_model(settings, writer)), found["judge"].thresholds, local, work)

    return found | {
        "summarizer": ModelSummarizer(models.chat(of_documents.model), of_documents.words, work),
        "concept_extractor": ModelConceptExtractor(models.chat(settings.concepts.model), settings.concepts.count, work),
        "judge": judge(of_documents.model),
        "cluster_judge": judge(of_clusters.model),
        "reviser": ModelReviser(models.chat(of_documents.model), of_documents.words, local, work),
        "cluster_writer": ModelClusterSummarizer(models.chat(of_clusters.model), of_clusters.words, local),
        "cluster_reviser": ModelClusterReviser(models.chat(of_clusters.model), of_clusters.words, local, work),
    }


def judging_model(settings: Settings, writer: str) -> str:
    """Return the name of the model that judges what a model wrote.

    This is `judge.model` if it is set; otherwise the first configured model other than the writer, since models prefer their
    own texts; and the writer if there is no other.
    """
    writer = writer or settings.llm.model
    others = (settings.llm.model, settings.summaries.model, settings.concepts.model, settings.cluster_summaries.model)
    return settings.judge.model or next((model for model in others if model and model != writer), writer)


def _offline(settings: Settings, local: LocalEmbedder, work: TextWork | None) -> dict[str, Any]:
    from seed_assets.core.clusters.cluster_summarizing import ExtractiveClusterSummarizer
    from seed_assets.core.concepts.concepts import StatisticalConceptExtractor
    from seed_assets.core.judging.revision import NoReviser
    from seed_assets.core.summaries.summarizing import ExtractiveSummarizer

    judge = SimilarityJudge(local, Thresholds(settings.judge.accept, settings.judge.reject), work)
    return {
        "embedder": _embedder_here(settings, local, work),
        "summarizer": ExtractiveSummarizer(local, settings.summaries.words, work),
        "concept_extractor": StatisticalConceptExtractor(local, settings.concepts.count, work),
        "judge": judge,
        "cluster_judge": judge,
        "reviser": NoReviser(),
        "cluster_writer": ExtractiveClusterSummarizer(local, settings.cluster_summaries.words, work=work),
        "cluster_reviser": NoReviser(),
    }


def _embedder_here(settings: Settings, local: LocalEmbedder, work: TextWork | None) -> Any:
    """What makes the vectors of chunks on this machine: the bundled embedder, or the model in a folder of the user."""
    embeddings = settings.embeddings
    if embeddings.provider != "local":
        return WorkersEmbedder(work) if work else local
    from resources.local_models.local_embedder import LocalModelEmbedder

    return LocalModelEmbedder(
        embeddings.folder_path,
        embeddings.weights,
        dimensions=embeddings.dimensions,
        batch=embeddings.batch,
        memory=Home(settings.home).model_digests,
    )
