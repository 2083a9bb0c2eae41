"""The picture of all assets: which groups they stand in, and by which tag a shell selects those of one job."""

from collections import defaultdict

from seed_assets.orchestration.code_location import build_definitions
from tests.support.pipelines import World

LEFT_TO_RIGHT = ["documents", "corpus", "knowledge_base"]


def test_arrows_go_from_documents_through_the_corpus_to_the_knowledge_base(empty_world: World) -> None:
    """One arrow back, of an asset in the wrong group, and Dagster draws the groups in another order."""
    with empty_world.session() as session:
        graph = build_definitions(session.settings).resolve_asset_graph()
    groups = {node.key: LEFT_TO_RIGHT.index(node.group_name or "") for node in graph.asset_nodes}
    back = [
        (parent.to_user_string(), node.key.to_user_string())
        for node in graph.asset_nodes
        for parent in node.parent_keys
        if groups[parent] > groups[node.key]
    ]
    assert back == []
    assert set(groups.values()) == {0, 1, 2}


def test_assets_bear_the_name_of_their_job_and_have_its_partitions(empty_world: World) -> None:
    """What a shell selects by a job's name can go through one run."""
    with empty_world.session() as session:
        definitions = build_definitions(session.settings)
    graph = definitions.resolve_asset_graph()
    tagged: defaultdict[str, set[str]] = defaultdict(set)
    for node in graph.asset_nodes:
        tagged[node.tags["job"]].add(node.key.to_user_string())
    assert set(tagged) == {"seed_documents", "seed_clusters", "seed_corpus", "place_documents"}
    for job, names in tagged.items():
        selected = definitions.resolve_job_def(job).asset_layer.executable_asset_keys
        assert {key.to_user_string() for key in selected} == names
        assert len({str(node.partitions_def) for node in graph.asset_nodes if node.tags["job"] == job}) == 1
