"""Views of the corpus: what a stage looks at beside other stages' results of the same unit.

What belongs here: of each view, which part it is of a key, and its value, from what is published. What does not: what is
made of it (stages), and values' types (core.corpus_views).

A part is formed without opening a document's value; of clusterings, which name everybody's place, the current ones are.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from io_managers.store.errors import CorruptObjectError, MissingObjectError
from io_managers.store.fingerprint import Part, content_digest, encode_part
from io_managers.store.refs import Published
from io_managers.store.store import Store
from seed_assets.core.cluster_members import ClusterMaterial, Member
from seed_assets.core.clusters import CONCEPT, FIELD, TOPIC, Cluster, Clustering
from seed_assets.core.corpus_views import (
    CategorizedConcepts,
    ClusteringMaterial,
    ConceptLists,
    CorpusPicture,
    Placed,
)
from seed_assets.core.field_table import FieldTable
from seed_assets.core.textrank import terms
from seed_assets.core.verdicts import SourceText

MATERIAL, CONCEPT_LISTS, PLACEMENT, PICTURE = "material", "concept_lists", "placement", "picture"
# Of one cluster: all that its summary is made of, what its members say, who they are.
CLUSTER, MEMBER_TEXTS, MEMBERS = "cluster", "member_texts", "members"
OF_CLUSTERS = frozenset({CLUSTER, MEMBER_TEXTS, MEMBERS})
VIEWS = OF_CLUSTERS | {MATERIAL, CONCEPT_LISTS, PLACEMENT, PICTURE}

logger = logging.getLogger(__name__)

Load = Callable[[str, str, str], Awaitable[Any]]
"""(stage, unit, content digest) -> the value, verified."""
_Opened = Callable[[str, str], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Clustered:
    """What clusters are made of. types: cluster types, in order. by_content: whether what members say counts, or who
    they are. table: fields beside the documents. smallest: members of a cluster, at least.
    """

    types: tuple[str, ...] = (TOPIC, CONCEPT)
    by_content: bool = False
    table: FieldTable | None = None
    smallest: int = 3

    def over(self, view: str, unit: str) -> tuple[str, ...]:
        """The stages whose published results a view of a unit is made of."""
        match view:
            case "material":
                return _MATERIAL.get(unit, ("fields",))
            case "concept_lists":
                return ("concepts",)
            case "cluster" | "member_texts" | "members":
                return ("clusters",)
            case "placement":
                return ("clusters", "categories")
            case "picture":
                return ("embeddings", "clusters", "cluster_judgements")
            case _:
                raise ValueError(f"{view!r} is no view of the corpus")


_MATERIAL = {TOPIC: ("extracted_text", "embeddings"), CONCEPT: ("concepts",)}


class Views:
    """The views of one store, as it is when each is first looked at.

    recluster: whether clusters are to be found from scratch. published: what is known already of what is published.
    """

    def __init__(
        self,
        store: Store,
        clustered: Clustered,
        *,
        recluster: bool = False,
        published: Mapping[str, Mapping[str, Published]] | None = None,
    ) -> None:
        self._store = store
        self._clustered = clustered
        self._recluster = recluster
        self._published = dict(published or {})
        self._snapshots: dict[str, str] = {}
        self._clusterings: dict[str, Clustering] = {}
        self._categories: list[CategorizedConcepts] = []
        self._background: dict[str, int] = {}
        self._places: dict[str, Placed] | None = None

    def note(self, stage: str, published: Mapping[str, Published]) -> None:
        """What a stage has published was read."""
        self._published[stage] = published

    def clustering(self, cluster_type: str) -> Clustering | None:
        """The current one; None where there is none, or where it was lost."""
        if cluster_type not in self._clusterings:
            ref = self._of("clusters").get(cluster_type)
            if ref is None:
                return None
            try:
                self._clusterings[cluster_type] = self._store.load(ref.content_digest, Clustering)
            except (MissingObjectError, CorruptObjectError):
                return None
        return self._clusterings[cluster_type]

    def clusters(self, types: Iterable[str] | None = None) -> dict[str, Cluster]:
        """The clusters of all current clusterings, or of some, by id."""
        found = map(self.clustering, self._clustered.types if types is None else types)
        return {cluster.cluster_id: cluster for one in found if one is not None for cluster in one.clusters}

    def categorized(self) -> CategorizedConcepts | None:
        """The current categories; None where there are none, or where they were lost."""
        ref = self._of("categories").get("")
        if not self._categories and ref is not None:
            try:
                self._categories.append(self._store.load(ref.content_digest, CategorizedConcepts))
            except (MissingObjectError, CorruptObjectError):
                return None
        return self._categories[0] if self._categories else None

    def placements(self) -> dict[str, Placed]:
        """Where every document stands in all clusterings, and its categories."""
        if self._places is None:
            kept = self.categorized()
            found: dict[str, Placed] = {}
            for cluster_type in self._clustered.types:
                one = self.clustering(cluster_type)
                for document, placement in one.placements.items() if one else ():
                    ids = kept.documents.get(document, ()) if kept else ()
                    found.setdefault(document, Placed({}, ids)).placements[cluster_type] = placement
            self._places = found
        return self._places

    def part(self, view: str, unit: str) -> Part | None:
        """What a view is of a unit's key; None where the unit is not in the view."""
        match view:
            case "material":
                return self._material_part(unit)
            case "concept_lists":
                ref = self._of("categories").get(unit)
                return {"now": self._snapshot("concepts"), "before": ref.content_digest if ref else ""}
            case "cluster" | "member_texts" | "members":
                cluster = self.clusters([unit.rpartition("/")[0]]).get(unit)
                return None if cluster is None else self._cluster_part(cluster, view)
            case "placement":
                placed = self.placements().get(unit)
                return None if placed is None else placed.digest()
            case _:
                return self._picture_part(unit)

    async def value(self, view: str, unit: str, load: Load) -> Any:
        """What a view of a unit holds. Raises what `load` does."""

        async def opened(stage: str, of: str) -> Any:
            return await load(stage, of, self._of(stage)[of].content_digest)

        match view:
            case "material":
                return await self._material(unit, opened)
            case "concept_lists":
                lists = {d: (await opened("concepts", d)).names for d in sorted(self._of("concepts"))}
                return ConceptLists(lists, self.categorized())
            case "cluster":
                return await self._cluster(unit, opened)
            case "member_texts":
                return [SourceText(m.document_id, m.title, _said(m)) for m in await self._members(unit, opened)]
            case "members":
                return self.clusters([unit.rpartition("/")[0]])[unit]
            case "placement":
                return self.placements()[unit]
            case _:
                return await self._picture(unit, opened)

    def _of(self, stage: str) -> Mapping[str, Published]:
        if stage not in self._published:
            self._published[stage] = self._store.refs.published(stage, results=False)
        return self._published[stage]

    def _snapshot(self, stage: str) -> str:
        if stage not in self._snapshots:
            pairs = sorted((unit, ref.content_digest) for unit, ref in self._of(stage).items())
            self._snapshots[stage] = content_digest(encode_part(pairs))
        return self._snapshots[stage]

    def _material_part(self, cluster_type: str) -> Part:
        now: dict[str, Part] = {name: self._snapshot(name) for name in self._clustered.over(MATERIAL, cluster_type)}
        now["cluster_type"] = cluster_type
        if cluster_type.startswith(FIELD) and self._clustered.table is not None:
            field = cluster_type.removeprefix(FIELD)
            if field in self._clustered.table.fields:
                now["table"] = self._clustered.table.digest(field)
        ref = self._of("clusters").get(cluster_type)
        before: dict[str, Part] = {"clustering": ref.content_digest if ref else "", "anew": self._recluster}
        return {"now": now, "before": before}

    async def _material(self, cluster_type: str, opened: _Opened) -> ClusteringMaterial:
        from seed_assets.core.clustering import TopicDocument

        ref = self._of("clusters").get(cluster_type)
        found = ClusteringMaterial(
            cluster_type, [], {}, self.clustering(cluster_type), ref.content_digest if ref else "", self._recluster
        )
        if cluster_type == TOPIC:
            for document in sorted(self._of("extracted_text").keys() & self._of("embeddings").keys()):
                text = await opened("extracted_text", document)
                vectors = await opened("embeddings", document)
                vector = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], np.float32)
                found.documents.append(TopicDocument(document, text.text, vector))
        elif cluster_type == CONCEPT:
            for document in sorted(self._of("concepts")):
                found.sets[document] = _with_words((await opened("concepts", document)).names)
        else:
            field = cluster_type.removeprefix(FIELD)
            table = self._clustered.table
            for document in sorted(self._of("fields")):
                own = (await opened("fields", document)).fields.get(field, ())
                beside = table.of(field, document) if table is not None and field in table.fields else ()
                found.sets[document] = tuple(sorted({*own, *beside}))
            if found.sets and not any(found.sets.values()):
                logger.warning(
                    "No document has a field %r, and so no cluster of %s can be found. Add it to front matter or to "
                    "clusters.table, or take it out of clusters.types.",
                    field,
                    cluster_type,
                )
        return found

    def _cluster_part(self, cluster: Cluster, view: str) -> Part:
        cluster_type = cluster.cluster_id.rpartition("/")[0]
        if self._clustered.by_content and view != MEMBERS:
            texts = self._of("extracted_text")
            return {
                "type": cluster_type,
                "texts": sorted(texts[d].content_digest for d in cluster.members if d in texts),
            }
        return {"type": cluster_type, "members": list(cluster.members)}

    async def _cluster(self, cluster_id: str, opened: _Opened) -> ClusterMaterial:
        if not self._background:
            for document in sorted(self._of("concepts")):
                for name in dict.fromkeys((await opened("concepts", document)).names):
                    self._background[name] = self._background.get(name, 0) + 1
        members = await self._members(cluster_id, opened)
        cluster_type = cluster_id.rpartition("/")[0]
        return ClusterMaterial(
            cluster_id, cluster_type, tuple(members), self._background, len(self._of("extracted_text"))
        )

    async def _members(self, cluster_id: str, opened: _Opened) -> list[Member]:
        clustering = self.clustering(cluster_id.rpartition("/")[0])
        assert clustering is not None
        members: list[Member] = []
        for document in self.clusters([clustering.cluster_type])[cluster_id].members:
            text = await opened("extracted_text", document)
            judged = await opened("judgements", document) if document in self._of("judgements") else None
            names = (await opened("concepts", document)).names if document in self._of("concepts") else ()
            said = judged.summary if judged is not None else text.text[:_LEAD_CHARACTERS]
            strength = clustering.placements[document].strength
            members.append(Member(document, text.title, said, names, strength))
        return members

    def _picture_part(self, cluster_type: str) -> Part | None:
        ref = self._of("clusters").get(cluster_type)
        if ref is None:
            return None
        judged = self._of("cluster_judgements")
        titles = {c: judged[c].content_digest for c in sorted(self.clusters([cluster_type])) if c in judged}
        return {"clusters": ref.content_digest, "embeddings": self._snapshot("embeddings"), "titles": titles}

    async def _picture(self, cluster_type: str, opened: _Opened) -> CorpusPicture:
        clustering = self.clustering(cluster_type)
        assert clustering is not None
        documents = sorted(clustering.placements.keys() & self._of("embeddings").keys())
        vectors = [await opened("embeddings", document) for document in documents]
        judged = self._of("cluster_judgements")
        titles = {
            c: (await opened("cluster_judgements", c)).title for c in self.clusters([cluster_type]) if c in judged
        }
        means = [found.mean(axis=0) if len(found) else np.zeros(found.shape[1], np.float32) for found in vectors]
        return CorpusPicture(clustering, np.stack(means) if means else np.zeros((0, 1), np.float32), documents, titles)


def _with_words(names: Sequence[str]) -> tuple[str, ...]:
    """Concepts, and their words: who writes of coral reefs and who of reef fishes has something in common."""
    return tuple(sorted({*names, *(word for name in names for word in terms(name))}))


def _said(member: Member) -> str:
    """All that a cluster's summary is made of: what a member says, and what it is about."""
    return f"{member.text}\n\n{', '.join(member.concepts)}" if member.concepts else member.text


# Of a member whose summary is not there.
_LEAD_CHARACTERS = 2_000
