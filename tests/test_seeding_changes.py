"""Only what changed is computed, by count of the calls of each stage's own function, and `status` says so.

What belongs here: documents that are edited, renamed, removed, equal; stages whose version or parameters change. What
does not: failures (test_seeding_failures) and what the command can be told (test_seeding_options).
"""

import pytest

from resources.errors import ConfigurationError
from seed_assets.seeding import SeedOptions
from tests.conftest import DOCUMENTS
from tests.pipelines import SINKS, SOURCES, TABLES, UnprivilegedCorpus, World, essay

ALL = (*SOURCES, *SINKS, "search_index")
N = len(DOCUMENTS)


def test_the_first_seed_computes_everything_once_and_the_second_nothing_without_a_run(empty_world: World) -> None:
    world = empty_world
    assert {state for states in world.plan().states().values() for state in states.values()} == {"missing"}

    first = world.seed()

    assert first.report.exit_code == 0
    assert first.calls == {**dict.fromkeys((*SOURCES, *SINKS), N), "search_index": 1}
    assert first.computed == first.calls
    assert sorted(first.embedded) == sorted({row["text"] for row in world.rows("chunks")})
    assert world.all_states() == {"current"}
    for table in TABLES:
        assert world.documents_in(table) == set(DOCUMENTS)

    again = world.seed()

    assert (again.report.exit_code, again.calls, again.report.runs) == (0, {}, [])
    assert {stage.reused for name, stage in again.report.stages.items() if name != "search_index"} == {N}


def test_an_edited_document_is_computed_alone_and_only_its_changed_chunk_is_embedded(world: World) -> None:
    edited = essay("corals").replace("corals the note 1.3", "corals the remark 1.3")
    world.write("reefs/corals.txt", edited)
    assert set(world.states("reefs/corals.txt").values()) == {"stale"}
    assert set(world.states("reefs/fish.txt").values()) == {"current"}
    assert world.plan().stages["extracted_text"].reasons() == {"source: content: changed": 1}

    seeded = world.seed()

    assert seeded.report.exit_code == 0
    # Its summary and its longest words are the same as before, and both are looked at again.
    assert seeded.calls == dict.fromkeys(ALL, 1) | {"lance_concepts": 0} or seeded.calls == dict.fromkeys(ALL, 1)
    assert len(seeded.embedded) == 1
    assert "remark 1.3" in seeded.embedded[0]
    assert world.all_states() == {"current"}
    assert "remark 1.3" in "".join(row["text"] for row in world.rows("chunks"))
