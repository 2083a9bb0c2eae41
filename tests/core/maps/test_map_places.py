"""Where documents stand on a map after some of them came, went or changed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from seed_assets.core.maps.map_places import place_documents
from seed_assets.core.maps.pictures import MapPlaces

DRIFT = 0.1


def grouped() -> tuple[list[str], NDArray[np.float32]]:
    """Sixty documents around three far directions, twenty after twenty."""
    chance = np.random.default_rng(0)
    vectors = np.repeat(np.eye(3, 8), 20, axis=0) + chance.normal(scale=0.05, size=(60, 8))
    return [f"{number:02}.txt" for number in range(60)], vectors.astype(np.float32)


def places_of(found: MapPlaces) -> dict[str, tuple[float, float]]:
    return {one: (place.x, place.y) for one, place in found.places.items()}


def middle(found: MapPlaces, ids: list[str]) -> NDArray[np.float64]:
    return np.median(found.array(ids), axis=0)


def test_equal_documents_have_equal_places() -> None:
    ids, vectors = grouped()
    first = place_documents(ids, vectors, None, DRIFT)
    assert first.changed == ()
    assert place_documents(ids, vectors, None, DRIFT) == first
    assert place_documents(ids, vectors, first, DRIFT) == first


def test_a_new_document_is_put_among_those_it_resembles_and_the_others_stay() -> None:
    ids, vectors = grouped()
    first = place_documents(ids, vectors, None, DRIFT)
    more = np.concatenate([vectors, vectors[25:26] + np.float32(0.01)])
    second = place_documents([*ids, "new.txt"], more, first, DRIFT)
    assert {one: place for one, place in places_of(second).items() if one != "new.txt"} == places_of(first)
    assert second.changed == ("new.txt",)
    new = np.array(places_of(second)["new.txt"])
    distances = [np.linalg.norm(new - middle(first, ids[20 * group : 20 * (group + 1)])) for group in range(3)]
    assert int(np.argmin(distances)) == 1


def test_a_document_that_hardly_changed_stays_and_one_about_something_else_moves() -> None:
    ids, vectors = grouped()
    first = place_documents(ids, vectors, None, DRIFT)
    vectors[30] += np.float32(0.001)
    second = place_documents(ids, vectors, first, DRIFT)
    assert second.places["30.txt"].vector != first.places["30.txt"].vector
    assert places_of(second) == places_of(first)
    vectors[30] = vectors[5] + np.float32(0.001)
    third = place_documents(ids, vectors, second, DRIFT)
    assert third.changed == ("30.txt",)
    moved = {one for one in ids if places_of(third)[one] != places_of(second)[one]}
    assert moved == {"30.txt"}
    here, there = middle(first, ids[:20]), middle(first, ids[20:40])
    place = np.array(places_of(third)["30.txt"])
    assert np.linalg.norm(place - here) < np.linalg.norm(place - there)


def test_removed_documents_count_as_changes_and_move_no_other() -> None:
    ids, vectors = grouped()
    first = place_documents(ids, vectors, None, DRIFT)
    second = place_documents(ids[2:], vectors[2:], first, DRIFT)
    assert len(second.changed) == 2
    assert not any("00.txt" in one or "01.txt" in one for one in second.changed), "a document may have to be erased"
    third = place_documents(ids[1:], vectors[1:], second, DRIFT)
    assert "01.txt" in third.changed
    assert len(third.changed) == 2, "one that comes back counts once"
    assert places_of(second) == {one: place for one, place in places_of(first).items() if one in ids[2:]}


@pytest.mark.parametrize("step", [1, 3, 60])
@pytest.mark.slow
def test_beyond_the_bound_all_positions_are_computed_together(step: int) -> None:
    """Changes add up, however few there are at a time, and each document counts once."""
    ids, vectors = grouped()
    found = place_documents(ids, vectors, None, DRIFT)
    counts = []
    for first in range(0, 60, step):
        vectors[first : first + step] *= np.float32(1.01)
        for _ in range(2):
            found = place_documents(ids, vectors, found, DRIFT)
        counts.append(len(found.changed))
    assert max(counts) <= DRIFT * 60
    assert 0 in counts
    assert found.array(ids).shape == (60, 2)


def test_few_documents_and_none_have_places() -> None:
    ids, vectors = grouped()
    found = place_documents([], np.zeros((0, 1), np.float32), None, DRIFT)
    assert found.places == {}
    for count in (1, 2, 4, 5):
        found = place_documents(ids[:count], vectors[:count], found, 1.0)
        assert np.isfinite(found.array(ids[:count])).all()
        assert len(set(places_of(found).values())) == count
