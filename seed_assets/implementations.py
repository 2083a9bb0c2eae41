"""Which implementation each seam of the stages has under given settings: the offline one, or one that asks a model.

What belongs here: that choice, and who judges. What does not: the implementations (core) and clients (model_clients).
"""

from typing import Any

from resources.config import Settings
from resources.embedder import LocalEmbedder
from seed_assets.core.judging import SimilarityJudge, Thresholds


def implementations(settings: Settings, local: LocalEmbedder) -> dict[str, Any]:
    """By the names that stages use; nothing heavy is loaded."""
    found = _offline(settings, local)
    if settings.llm.provider == "extractive" and settings.embeddings.provider == "wordllama":
        return found
    from resources.model_clients import ModelClients

    models = ModelClients(settings)
    found["embedder"] = models.embedder() or local
    if settings.llm.provider == "extractive":
        return found
    from seed_assets.core.model_cluster_summarizing import ModelClusterWriter
    from seed_assets.core.model_concepts import ModelConceptExtractor
    from seed_assets.core.model_judging import ModelJudge
    from seed_assets.core.model_revising import ModelClusterReviser, ModelReviser
    from seed_assets.core.model_summarizing import ModelSummarizer

    of_documents, of_clusters = settings.summaries, settings.cluster_summaries

    def judge(writer: str) -> ModelJudge:
        return ModelJudge(models.chat(judging_model(settings, writer)), found["judge"].thresholds, local)

    return found | {
        "summarizer": ModelSummarizer(models.chat(of_documents.model), of_documents.words),
        "concept_extractor": ModelConceptExtractor(models.chat(settings.concepts.model), settings.concepts.count),
        "judge": judge(of_documents.model),
        "cluster_judge": judge(of_clusters.model),
        "reviser": ModelReviser(models.chat(of_documents.model), of_documents.words, local),
        "cluster_writer": ModelClusterWriter(models.chat(of_clusters.model), of_clusters.words, local),
        "cluster_reviser": ModelClusterReviser(models.chat(of_clusters.model), of_clusters.words, local),
    }


def judging_model(settings: Settings, writer: str) -> str:
    """Who judges what a model wrote: the one that is named for it, else the first that is not the writer, since models
    prefer what they wrote themselves; the writer where there is no other.
    """
    writer = writer or settings.llm.model
    others = (settings.llm.model, settings.summaries.model, settings.concepts.model, settings.cluster_summaries.model)
    return settings.judge.model or next((model for model in others if model and model != writer), writer)


def _offline(settings: Settings, local: LocalEmbedder) -> dict[str, Any]:
    from seed_assets.core.cluster_summarizing import ExtractiveClusterWriter
    from seed_assets.core.concepts import StatisticalConceptExtractor
    from seed_assets.core.revision import NoReviser
    from seed_assets.core.summarizing import ExtractiveSummarizer

    judge = SimilarityJudge(local, Thresholds(settings.judge.accept, settings.judge.reject))
    return {
        "embedder": local,
        "summarizer": ExtractiveSummarizer(local, settings.summaries.words),
        "concept_extractor": StatisticalConceptExtractor(local, settings.concepts.count),
        "judge": judge,
        "cluster_judge": judge,
        "reviser": NoReviser(),
        "cluster_writer": ExtractiveClusterWriter(local, settings.cluster_summaries.words),
        "cluster_reviser": NoReviser(),
    }
