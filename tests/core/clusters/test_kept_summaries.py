"""Summaries of clusters that stay while few members change: how many are written again, and of which members they are."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from io_managers.store.fingerprint import Part
from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clustering import TopicBasis, TopicDocument, cluster_topics
from seed_assets.core.clusters.clusters import Cluster, Clustering
from seed_assets.core.clusters.set_clustering import cluster_sets
from seed_assets.graph.declared_checks import Finding
from seed_assets.stages.clusters.checks import SIZES

SHARE = 0.1
DIMENSIONS = 16
# A corpus is the sizes of its groups.
CORPORA = {
    "two halves": (100, 100),
    "four broad groups": (60, 50, 50, 40),
    "five broad groups": (40, 40, 40, 40, 40),
    "one large, many small": (120, *(8,) * 10),
    "many small": (6,) * 35,
    "uneven": (90, 50, 30, 20, 12, 8),
}


def rules(share: float = SHARE, largest: int = 0) -> ClusterRules:
    return ClusterRules(3, largest, resummarize_share=share)


def documents(sizes: tuple[int, ...], first: int = 0) -> list[TopicDocument]:
    """So many documents on each subject. first: the number of the first one of each, so that others can come later."""
    return [
        TopicDocument(
            f"{group:02}-{number:04}",
            "",
            (
                np.random.default_rng(group).normal(size=DIMENSIONS)
                + 0.2 * np.random.default_rng((group, number)).normal(size=DIMENSIONS)
            ).astype(np.float32),
        )
        for group, size in enumerate(sizes)
        for number in range(first, first + size)
    ]


def written(before: Clustering, after: Clustering) -> int:
    """How many summaries have to be written: those of documents that no summary was of before."""
    there = {one.summary_members for one in before.clusters}
    return sum(one.summary_members not in there for one in after.clusters)


def grown(sizes: tuple[int, ...], share: float) -> tuple[Clustering, Clustering]:
    """Before and after one document of a hundred was added, to the groups in turn."""
    few = max(1, round(sum(sizes) / 100))
    there = documents(sizes)
    new = [
        documents(tuple(int(at == number % len(sizes)) for at in range(len(sizes))), 5000 + number)[0]
        for number in range(few)
    ]
    before, basis = cluster_topics(there, rules(share), None, None)
    return before, cluster_topics([*there, *new], rules(share), before, basis)[0]


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.slow
def test_one_document_more_in_a_hundred_costs_at_most_a_quarter_of_the_summaries(corpus: str) -> None:
    """With a few broad clusters, each new document once had nearly all summaries written again."""
    before, after = grown(CORPORA[corpus], SHARE)
    assert len(before.clusters) >= 2
    assert written(before, after) <= len(before.clusters) / 4


@pytest.mark.parametrize("corpus", ["two halves", "five broad groups"])
def test_without_a_share_any_change_of_members_counts(corpus: str) -> None:
    before, after = grown(CORPORA[corpus], 0.0)
    assert written(before, after) == len(
        {one.members for one in after.clusters} - {one.members for one in before.clusters}
    )
    assert written(before, after) > 0
    assert not any(one.summarized for one in after.clusters)


def continued(
    previous: tuple[Clustering, TopicBasis] | None,
    there: list[TopicDocument],
    share: float = SHARE,
    *,
    from_scratch: bool = False,
) -> tuple[Clustering, TopicBasis]:
    before, basis = previous or (None, None)
    return cluster_topics(there, rules(share), before, basis, from_scratch=from_scratch)


@pytest.mark.slow
def test_a_summary_is_written_again_once_enough_of_its_members_have_changed() -> None:
    """What is compared are the members of the summary and not those of the run before, or it would be kept for ever."""
    sizes, there = (30, 30, 30), documents((30, 30, 30))
    state = continued(None, there)
    first = state[0].clusters[0]
    summarized: list[tuple[int, bool]] = []
    for number in range(4):
        there = [*there, *documents((1, 0, 0), 100 + number)]
        state = continued(state, there)
        one = next(c for c in state[0].clusters if "00-0000" in c.members)
        summarized.append((len(one.members) - sizes[0], bool(one.summarized)))
        if one.summarized:
            assert one.summarized == next(
                c.members for c in continued(None, documents(sizes))[0].clusters if "00-0000" in c.members
            )
            assert one.changed_share == round((number + 1) / 30, 4)
    assert summarized == [(1, True), (2, True), (3, True), (4, False)]
    assert first.summarized == ()


def test_a_summary_of_a_document_that_is_gone_is_written_again() -> None:
    there = documents((40, 40))
    state = continued(None, there)
    after, _ = continued(state, there[1:])
    assert written(state[0], after) == 1
    assert not any(one.summarized for one in after.clusters)


def test_members_that_are_the_same_again_need_no_kept_summary() -> None:
    there = documents((40, 40))
    state = continued(None, there)
    grown_state = continued(state, [*there, *documents((1, 0), 100)])
    assert sum(bool(one.summarized) for one in grown_state[0].clusters) == 1
    assert continued(grown_state, there)[0].clusters == state[0].clusters


def test_a_summary_is_kept_when_all_is_clustered_from_scratch_and_few_members_differ() -> None:
    there = documents((40, 40))
    state = continued(None, there)
    after, _ = continued(state, [*there, *documents((1, 1), 100)], from_scratch=True)
    assert written(state[0], after) == 0
    assert {one.summarized for one in after.clusters} == {one.members for one in state[0].clusters}


def test_taking_the_share_back_has_every_summary_written_of_the_present_members() -> None:
    there = documents((40, 40))
    more = [*there, *documents((1, 1), 100)]
    state = continued(continued(None, there), more)
    assert all(one.summarized for one in state[0].clusters)
    assert not any(one.summarized for one in continued(state, more, 0.0)[0].clusters)


def test_a_cluster_that_was_split_keeps_no_summary_of_the_whole() -> None:
    there = documents((40, 40))
    state = continued(None, there)
    halved, _ = cluster_topics(there, rules(SHARE, 20), *state)
    assert not any(one.summarized for one in halved.clusters)


def test_clusters_of_shared_values_keep_their_summaries_too() -> None:
    sets = {f"{group}-{number:02}": (f"value {group}", f"other {group}") for group in range(4) for number in range(20)}
    before = cluster_sets("concept", sets, rules(), None)
    after = cluster_sets("concept", sets | {"0-99": ("value 0", "other 0")}, rules(), before)
    assert written(before, after) == 0
    assert [one.changed_share for one in after.clusters if one.summarized] == [0.05]


class PublishedClusterings:
    """What the checks of clusters look at."""

    def __init__(self, *clusterings: Clustering) -> None:
        self.clusterings = clusterings

    def values(self, finding: Finding) -> Iterator[tuple[str, Clustering]]:
        """Each clustering by its type."""
        yield from ((one.cluster_type, one) for one in self.clusterings)

    def values_with(self, stage: str, finding: Finding) -> Iterator[tuple[str, Any, Any]]:
        """Nothing beside them."""
        yield from ()

    def key_parts(self) -> Mapping[str, Mapping[str, Part]]:
        """None are recorded."""
        return {}

    def documents(self) -> set[str]:
        """All members."""
        return {document for one in self.clusterings for document in one.placements}

    def resource(self, name: str) -> ClusterRules:
        """The rules."""
        return rules()


def test_the_check_of_sizes_names_clusters_that_repeat_others_and_those_with_a_kept_summary() -> None:
    sets = {f"{group}-{number:02}": (f"value {group}", f"other {group}") for group in range(3) for number in range(20)}
    topic = cluster_sets("topic", sets, rules(), None)
    concept = cluster_sets(
        "concept", {**sets, "0-99": ("value 0", "other 0")}, rules(), cluster_sets("concept", sets, rules(), None)
    )
    finding = SIZES.look(PublishedClusterings(concept, topic))
    assert finding.offenders == {}
    grown_one = next(one for one in concept.clusters if "0-99" in one.members)
    same = {one.members: one.cluster_id for one in topic.clusters}
    assert {name: what for name, what in finding.figures.items() if "clusters" not in name} == {
        **{
            one.cluster_id: f"the same documents as {same[one.members]}"
            for one in concept.clusters
            if one is not grown_one
        },
        f"{grown_one.cluster_id}: changed since its summary": 0.05,
    }


def test_a_cluster_without_a_kept_summary_has_the_bytes_that_stores_were_written_with() -> None:
    """Otherwise every clustering, and all that follows from it, would be another result."""
    assert msgspec.msgpack.encode(Cluster("topic/1", ("a", "b"))) == msgspec.msgpack.encode(
        {"cluster_id": "topic/1", "members": ["a", "b"]}
    )
    old = msgspec.msgpack.encode({"cluster_id": "topic/1", "members": ["a", "b"]})
    assert msgspec.msgpack.decode(old, type=Cluster) == Cluster("topic/1", ("a", "b"))


def test_without_a_share_the_identity_of_the_rules_is_what_it_was() -> None:
    assert "resummarize_share" not in rules(0.0).identity
    assert rules(0.2).identity == {**rules(0.0).identity, "resummarize_share": 0.2}
