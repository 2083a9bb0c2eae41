"""The inputs of stages that work on the corpus as a whole.

What belongs here: their corpus inputs. What does not: the types of values (core.clusters.corpus_views).
"""

from io_managers.store.fingerprint import Part
from seed_assets.core.clusters.corpus_views import CategorizedConcepts, ConceptLists
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.published import PublishedCorpus


class AllConcepts(CorpusInput):
    """The input that gives a stage the concepts of all documents and the previous categories."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stage that finds concepts."""
        return ("concepts",)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part:
        """Return the snapshot of all concepts and the digest of the previous categories."""
        return {"now": corpus.snapshot("concepts"), "before": corpus.digest("categories", unit)}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> ConceptLists:
        """Return the names of each document's concepts, and the previous categories."""
        lists = {d: (await opened("concepts", d)).names for d in sorted(corpus.refs("concepts"))}
        return ConceptLists(lists, corpus.value("categories", unit, CategorizedConcepts))
