"""Topics of documents: planted groups are found again, and odd documents, vectors and texts do no harm."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seed_assets.core.clusters.cluster_rules import ClusterRules
from seed_assets.core.clusters.clustering import TopicBasis, TopicDocument, cluster_topics
from seed_assets.core.clusters.clusters import Clustering
from seed_assets.core.clusters.communities import by_first_row, leiden, silhouette, split_large, squared_lengths
from seed_assets.core.clusters.neighbours import find_neighbours, neighbour_graph, rounded_unit_rows
from seed_assets.core.clusters.placing import (
    assign_by_vote,
    dense_nodes,
    dissolve_small,
    find_outliers,
    group_equal_rows,
)
from seed_assets.core.clusters.topic_space import (
    MOST_CHARACTERS,
    TermCounts,
    coordinates,
    digest_of,
    fit_basis,
    mean_of,
)

DIMENSIONS = 32
RULES = ClusterRules(5, 0)

HARBOUR = ["harbour", "ferry", "herring", "boat", "dredged", "quay", "sail"]
BEES = ["bees", "honey", "hive", "pollen", "swarm", "brood", "queen"]
LIGHTHOUSE = ["lens", "tower", "keeper", "lamp", "oil", "storm", "beam"]
SUBJECTS = (HARBOUR, BEES, LIGHTHOUSE)


def planted(groups: int, each: int, noise: float = 0.1, seed: int = 0) -> list[TopicDocument]:
    """Documents without text; the beginning of an id is its group."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(groups, DIMENSIONS))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return [
        document(f"{group:02}-{at:04}.txt", centres[group] + noise * random.normal(size=DIMENSIONS))
        for group in range(groups)
        for at in range(each)
    ]


def document(document_id: str, vector: Sequence[float] | NDArray[np.floating], text: str = "") -> TopicDocument:
    return TopicDocument(document_id, text, np.asarray(vector, np.float32))


def worded(each: int, words: int, seed: int = 3) -> list[TopicDocument]:
    """Documents on three subjects by their words, without a vector."""
    random = np.random.default_rng(seed)
    return [
        document(f"{group:02}-{at:04}.txt", np.zeros(4), " ".join(random.choice(subject, words, replace=False)))
        for group, subject in enumerate(SUBJECTS)
        for at in range(each)
    ]


def clustered(documents: Sequence[TopicDocument], rules: ClusterRules = RULES) -> Clustering:
    """The clustering from scratch, of which all is checked that holds of any."""
    found, _ = cluster_topics(documents, rules, None, None)
    check(found, [one.document_id for one in documents], rules)
    assert (found.settled, found.drift, found.kept) == (len(documents), 0.0, 1.0)
    return found


def check(found: Clustering, document_ids: Sequence[str], rules: ClusterRules) -> None:
    """What holds of any clustering of any documents."""
    assert found.placements.keys() == set(document_ids)
    cluster_of = dict.fromkeys(document_ids, "")
    for cluster in found.clusters:
        assert rules.min_size <= len(cluster.members) <= (rules.max_size or len(document_ids))
        assert list(cluster.members) == sorted(set(cluster.members))
        for member in cluster.members:
            assert cluster_of[member] == ""
            cluster_of[member] = cluster.cluster_id
    numbers = [int(one.cluster_id.removeprefix("topic/")) for one in found.clusters]
    assert numbers == sorted(set(numbers))
    assert all(0 < number < found.next_number for number in numbers)
    ids = {one.cluster_id for one in found.clusters}
    for document_id, placement in found.placements.items():
        assert placement.cluster_id == cluster_of[document_id]
        assert 0 <= placement.strength <= 1
        assert placement.cluster_id or not placement.strength
        assert ids - {placement.cluster_id} >= {name for name, _ in placement.others}
        assert [-share for _, share in placement.others] == sorted(-share for _, share in placement.others)
        near = [name for name, _ in placement.nearest]
        assert len(near) == len(set(near)) <= rules.nearest
        assert set(near) <= found.placements.keys() - {document_id}
        assert [-cosine for _, cosine in placement.nearest] == sorted(-cosine for _, cosine in placement.nearest)
        assert all(0 <= cosine <= 1 for _, cosine in placement.nearest)


def groups_of(found: Clustering) -> set[frozenset[str]]:
    return {frozenset(one.members) for one in found.clusters}


def agreement(found: Clustering) -> float:
    """With the planted groups: 1 for the same, about 0 for groups by chance."""
    from sklearn.metrics import adjusted_rand_score  # 0.8 s, which the fast tests need not wait for

    ids = list(found.placements)
    return float(adjusted_rand_score([one[:2] for one in ids], [found.placements[one].cluster_id for one in ids]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("groups", "each", "noise"), [(2, 30, 0.1), (3, 40, 0.1), (8, 30, 0.1), (8, 30, 0.15), (20, 20, 0.1)]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_planted_groups_are_found(groups: int, each: int, noise: float, seed: int) -> None:
    assert agreement(clustered(planted(groups, each, noise, seed))) > 0.95


@pytest.mark.slow
def test_groups_of_very_different_sizes_are_found() -> None:
    documents = planted(6, 200)
    fewer = [one for at, one in enumerate(documents) if at % 200 < (200, 100, 50, 25, 12, 6)[at // 200]]
    assert agreement(clustered(fewer)) > 0.95


@pytest.mark.slow
def test_documents_near_no_group_are_outliers() -> None:
    random = np.random.default_rng(7)
    odd = [document(f"odd-{number}", random.normal(size=DIMENSIONS)) for number in range(5)]
    found = clustered(planted(8, 30) + odd)
    assert groups_of(found) == groups_of(clustered(planted(8, 30)))
    assert {found.placements[one.document_id].cluster_id for one in odd} == {""}


def test_a_document_between_two_groups_leans_to_both() -> None:
    documents = planted(4, 30)
    between = document("between", documents[0].vector + 0.7 * documents[30].vector)
    found = clustered([*documents, between])
    placement = found.placements["between"]
    own = {found.placements["00-0000.txt"].cluster_id, found.placements["01-0000.txt"].cluster_id}
    assert own == {placement.cluster_id, *(name for name, _ in placement.others)}
    assert placement.strength < 1


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("smallest", [1, 2, 5])
def test_a_handful_of_documents_is_clustered(count: int, smallest: int) -> None:
    found = clustered(planted(1, count), ClusterRules(smallest, 0))
    if smallest == 1:
        assert {member for one in found.clusters for member in one.members} == found.placements.keys()
    if count < smallest:
        assert found.clusters == ()


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("text", ["", "the same words again"])
def test_two_or_three_equal_documents_are_a_cluster(count: int, text: str) -> None:
    found = clustered([document(str(number), [1, 2, 3], text) for number in range(count)], ClusterRules(2, 0))
    assert [len(one.members) for one in found.clusters] == [count]


@pytest.mark.parametrize("text", ["", "the same words again"])
@pytest.mark.parametrize(("largest", "sizes"), [(0, [50]), (20, [17, 17, 16]), (50, [50])])
def test_equal_documents_are_one_cluster_or_as_few_as_are_allowed(text: str, largest: int, sizes: list[int]) -> None:
    found = clustered([document(f"{at:02}", np.ones(8), text) for at in range(50)], ClusterRules(5, largest))
    assert [len(one.members) for one in found.clusters] == sizes
    assert all(cosine == 1 for one in found.placements.values() for _, cosine in one.nearest)
    assert all(len(one.nearest) == 5 and one.strength == 1 for one in found.placements.values())


@pytest.mark.slow
@pytest.mark.parametrize("low", [-1, 0])
@pytest.mark.parametrize("largest", [0, 10])
def test_noise_is_clustered_within_the_rules(low: int, largest: int) -> None:
    """There is no right answer; but none may break the bounds or be left out."""
    random = np.random.default_rng(1)
    documents = [document(f"{at:03}", random.uniform(low, 1, DIMENSIONS)) for at in range(400)]
    found = clustered(documents, ClusterRules(5, largest))
    assert max((len(one.members) for one in found.clusters), default=0) < 200


def test_vectors_that_say_nothing_are_outliers_and_change_nothing() -> None:
    documents = planted(4, 25)
    nothing = [
        document("nan", np.full(DIMENSIONS, np.nan)),
        document("infinite", np.full(DIMENSIONS, np.inf)),
        document("less", np.full(DIMENSIONS, -np.inf)),
        document("zero", np.zeros(DIMENSIONS)),
        document("tiny", np.full(DIMENSIONS, 1e-30)),
    ]
    found = clustered(documents + nothing)
    assert groups_of(found) == groups_of(clustered(documents))
    for one in nothing:
        placement = found.placements[one.document_id]
        assert (placement.cluster_id, placement.strength, placement.others, placement.nearest) == ("", 0, (), ())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_none_does_not_spoil_a_vector(value: float) -> None:
    documents = planted(4, 25)
    vector = documents[0].vector.copy()
    vector[3] = value
    found = clustered([*documents, document("spoilt", vector)])
    assert found.placements["spoilt"].cluster_id == found.placements["00-0000.txt"].cluster_id


def test_only_zero_vectors_without_words_are_all_outliers() -> None:
    assert clustered([document(str(at), np.zeros(8)) for at in range(30)], ClusterRules(1, 0)).clusters == ()
    assert clustered([document(str(at), []) for at in range(30)], ClusterRules(1, 0)).clusters == ()


def test_huge_and_tiny_lengths_of_vectors_do_not_matter() -> None:
    documents = planted(4, 25)
    lengths = np.random.default_rng(0).choice([1e-3, 1.0, 1e15], len(documents))
    scaled = [document(one.document_id, one.vector * by) for one, by in zip(documents, lengths, strict=True)]
    assert groups_of(clustered(scaled)) == groups_of(clustered(documents))


@pytest.mark.slow
def test_what_all_vectors_have_in_common_hides_no_group() -> None:
    """Vectors of one corpus share most of their direction, more so the narrower its subject."""
    shared = 5 * np.ones(DIMENSIONS)
    moved = [document(one.document_id, one.vector + shared) for one in planted(8, 30)]
    assert agreement(clustered(moved)) > 0.95


@pytest.mark.parametrize("count", [2, 40])
def test_vectors_of_different_lengths_are_refused(count: int) -> None:
    documents = [document(str(at), np.ones(4 if at else 3)) for at in range(count)]
    with pytest.raises(ValueError, match="different shapes"):
        cluster_topics(documents, RULES, None, None)
    before, basis = cluster_topics(documents[1:], RULES, None, None)
    with pytest.raises(ValueError, match="different shapes"):
        cluster_topics(documents, RULES, before, basis)


def test_two_documents_of_one_id_are_refused() -> None:
    documents = planted(2, 10)
    with pytest.raises(ValueError, match="same id"):
        cluster_topics([*documents, document(documents[3].document_id, np.ones(DIMENSIONS))], RULES, None, None)
    before, basis = cluster_topics(documents, RULES, None, None)
    with pytest.raises(ValueError, match="same id"):
        cluster_topics([*documents, documents[3]], RULES, before, basis)


@pytest.mark.parametrize(("smallest", "largest"), [(0, 0), (-1, 5), (1, -1), (5, 4)])
def test_rules_that_no_cluster_can_keep_are_refused(smallest: int, largest: int) -> None:
    with pytest.raises(ValueError, match="No cluster can have at least"):
        ClusterRules(smallest, largest)


def test_every_rule_is_in_the_identity() -> None:
    """Otherwise a clustering by other rules would be found again as this one."""
    rules = [
        ClusterRules(5, 50),
        ClusterRules(6, 50),
        ClusterRules(5, 51),
        ClusterRules(5, 50, seed=1),
        ClusterRules(5, 50, drift=0.2),
        ClusterRules(5, 50, nearest=6),
    ]
    assert len({str(sorted(one.identity.items())) for one in rules}) == len(rules)


@pytest.mark.parametrize("nearest", [0, 1, 12])
def test_as_many_nearest_documents_are_kept_as_asked_for(nearest: int) -> None:
    found = clustered(planted(4, 25), ClusterRules(5, 0, nearest=nearest))
    assert {len(one.nearest) for one in found.placements.values()} == {nearest}


def test_the_nearest_are_those_of_the_greatest_cosine() -> None:
    documents = planted(3, 20)
    vectors = np.stack([one.vector for one in documents])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors -= vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    found = clustered(documents)
    for at, one in enumerate(documents):
        shown = [cosine for _, cosine in found.placements[one.document_id].nearest]
        assert shown == pytest.approx(sorted(cosines[at])[: -len(shown) - 1 : -1], abs=0.01)


@pytest.mark.slow
def test_order_of_documents_and_repetition_change_nothing() -> None:
    random = np.random.default_rng(5)
    words = SUBJECTS[0] + SUBJECTS[1] + SUBJECTS[2]
    documents = [
        document(one.document_id, one.vector, " ".join(random.choice(words, 12))) for one in planted(8, 25, 0.2)
    ]
    first = cluster_topics(documents, RULES, None, None)
    assert cluster_topics(documents, RULES, None, None) == first
    for seed in range(2):
        shuffled = [documents[at] for at in np.random.default_rng(seed).permutation(len(documents))]
        assert cluster_topics(shuffled, RULES, None, None) == first
    found, basis = first
    new = [document(f"new-{number}", documents[number].vector, documents[number].text) for number in (3, 40, 90)]
    after = cluster_topics(documents[2:] + new, RULES, found, basis)
    assert cluster_topics(new[::-1] + documents[:1:-1], RULES, found, basis) == after


@pytest.mark.slow
def test_another_seed_finds_the_same_planted_groups() -> None:
    documents = planted(8, 30)
    assert groups_of(clustered(documents, ClusterRules(5, 0, seed=9))) == groups_of(clustered(documents))


def test_documents_without_vectors_are_near_those_with_the_same_words() -> None:
    for one, placement in clustered(worded(100, 5)).placements.items():
        assert {name[:2] for name, _ in placement.nearest} == {one[:2]}


@pytest.mark.parametrize(("each", "words"), [(100, 7), (200, 5)])
def test_clusters_of_documents_without_vectors_mix_no_subjects(each: int, words: int) -> None:
    found = clustered(worded(each, words))
    assert found.clusters
    for one in found.clusters:
        assert len({member[:2] for member in one.members}) == 1


def test_documents_of_three_texts_are_three_clusters() -> None:
    documents = [document(f"{at % 3:02}-{at:02}", np.zeros(4), " ".join(SUBJECTS[at % 3])) for at in range(30)]
    of_subject = [frozenset(f"{subject:02}-{at:02}" for at in range(subject, 30, 3)) for subject in range(3)]
    assert groups_of(clustered(documents)) == set(of_subject)


def test_words_tell_apart_what_vectors_do_not() -> None:
    """Each of two directions of vectors has two subjects in it."""
    random = np.random.default_rng(2)
    documents = []
    for at in range(160):
        group = at % 4
        vector = np.eye(8)[group // 2] + 0.05 * random.normal(size=8)
        text = " ".join(random.permutation(SUBJECTS[0] if group % 2 else SUBJECTS[1]))
        documents.append(document(f"{group:02}-{at:03}", vector, text))
    found = clustered(documents)
    for one in found.clusters:
        assert len({member[:2] for member in one.members}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", " \n", "...", "the and of it", "\ud800", "word " * 50_000, "知识库知识库"])
def test_a_text_that_tells_nothing_leaves_the_vectors_to_decide(text: str) -> None:
    documents = [document(one.document_id, one.vector, text) for one in planted(4, 25)]
    assert agreement(clustered(documents)) == 1.0


@pytest.mark.slow
def test_vectors_of_another_length_than_before_are_clustered_from_scratch_under_the_same_ids() -> None:
    documents = planted(4, 25)
    before, basis = cluster_topics(documents, RULES, None, None)
    longer = [document(one.document_id, np.append(one.vector, 0)) for one in documents]
    after, new_basis = cluster_topics(longer[:-1], RULES, before, basis)
    assert (after.settled, after.drift, new_basis.dimensions) == (99, 0.0, DIMENSIONS + 1)
    assert [one.cluster_id for one in after.clusters] == [one.cluster_id for one in before.clusters]


@pytest.mark.slow
def test_a_basis_of_another_method_is_not_used() -> None:
    documents = planted(4, 25)
    before, basis = cluster_topics(documents, RULES, None, None)
    old = TopicBasis("older", basis.dimensions, basis.mean, (), b"", b"", basis.characters, basis.spread, basis.seen)
    after, renewed = cluster_topics(documents[:-1], RULES, before, old)
    assert (after.settled, renewed.method) == (99, basis.method)


VECTORS = st.lists(st.sampled_from([0.0, 1.0, -1.0, 0.5, np.nan]), min_size=3, max_size=3)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(VECTORS, max_size=40), st.integers(1, 4), st.integers(0, 6), st.randoms(use_true_random=False))
def test_any_vectors_are_clustered_within_the_rules_in_any_order(
    vectors: list[list[float]], smallest: int, room: int, random: Random
) -> None:
    documents = [document(f"{at:02}", vector) for at, vector in enumerate(vectors)]
    rules = ClusterRules(smallest, smallest + room if room else 0)
    found = clustered(documents, rules)
    random.shuffle(documents)
    assert clustered(documents, rules) == found


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(VECTORS, st.lists(st.sampled_from([*HARBOUR, "the", "知识", "é"]), max_size=6).map(" ".join)),
        max_size=30,
    )
)
def test_any_texts_are_clustered_within_the_rules(documents: list[tuple[list[float], str]]) -> None:
    clustered([document(f"{at:02}", vector, text) for at, (vector, text) in enumerate(documents)], ClusterRules(2, 8))


def test_what_a_document_is_placed_by_is_its_vector_and_the_beginning_of_its_text() -> None:
    digest = digest_of(document("a", [1, 2], "some text"), 100)
    assert digest_of(document("b", [1, 2], "some text"), 100) == digest
    assert digest_of(document("a", [1, 2], "some text and more"), 9) == digest
    assert digest_of(document("a", [1, 2], "some tent"), 100) != digest
    assert digest_of(document("a", [1, 3], "some text"), 100) != digest


def test_a_basis_places_documents_that_it_was_not_made_of() -> None:
    documents = worded(20, 6)
    basis = fit_basis(documents, "method", 0)
    own, other = coordinates(documents, basis).both, coordinates(documents[:1], basis).both
    assert (own[:1] == other).all()
    with pytest.raises(ValueError, match="do not fit a basis of 4"):
        coordinates([document("a", np.ones(5))], basis)


def test_rows_are_of_length_one_and_hardly_any_length_is_none() -> None:
    rows = rounded_unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [1e-9, 0.0], [1e30, -1e30]]))
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 0, 0, 1], abs=1e-3)


def test_rows_are_the_same_whichever_others_are_computed_with_them() -> None:
    """They are computed some hundred at a time, which must decide nothing."""
    rows = np.random.default_rng(0).normal(size=(1_500, 7)).astype(np.float32)
    rows[700] = 0
    assert (rounded_unit_rows(rows) == np.vstack([rounded_unit_rows(row[None]) for row in rows])).all()
    whole = rows.astype(np.float64)
    mean = whole[whole.any(axis=1)].mean(axis=0)
    assert (mean_of(rows) == mean.astype(np.float32)).all()
    assert (squared_lengths(rows) == np.concatenate([squared_lengths(row[None]) for row in rows])).all()


def test_counts_of_terms_are_those_of_each_document() -> None:
    words = ["harbour salt", "", "salt salt tide", "crane harbour salt", "tide"]
    counts = TermCounts.of(Counter(text.split()) for text in words)
    for step in (1, 2, 3):
        found = counts.every(step)
        pairs = [
            {counts.terms[n]: c for n, c in zip(found.numbers[a:b], found.counts[a:b], strict=True)}
            for a, b in pairwise(found.starts.tolist())
        ]
        assert pairs == [Counter(text.split()) for text in words[::step]]


def test_only_the_beginning_of_a_text_is_read() -> None:
    """No more of it is handed over."""
    draw = Random(0)
    beginnings = [" ".join(draw.choices(SUBJECTS[at % 3], k=3_000)) for at in range(12)]
    texts = [f"{text[:MOST_CHARACTERS]} {' '.join(SUBJECTS[at % 2])}" for at, text in enumerate(beginnings)]
    whole = [document(f"{at}.txt", np.eye(4)[at % 4], text) for at, text in enumerate(texts)]
    cut = [document(f"{at}.txt", np.eye(4)[at % 4], text[:MOST_CHARACTERS]) for at, text in enumerate(texts)]
    assert min(map(len, texts)) > MOST_CHARACTERS
    assert cluster_topics(whole, RULES, None, None) == cluster_topics(cut, RULES, None, None)


def nearest_to(at: int, rows: NDArray[np.float64], count: int) -> tuple[list[int], list[float]]:
    """What the search is to find, in the plainest way."""
    cosines = rows @ rows[at]
    cosines[at] = 0
    best = [int(other) for other in np.argsort(-cosines, kind="stable")[:count] if cosines[other] > 0]
    none = count - len(best)
    return best + [-1] * none, [float(cosines[other]) for other in best] + [0.0] * none


@pytest.mark.slow
@pytest.mark.parametrize(("size", "dimensions"), [(0, 4), (1, 4), (2, 4), (300, 2), (300, 16), (2048, 3), (4500, 4)])
def test_the_nearest_rows_are_found_exactly_and_of_equals_the_first(size: int, dimensions: int) -> None:
    """In few dimensions on a coarse grid many are equally near; 4,500 rows are three blocks."""
    random = np.random.default_rng(size)
    rows = rounded_unit_rows(random.integers(-2, 3, size=(size, dimensions)).astype(np.float32))
    found = find_neighbours(rows, 7)
    exact = rows.astype(np.float64)
    for at in range(0, size, 1 if size < 1000 else 5):
        assert (found.rows[at].tolist(), found.cosines[at].tolist()) == nearest_to(at, exact, 7)


def test_the_graph_of_neighbours_is_symmetric_and_one_sided_ones_count_half() -> None:
    rows = rounded_unit_rows(np.array([[1.0, 0.0], [0.9, 0.1], [0.7, 0.7], [-1.0, 0.0]]))
    found = find_neighbours(rows, 1)
    graph = neighbour_graph(found).toarray()
    assert (graph == graph.T).all()
    assert graph[0, 1] == found.cosines[0, 0]
    assert graph[1, 2] == found.cosines[2, 0] / 2
    assert graph[3].sum() == 0


def test_groups_are_numbered_by_their_first_row() -> None:
    labels = np.array([7, -1, 3, 7, 0, -1], np.int32)
    assert by_first_row(labels).tolist() == [0, -1, 1, 0, 2, -1]
    assert by_first_row(np.array([4, 2], np.int32)).tolist() == [0, 1]
    assert by_first_row(np.array([], np.int32)).tolist() == []


def test_rows_without_neighbours_are_communities_of_their_own() -> None:
    rows = rounded_unit_rows(np.vstack([np.eye(5), np.eye(5)[:2]]))
    graph = neighbour_graph(find_neighbours(rows, 3))
    assert leiden(graph, 1.0, 0).tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert leiden(neighbour_graph(find_neighbours(rounded_unit_rows(np.eye(3)), 3)), 1.0, 0).tolist() == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("groups", [2, 5, 40])
def test_the_silhouette_agrees_with_scikit_learn(groups: int) -> None:
    from sklearn.metrics import silhouette_score

    random = np.random.default_rng(groups)
    rows = rounded_unit_rows(random.normal(size=(200, 6)))
    labels = by_first_row((np.arange(200) % groups).astype(np.int32))
    width, error = silhouette(rows, labels, np.ones(len(rows), np.int64), 1)
    assert width == pytest.approx(silhouette_score(rows, labels, metric="cosine"), abs=1e-3)
    assert error > 0


def test_members_of_groups_that_are_too_small_count_zero_in_the_silhouette() -> None:
    """Else pairs of like documents would look better than the groups that they are of."""
    rows = rounded_unit_rows(np.repeat(np.eye(4), 10, axis=0))
    labels = (np.arange(40) // 10).astype(np.int32)
    weights = np.ones(40, np.int64)
    weights[:10] = 3
    assert [silhouette(rows, labels, weights, smallest)[0] for smallest in (10, 11, 30, 31)] == [1.0, 0.25, 0.25, 0.0]


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2], [0, 0, 1]])
def test_without_two_groups_of_several_there_is_no_silhouette(labels: list[int]) -> None:
    rows = rounded_unit_rows(np.random.default_rng(0).normal(size=(len(labels), 4)))
    assert silhouette(rows, np.array(labels, np.int32), np.ones(len(rows), np.int64), 1) == (0.0, 0.0)


@pytest.mark.parametrize("shape", ["noise", "equal", "planted"])
@pytest.mark.parametrize("largest", [1, 7, 60])
def test_large_groups_are_split_until_none_weighs_too_much(shape: str, largest: int) -> None:
    random = np.random.default_rng(largest)
    vectors = {
        "noise": random.normal(size=(200, 8)),
        "equal": np.ones((200, 8)),
        "planted": np.stack([one.vector for one in planted(4, 50)]),
    }[shape]
    rows = rounded_unit_rows(vectors)
    graph = neighbour_graph(find_neighbours(rows, 10))
    weights = random.integers(1, 4, 200).astype(np.int64)
    weights[17] = 100
    before = np.where(np.arange(200) % 10, np.arange(200) // 100, -1).astype(np.int32)
    after = split_large(graph, rows, before, weights, largest, 0)
    assert ((after < 0) == (before < 0)).all()
    for label in range(int(after.max()) + 1):
        members = np.flatnonzero(after == label)
        assert len(set(before[members].tolist())) == 1
        assert weights[members].sum() <= largest or len(members) == 1


def test_groups_that_are_small_enough_are_not_split() -> None:
    rows = rounded_unit_rows(np.random.default_rng(0).normal(size=(60, 8)))
    labels = (np.arange(60) // 20).astype(np.int32)
    graph = neighbour_graph(find_neighbours(rows, 10))
    assert split_large(graph, rows, labels, np.ones(60, np.int64), 20, 0).tolist() == labels.tolist()


def test_rows_that_are_the_same_are_one_node_and_zeros_are_none() -> None:
    node_of, first = group_equal_rows(np.array([[1, 0], [0, 0], [0, 1], [1, 0], [0, 1]], np.float32))
    assert (node_of.tolist(), first.tolist()) == ([0, -1, 1, 0, 1], [0, 2])
    node_of, first = group_equal_rows(np.zeros((3, 2), np.float32))
    assert (node_of.tolist(), first.tolist()) == ([-1, -1, -1], [])


def test_members_of_small_groups_go_where_their_neighbours_are_while_there_is_room() -> None:
    rows = rounded_unit_rows(np.stack([one.vector for one in planted(3, 20)]))
    nodes = dense_nodes(rows, rows, 0.2)
    labels = (np.arange(60) // 20).astype(np.int32)
    few = labels.copy()
    few[[0, 1, 2]] = 3
    assert dissolve_small(nodes, few, 5, 0).tolist() == labels.tolist()
    assert dissolve_small(nodes, few, 3, 0).tolist() == few.tolist()
    narrow = dissolve_small(nodes, few, 5, 18)
    assert sorted(narrow[[0, 1, 2]].tolist()) == [-1, -1, 0]
    assert narrow[3:].tolist() == labels[3:].tolist()
    assert (dissolve_small(nodes, labels, 21, 0) == -1).all()


def test_without_groups_no_document_is_assigned() -> None:
    rows = rounded_unit_rows(np.stack([one.vector for one in planted(3, 20)]))
    nodes = dense_nodes(rows, rows, 0.2)
    none = np.full(60, -1, np.int32)
    assert (assign_by_vote(nodes, none, np.arange(60), 0) == -1).all()
    assert find_outliers(nodes, none, none).all()


def test_a_document_unlike_a_group_as_a_whole_does_not_belong_to_it() -> None:
    rows = rounded_unit_rows(np.stack([one.vector for one in planted(3, 20)]))
    nodes = dense_nodes(rows, rows, 0.2)
    labels = (np.arange(60) // 20).astype(np.int32)
    assert not find_outliers(nodes, labels, labels).any()
    wrong = labels.copy()
    wrong[0] = 1
    assert np.flatnonzero(find_outliers(nodes, wrong, labels)).tolist() == [0]
