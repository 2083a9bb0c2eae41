"""The published results of a home by their types, for people to read.

What belongs here: which stage holds what, and results that cannot be opened. What does not: what is shown of them (the overviews
and lists), and whether they are current (seed_assets.session).
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from io_managers.store.errors import CorruptObjectError, MissingObjectError, StoreError, UnknownFormatError
from io_managers.store.refs import Ref
from seed_assets.core.clusters.cluster_summarizing import ClusterSummary
from seed_assets.core.clusters.clusters import Cluster, Clustering
from seed_assets.core.clusters.corpus_views import CategorizedConcepts, Placed
from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.core.maps.pictures import Pictures
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.summaries.summarizing import Summary
from seed_assets.graph.stage import Units
from seed_assets.session.session import Session

if TYPE_CHECKING:
    from seed_assets.core.entities.entities import Entities
    from seed_assets.core.entities.resolution.canonical import CanonicalEntities
    from seed_assets.core.profiles.judged_profiles import ProfileJudgements
    from seed_assets.core.relationships.merging import Relationships

TEXT, SUMMARY, CONCEPTS, JUDGEMENT = "extracted_text", "summaries", "concepts", "judgements"
CLUSTERING, CLUSTER_SUMMARY, CLUSTER_JUDGEMENT = "clusters", "cluster_summaries", "cluster_judgements"
ENTITIES, ALL_ENTITIES = "entities", "canonical_entities"
RELATIONSHIPS, PROFILES = "relationships", "entity_profile_judgements"
PICTURES, CATEGORIES, PLACED = "corpus_map", "categories", "document_clusters"


class PublishedResults:
    """The published results of one home. None stands for a result that is not published, or that cannot be opened.

    lost: (stage, unit) -> why a published result cannot be opened.
    """

    def __init__(self, session: Session) -> None:
        self.lost: dict[tuple[str, str], str] = {}
        self._configured = session.pipeline.cluster_types
        self._store = session.store
        self._stages = session.pipeline.stages
        self._refs: dict[str, Mapping[str, Ref]] = {}
        self._opened: dict[tuple[str, str], Any] = {}
        self._read: dict[str, Mapping[str, Cluster]] = {}

    @cached_property
    def cluster_types(self) -> list[str]:
        """The cluster types: those of the settings, and then others of which clusters are published."""
        return [*dict.fromkeys((*self._configured, *sorted(self.refs(CLUSTERING))))]

    def documents(self) -> list[str]:
        """The documents whose text is published, sorted."""
        return sorted(self.refs(TEXT))

    def refs(self, stage: str) -> Mapping[str, Ref]:
        """The refs of all units of a stage; none for a stage that the pipeline does not have."""
        if stage not in self._refs:
            self._refs[stage] = self._store.refs.get(stage) if stage in self._stages else {}
        return self._refs[stage]

    def text(self, document: str) -> ExtractedText | None:
        """The text of a document; it is not kept in memory."""
        return self._open(TEXT, document)

    def title(self, document: str) -> str:
        """The title of a document, for which its text is opened; "" if it has none."""
        found = self.text(document)
        return found.title if found else ""

    def summary(self, document: str) -> Summary | None:
        """The summary of a document before it was judged."""
        return self._open(SUMMARY, document)

    def concepts(self, document: str) -> Concepts | None:
        """The concepts of a document."""
        return self._open(CONCEPTS, document)

    def entities(self, document: str) -> "Entities | None":
        """The entities of a document."""
        return self._open(ENTITIES, document)

    def all_entities(self) -> "CanonicalEntities | None":
        """The entities of all documents."""
        return self._open(ALL_ENTITIES, "")

    def relationships(self) -> "Relationships | None":
        """The relationships between the entities of all documents."""
        return self._open(RELATIONSHIPS, "")

    def profiles(self) -> "ProfileJudgements | None":
        """The profiles of entities, as they were judged."""
        return self._open(PROFILES, "")

    def judgement(self, document: str) -> Judgement | None:
        """The judgement of a document's summary."""
        return self._open(JUDGEMENT, document)

    def placed(self, document: str) -> Placed | None:
        """The clusters and categories of a document."""
        return self._open(PLACED, document)

    def added(self, document: str) -> dict[str, str]:
        """The results of stages that users add, by the names of the stages, each as a line that shows it."""
        of_documents = [
            stage for stage in self._stages.values() if stage.units is Units.DOCUMENTS and stage.kind == "value"
        ]
        opened = [(stage, self._open(stage.name, document)) for stage in of_documents if stage.declared_in]
        return {stage.name: stage.preview(value) for stage, value in opened if value is not None}

    def clustering(self, cluster_type: str) -> Clustering | None:
        """The clusters of a type."""
        return self._kept(CLUSTERING, cluster_type)

    def clusters(self, cluster_type: str) -> Mapping[str, Cluster]:
        """The clusters of a type by their ids, in their order."""
        if cluster_type not in self._read:
            found = self.clustering(cluster_type)
            self._read[cluster_type] = {one.cluster_id: one for one in found.clusters} if found else {}
        return self._read[cluster_type]

    def cluster_summary(self, cluster_id: str) -> ClusterSummary | None:
        """The title and summary of a cluster before they were judged."""
        return self._kept(CLUSTER_SUMMARY, cluster_id)

    def cluster_judgement(self, cluster_id: str) -> Judgement | None:
        """The judgement of a cluster's summary."""
        return self._kept(CLUSTER_JUDGEMENT, cluster_id)

    def cluster_title(self, cluster_id: str) -> str:
        """The title of a cluster; "" if it has none."""
        judged = self.cluster_judgement(cluster_id)
        if judged is not None and judged.title:
            return judged.title
        written = self.cluster_summary(cluster_id)
        return written.title if written else ""

    def pictures(self, cluster_type: str) -> Pictures | None:
        """The maps of a cluster type, with the positions of the documents."""
        return self._open(PICTURES, cluster_type)

    def categories(self) -> CategorizedConcepts | None:
        """All groups of concepts."""
        return self._kept(CATEGORIES, "")

    def opened(self, stage: str, unit: str) -> Any:
        """The result of any stage."""
        return self._open(stage, unit)

    def _kept(self, stage: str, unit: str) -> Any:
        if (stage, unit) not in self._opened:
            self._opened[stage, unit] = self._open(stage, unit)
        return self._opened[stage, unit]

    def _open(self, stage: str, unit: str) -> Any:
        ref = self._ref(stage, unit)
        if ref is None:
            return None
        try:
            return self._store.load(ref.content_digest, self._stages[stage].returns)
        except UnknownFormatError:
            self.lost[stage, unit] = "It was made by another version of Seedbank. Run `seedbank seed`."
        except (MissingObjectError, CorruptObjectError) as error:
            self.lost[stage, unit] = str(error)
        return None

    def _ref(self, stage: str, unit: str) -> Ref | None:
        if stage in self._refs:
            return self._refs[stage].get(unit)
        return self._store.refs.get(stage, [unit]).get(unit) if stage in self._stages else None

    def check_opened(self) -> None:
        """Raise StoreError if a result that was asked for cannot be opened."""
        for (stage, unit), reason in self.lost.items():
            raise StoreError(f"The result of {stage} of {unit or 'the corpus'} cannot be opened. {reason}")
