"""Summaries of clusters. What belongs here: the protocol of cluster summarizers, and the offline default with what decides its
summaries. What does not: titles and sentences (cluster_extracts), summaries by a model (model_cluster_summarizing), and the stage
that requests summaries.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from seed_assets.core.clusters.cluster_members import ClusterMaterial
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.reuse import Reuse


class ClusterSummary(msgspec.Struct, frozen=True):
    """The title and summary of a cluster.

    concepts: the concepts that distinguish it from the rest of the corpus, best first.
    typical, untypical: document ids; see ArrangedMembers.
    writer: "extractive", or the name of the model.
    prompt_version: the version of the prompt; "" offline.
    written_on: the day (UTC, as 2026-01-31) on which the model answered, even if the answer is reused later; "" offline,
        where every day gives the same summary.
    """

    title: str
    summary: str
    concepts: tuple[str, ...]
    typical: tuple[str, ...]
    untypical: tuple[str, ...]
    writer: str
    prompt_version: str
    written_on: str


class ClusterSummarizer(Protocol):
    """Writes the title and the summary of a cluster, with sentences of its members or in a model's words."""

    @property
    def kind(self) -> Literal["extractive", "model"]:
        """Whether a model writes. Only this is in the key: a summary stays current when the model changes."""
        ...

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the summary besides the material. It is for information and in no stage's key."""
        ...

    async def write(self, material: ClusterMaterial, reuse: Reuse) -> ClusterSummary:
        """Summarize a cluster. Raises DocumentError, and ValueError for a cluster without members.

        reuse: requests go through it, so that each request is an action.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractiveClusterSummarizer:
    """Selects sentences of the members, without a model or a network; it is deterministic.

    The title consists of the concepts that distinguish the cluster; if there are none, of phrases that members' titles have
    in common; otherwise it is the title of the most typical member. The summary consists of unchanged sentences of the
    members (with white space collapsed), those of more typical members first. They are near the centre of all members, name
    the concepts, differ from each other and preferably come from several members. At most 150 members are read.

    embedder: compares sentences by meaning.
    words: the most words of a summary.
    kind: see ClusterSummarizer.
    work: the workers that select the sentences; None means a thread of this process.
    """

    embedder: LocalEmbedder
    words: int = 120
    kind: Literal["extractive", "model"] = "extractive"
    work: TextWork | None = field(default=None, compare=False, repr=False)

    @property
    def identity(self) -> Mapping[str, Part]:
        """The method, its version, its length, and the embedder's identity under `embedder.`."""
        own = {"writer": "extractive", "version": "1", "words": self.words}
        return own | {f"embedder.{name}": value for name, value in self.embedder.identity.items()}

    async def write(self, material: ClusterMaterial, reuse: Reuse | None = None) -> ClusterSummary:
        """Do what `write_sync` does, in a worker or a thread; see `work`."""
        if self.work is None or not material.members:
            return await asyncio.to_thread(self.write_sync, material)
        from seed_assets.core.clusters.cluster_extracts import needed

        return await self.work.run("cluster_summary", self.words, needed(material))

    def write_sync(self, material: ClusterMaterial) -> ClusterSummary:
        """Summarize a cluster; see ClusterSummarizer.write."""
        from seed_assets.core.clusters.arranged_members import compared_members
        from seed_assets.core.clusters.cluster_extracts import concepts_of, extract_of, title_of

        arranged = compared_members(material, self.embedder).arranged()
        concepts = concepts_of(material)
        return ClusterSummary(
            title=title_of(material, arranged, concepts),
            summary=extract_of(arranged, concepts, self.words, self.embedder),
            concepts=concepts,
            typical=arranged.typical,
            untypical=arranged.untypical,
            writer=self.kind,
            prompt_version="",
            written_on="",
        )
