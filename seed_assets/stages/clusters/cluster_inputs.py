"""The inputs of stages that work on one cluster: its members and their texts.

What belongs here: their corpus inputs. What does not: the inputs of stages that work on a cluster type (inputs), and the
methods of the stages (core).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from io_managers.store.fingerprint import Part
from seed_assets.core.clusters.cluster_members import ClusterMaterial, Member
from seed_assets.core.clusters.clusters import Cluster
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.published import PublishedCorpus
from seed_assets.stages.clusters.inputs import clustering, clusters_in

# A member without a summary is represented by so many characters of its text; chosen by judgement.
_LEAD_CHARACTERS = 2_000


class Members(CorpusInput):
    """The input that gives a stage the cluster with its members."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stage that finds clusters."""
        return ("clusters",)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part | None:
        """Return the cluster type, the members, and the earlier ones that a kept summary is of; None without a cluster."""
        cluster = _cluster(corpus, unit)
        if cluster is None:
            return None
        kept: dict[str, Part] = {"summarized": list(cluster.summarized)} if cluster.summarized else {}
        return {"type": _type(unit), "members": list(cluster.members), **kept}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> Cluster:
        """Return the cluster."""
        return clusters_in(corpus, _type(unit))[unit]


@dataclass(frozen=True, slots=True)
class _MembersSay(CorpusInput):
    """The content of the members that a cluster's summary is of.

    by_content: whether the members' texts decide the key, instead of their ids.
    """

    by_content: bool = False
    kept_by: ClassVar[str] = "cluster_summaries.resummarize_share"

    def over(self, unit: str) -> tuple[str, ...]:
        """Return only the stage `clusters`, which decides the members."""
        return ("clusters",)

    def part(self, corpus: PublishedCorpus, unit: str) -> Part | None:
        """Return the cluster type with the members' ids or, with `by_content`, with the sorted digests of their texts."""
        cluster = _cluster(corpus, unit)
        if cluster is None or not self.by_content:
            return None if cluster is None else {"type": _type(unit), "members": list(cluster.summary_members)}
        texts = corpus.refs("extracted_text")
        return {
            "type": _type(unit),
            "texts": sorted(texts[document].content_digest for document in cluster.members if document in texts),
        }

    def kept(self, corpus: PublishedCorpus, unit: str) -> str:
        """Return "members" for a cluster whose summary is of earlier members."""
        cluster = _cluster(corpus, unit)
        return "members" if cluster is not None and cluster.summarized else ""


class AboutCluster(_MembersSay):
    """The input that gives a stage the whole material of a cluster's summary."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The stages that give the members, their content, and the concepts of all documents for comparison."""
        return ("clusters", "extracted_text", "concepts", "judgements")

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> ClusterMaterial:
        """Return the members' content, and the number of documents of the corpus that have each concept."""
        background = await _background(corpus, opened)
        members = await _members(corpus, unit, opened)
        return ClusterMaterial(unit, _type(unit), tuple(members), background, len(corpus.refs("extracted_text")))


class MemberTexts(_MembersSay):
    """The input that gives a stage the texts that a cluster's summary was made of."""

    @property
    def looks_at(self) -> tuple[str, ...]:
        """Only the clusters: the stage that judges also has the summary as input, which already depends on the texts."""
        return ("clusters",)

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> list[SourceText]:
        """Return one text per member."""
        return [SourceText(m.document_id, m.title, _content(m)) for m in await _members(corpus, unit, opened)]


def _type(cluster_id: str) -> str:
    return cluster_id.rpartition("/")[0]


def _cluster(corpus: PublishedCorpus, cluster_id: str) -> Cluster | None:
    return clusters_in(corpus, _type(cluster_id)).get(cluster_id)


async def _background(corpus: PublishedCorpus, opened: Opened) -> Mapping[str, int]:
    """Return concept -> number of documents of the corpus that have it."""
    name = "documents of each concept"
    if name not in corpus.made:
        counts: Counter[str] = Counter()
        for document in sorted(corpus.refs("concepts")):
            counts.update(dict.fromkeys((await opened("concepts", document)).names, 1))
        corpus.made[name] = dict(counts)
    return corpus.made[name]


async def _members(corpus: PublishedCorpus, cluster_id: str, opened: Opened) -> list[Member]:
    found = clustering(corpus, _type(cluster_id))
    assert found is not None
    members: list[Member] = []
    for document in clusters_in(corpus, found.cluster_type)[cluster_id].summary_members:
        text = await opened("extracted_text", document)
        judged = await opened("judgements", document) if document in corpus.refs("judgements") else None
        names = (await opened("concepts", document)).names if document in corpus.refs("concepts") else ()
        shown = judged.summary if judged is not None else text.text[:_LEAD_CHARACTERS]
        members.append(Member(document, text.title, shown, names, found.placements[document].strength))
    return members


def _content(member: Member) -> str:
    """Return what a cluster's summary uses of a member: its text and its concepts."""
    return f"{member.text}\n\n{', '.join(member.concepts)}" if member.concepts else member.text
