"""Which documents stand for a corpus: always the same ones, and some of each cluster."""

from seed_assets.comparing.sample import sample_of

FILES = {f"{number:03}.txt": f"sha256:{(number * 7919) % 1009:04}" for number in range(100)}
CLUSTERS = {name: f"topic/{number % 3 + 1}" for number, name in enumerate(FILES) if number % 4}


def test_the_choice_depends_on_contents_alone() -> None:
    """Two comparisons of the same corpus would try different documents, and pay for both."""
    chosen = sample_of(FILES, CLUSTERS, 10)
    assert chosen == sample_of(dict(reversed(FILES.items())), dict(reversed(CLUSTERS.items())), 10)
    assert chosen == sorted(chosen)
    assert len(chosen) == len(set(chosen)) == 10
    assert chosen != sorted(FILES)[:10]


def test_most_of_it_stays_when_documents_come() -> None:
    chosen = set(sample_of(FILES, CLUSTERS, 10))
    more = FILES | {"new.txt": "sha256:0500", "other.txt": "sha256:0001"}
    assert len(chosen & set(sample_of(more, CLUSTERS, 10))) >= 8


def test_each_cluster_has_its_turn_and_so_have_documents_without_one() -> None:
    groups = [CLUSTERS.get(name, "") for name in sample_of(FILES, CLUSTERS, 8)]
    assert {group: groups.count(group) for group in set(groups)} == {"": 2, "topic/1": 2, "topic/2": 2, "topic/3": 2}
    assert len({CLUSTERS.get(name, "") for name in sample_of(FILES, CLUSTERS, 3)}) == 3


def test_a_small_corpus_is_tried_as_a_whole() -> None:
    assert sample_of(FILES, {}, 1_000) == sorted(FILES)
    assert sample_of({}, CLUSTERS, 5) == []
