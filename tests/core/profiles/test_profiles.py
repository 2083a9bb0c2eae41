"""Profiles: what they are made from, what decides that one is written again, and a model that cannot write one."""

import json
from pathlib import Path

import pytest

from seed_assets.core.profiles.model_profiles import ModelProfileWriter
from seed_assets.core.profiles.profiles import (
    EntityProfiles,
    ExtractiveProfileWriter,
    ProfileMaterial,
    ProfileSource,
    best_sources,
    named_reasons,
    write_profiles,
)
from tests.support.model_answers import Call
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")

FIRST = "Anna Weber is a chemist of the Institute of Salts in the old town of Graz."
SECOND = "Anna Weber likes long walks over the bridges of the railway in the evening."
OTHER = "Carl Ott is an engineer who draws bridges for the railway of the country."


def source(text: str, document: str = "a.txt", start: int = 0) -> ProfileSource:
    return ProfileSource(document, "", start, start + len(text), text)


def material(name: str, *texts: str, document: str = "a.txt") -> ProfileMaterial:
    number = name.casefold().replace(" ", "")
    return ProfileMaterial(f"entity/{number}", name, "person", tuple(source(text, document) for text in texts))


def test_a_profile_without_a_model_has_the_best_passages_that_fit_and_repeats_nothing() -> None:
    again = FIRST.replace("Graz", "Graz indeed")
    sources = material("Anna Weber", FIRST, again, SECOND).sources
    assert ExtractiveProfileWriter(60).description(sources) == f"{FIRST} {SECOND}"
    assert ExtractiveProfileWriter(20).description(sources) == FIRST
    assert len(ExtractiveProfileWriter(5).description(sources).split()) == 5


def test_passages_of_several_documents_come_first_and_equal_ones_once() -> None:
    found = [(3.0 - n / 10, source(f"Sentence {n} of the first document.", "a.txt", 50 * n)) for n in range(4)]
    found += [
        (1.0, source("A sentence of another one.", "b.txt")),
        (0.5, source("Sentence 0 of the first document.", "c")),
    ]
    chosen = best_sources(found, 4)
    assert [one.document_id for one in chosen] == ["a.txt", "a.txt", "b.txt", "a.txt"]
    assert best_sources(reversed(found), 4) == chosen


def test_what_is_said_decides_the_action_and_the_name_of_a_document_does_not() -> None:
    one = material("Anna Weber", FIRST, SECOND)
    assert one.action("model").key == material("Anna Weber", FIRST, SECOND, document="renamed.txt").action("model").key
    others = [material("Anna Weber", FIRST), material("Anna Webers", FIRST, SECOND)]
    assert len({one.action("model").key, one.action("extractive").key, *(o.action("model").key for o in others)}) == 4


def describe(call: Call) -> str:
    said = "".join(call.texts())
    return json.dumps({"description": "" if "Carl Ott" in said else "A chemist of the Institute of Salts."})


@pytest.mark.integration
def test_each_profile_is_asked_for_once_and_one_that_a_model_cannot_write_has_sentences_instead(tmp_path: Path) -> None:
    """One entity that a model refuses must not take the profiles of all others with it."""
    materials = [material("Anna Weber", FIRST, SECOND), material("Carl Ott", OTHER)]

    def written(world: ModelWorld, words: int) -> EntityProfiles:
        writer = ModelProfileWriter(world.model(), words)
        return world.run(write_profiles(materials, writer, world.reuse()))

    with ModelServer(answer=describe) as server, ModelWorld(tmp_path, server.url) as world:
        found = written(world, 60)
        before = len(server.calls)
        # Another length is another prompt, which is no reason to write a profile again.
        again = written(world, 50)
        assert len(server.calls) == before
    assert again == found
    anna, carl = found.profiles
    assert (anna.profile.description, anna.profile.writer) == ("A chemist of the Institute of Salts.", "scripted")
    assert (carl.profile.description, carl.profile.writer) == (OTHER, "extractive")
    assert list(named_reasons(found)) == ["Carl Ott"]
    assert "at least 1 character" in named_reasons(found)["Carl Ott"]
