"""Opening a knowledge base in a program: its settings, its session, and the search over it."""

from resources.settings.config import Settings, load_settings
from retrieval.filters import Filters
from retrieval.hits import SearchHit
from retrieval.search import Searcher
from seed_assets.session.session import Session

__all__ = ["Filters", "SearchHit", "Searcher", "Session", "Settings", "load_settings"]
