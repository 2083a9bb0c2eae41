"""The inputs of stages that work on the corpus as a whole.

What belongs here: their corpus inputs. What does not: the types of values (core.clusters.corpus_views).
"""

from io_managers.store.fingerprint import Part
from seed_assets.core.clusters.corpus_views import CategorizedConcepts, CategoryMaterial
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.published import PublishedCorpus


class AllConcepts(CorpusInput):
    """The input that gives a stage the concepts, texts and vectors of all documents, and the previous categories."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that find concepts and that give what documents are compared by."""
        return ("concepts", "extracted_text", "embeddings")

    def part(self, corpus: PublishedCorpus, unit: str) -> Part:
        """Return the snapshots of all concepts, texts and vectors, and the digest of the previous categories."""
        now: dict[str, Part] = {name: corpus.snapshot(name) for name in self.looks_at}
        return {"now": now, "before": corpus.digest("categories", unit)}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> CategoryMaterial:
        """Return each document that has concepts and a vector, and the previous categories."""
        from seed_assets.core.clusters.categories import ConceptDocument
        from seed_assets.core.clusters.category_terms import MOST_CHARACTERS
        from seed_assets.core.text.unit_rows import mean_row

        found = CategoryMaterial([], corpus.value("categories", unit, CategorizedConcepts))
        for document in sorted(set.intersection(*(set(corpus.refs(name)) for name in self.looks_at))):
            mean = mean_row(await opened("embeddings", document))
            beginning = (await opened("extracted_text", document)).text[:MOST_CHARACTERS]
            names = (await opened("concepts", document)).names
            found.documents.append(ConceptDocument(document, beginning, names, mean))
        return found
