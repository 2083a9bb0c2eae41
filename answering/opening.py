"""Makes what answers questions over a home, under its settings. It is the only module of the package that knows the settings."""

from answering.asked import Asked
from answering.asker import Asker
from answering.drafts import Answerer
from answering.finding import HomeFinder
from answering.follow_ups import FollowUps
from answering.sentence_answers import SentenceAnswerer
from resources.models.embedder import WordLlamaEmbedder
from resources.settings.config import Settings
from seed_assets.session.session import Session


def open_asker(session: Session) -> Asker:
    """Return what answers questions over a home; nothing is loaded before the first question."""
    finder = HomeFinder(session)
    settings = session.settings
    answerer, follow_ups = _answerer(settings, finder.embedder)
    return Asker(
        session.store,
        finder,
        answerer,
        Asked(session.home.asked),
        session.reuse,
        passages=settings.answers.passages,
        follow_ups=follow_ups,
    )


def _answerer(settings: Settings, embedder: WordLlamaEmbedder) -> tuple[Answerer, FollowUps | None]:
    if settings.llm.provider == "extractive":
        return SentenceAnswerer(embedder), None
    from answering.model_answers import ModelAnswerer
    from answering.model_follow_ups import ModelFollowUps
    from resources.models.model_clients import ModelClients

    model = ModelClients(settings).chat(settings.answers.model)
    return ModelAnswerer(model, embedder), ModelFollowUps(model)
