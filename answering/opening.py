"""Makes what answers questions over a home, under its settings. It is the only module of the package that knows the settings."""

from answering.asked import Asked
from answering.asker import Asker
from answering.drafts import Answerer
from answering.finding import HomeFinder
from answering.sentence_answers import SentenceAnswerer
from resources.models.embedder import WordLlamaEmbedder
from resources.settings.config import Settings
from seed_assets.session.session import Session


def open_asker(session: Session) -> Asker:
    """Return what answers questions over a home; nothing is loaded before the first question."""
    finder = HomeFinder(session)
    settings = session.settings
    answerer, asked = _answerer(settings, finder.embedder), Asked(session.home.asked)
    return Asker(session.store, finder, answerer, asked, session.reuse, passages=settings.answers.passages)


def _answerer(settings: Settings, embedder: WordLlamaEmbedder) -> Answerer:
    if settings.llm.provider == "extractive":
        return SentenceAnswerer(embedder)
    from answering.model_answers import ModelAnswerer
    from resources.models.model_clients import ModelClients

    return ModelAnswerer(ModelClients(settings).chat(settings.answers.model), embedder)
