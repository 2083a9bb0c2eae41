"""Pictures of clusterings: what is in them, and inputs that could break the drawing."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seed_assets.core.clusters import Cluster, Clustering, Placement
from seed_assets.core.corpus_map import draw_map, draw_sizes


def grouped(groups: int, each: int) -> tuple[NDArray[np.float32], dict[str, Placement], list[str]]:
    """Documents around so many far directions, each in the cluster of its direction."""
    chance = np.random.default_rng(0)
    centres = np.repeat(np.eye(groups, 16), each, axis=0)
    vectors = (centres + chance.normal(scale=0.05, size=centres.shape)).astype(np.float32)
    ids = [f"{number:04}.txt" for number in range(len(vectors))]
    return vectors, {d: Placement(f"topic/{n // each + 1}", 0.9) for n, d in enumerate(ids)}, ids


def picture(png: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(png))
    found.load()
    return found


def clustering(sizes: list[int], outliers: int = 0, title: str = "topic") -> Clustering:
    members = [[f"{cluster}-{n}" for n in range(size)] for cluster, size in enumerate(sizes, 1)]
    clusters = tuple(Cluster(f"{title}/{n}", tuple(found)) for n, found in enumerate(members, 1))
    placements = {d: Placement(cluster.cluster_id, 1.0) for cluster in clusters for d in cluster.members}
    placements |= {f"outlier {n}": Placement("", 0.0) for n in range(outliers)}
    return Clustering(title, clusters, placements, len(sizes) + 1, len(placements))


def test_the_map_shows_every_cluster_in_a_colour_of_its_own_and_is_the_same_every_time() -> None:
    vectors, placements, ids = grouped(4, 30)
    drawn = draw_map(vectors, placements, ids, {f"topic/{n}": f"Title {n}" for n in range(1, 5)})
    assert drawn == draw_map(vectors, placements, ids, {f"topic/{n}": f"Title {n}" for n in range(1, 5)})
    found = picture(drawn)
    assert found.size == (1200, 800)
    colours = found.convert("RGB").getcolors(1_000_000) or []
    saturated = {colour for count, colour in colours if count > 200 and max(colour) - min(colour) > 60}  # pyright: ignore
    assert len(saturated) == 4


def test_another_title_is_another_picture() -> None:
    vectors, placements, ids = grouped(2, 10)
    assert draw_map(vectors, placements, ids, {"topic/1": "One"}) != draw_map(
        vectors, placements, ids, {"topic/1": "Two"}
    )


def test_more_documents_than_are_laid_out_are_put_beside_those_they_are_like() -> None:
    vectors, placements, ids = grouped(2, 1_200)
    assert picture(draw_map(vectors, placements, ids, {})).size == (1200, 800)


@pytest.mark.parametrize("documents", [0, 1, 2, 3, 9, 40])
def test_few_documents_and_equal_ones_are_drawn(documents: int) -> None:
    ids = [str(number) for number in range(documents)]
    for vectors in (np.ones((documents, 4), np.float32), np.zeros((documents, 4), np.float32)):
        assert picture(draw_map(vectors, {d: Placement("", 0.0) for d in ids}, ids, {})).size == (1200, 800)
        assert draw_map(vectors, {}, ids, {})


@pytest.mark.parametrize(
    "title",
    ["机器学习", "تعلم الآلة", "🎉🎉", r"$\frac{", "a" * 500, "", "\x00\x1b[31m\ud800", "two\nlines"],
    ids=ascii,
)
def test_no_title_breaks_a_picture_or_warns(title: str) -> None:
    """Warnings are errors in these tests."""
    vectors, placements, ids = grouped(2, 5)
    titles = {"topic/1": title, "topic/2": title}
    assert draw_map(vectors, placements, ids, titles)
    assert draw_sizes(clustering([5, 5]), titles)
    assert draw_sizes(clustering([5], title="field:$x_"), {})


def test_the_chart_is_as_high_as_it_has_bars_up_to_forty_of_them() -> None:
    heights = [picture(draw_sizes(clustering(sizes), {})).height for sizes in ([3] * 5, [3] * 40, [3] * 200)]
    assert heights[0] < heights[1] < heights[2] < heights[1] + 40


def test_the_chart_of_nothing_and_of_outliers_alone_is_drawn() -> None:
    assert picture(draw_sizes(clustering([]), {}))
    assert picture(draw_sizes(clustering([], outliers=3), {}))
