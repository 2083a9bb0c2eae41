"""Pictures of clusterings: where documents stand, what is in the pictures, and inputs that could break the drawing."""

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seed_assets.core.clusters.clusters import Cluster, Clustering, Placement
from seed_assets.core.maps import corpus_map, map_layout, map_titles
from seed_assets.core.maps.corpus_map import draw_sizes
from seed_assets.core.maps.map_layout import lay_out
from seed_assets.core.maps.map_titles import Alphabet, place_titles

ODD_TITLES = {
    "chinese": "机器学习",
    "arabic": "تعلم الآلة",
    "emoji": "🎉🎉 party",
    "flags": "🇩🇪👩‍👩‍👧",
    "math": r"$\frac{",
    "two dollars": "costs $5 and $x_{",
    "long": "a" * 500,
    "long words": "several words, " * 90,
    "empty": "",
    "blank": " \n\t ",
    "controls": "\x00\x1b[31m\ud800",
    "lines": "two\nlines",
    "combining": "e\u0301" * 90 + "\u0301" * 300,
}


def grouped(groups: int, each: int) -> tuple[NDArray[np.float32], dict[str, Placement], list[str]]:
    """Documents around so many far directions, each in the cluster of its direction."""
    chance = np.random.default_rng(0)
    centres = np.repeat(np.eye(groups, 16), each, axis=0)
    vectors = (centres + chance.normal(scale=0.05, size=centres.shape)).astype(np.float32)
    ids = [f"{number:04}.txt" for number in range(len(vectors))]
    return vectors, {d: Placement(f"topic/{n // each + 1}", 0.9) for n, d in enumerate(ids)}, ids


def draw_map(
    vectors: NDArray[np.float32], placements: dict[str, Placement], ids: list[str], titles: dict[str, str]
) -> bytes:
    """Lay the documents out and draw them."""
    return corpus_map.draw_map(lay_out(vectors), placements, ids, titles)


def picture(png: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(png))
    found.load()
    return found


def colours(png: bytes) -> dict[tuple[int, int, int], int]:
    """Pixels by colour: of those that are plainly no grey."""
    found: NDArray[np.uint8] = np.asarray(picture(png).convert("RGB")).reshape(-1, 3)
    vivid = found[np.ptp(found.astype(int), axis=1) > 60]
    values, counts = np.unique(vivid, axis=0, return_counts=True)
    return {(int(r), int(g), int(b)): int(count) for (r, g, b), count in zip(values, counts, strict=True)}


def clustering(sizes: list[int], outliers: int = 0, title: str = "topic") -> Clustering:
    members = [[f"{cluster}-{n}" for n in range(size)] for cluster, size in enumerate(sizes, 1)]
    clusters = tuple(Cluster(f"{title}/{n}", tuple(found)) for n, found in enumerate(members, 1))
    placements = {d: Placement(cluster.cluster_id, 1.0) for cluster in clusters for d in cluster.members}
    placements |= {f"outlier {n}": Placement("", 0.0) for n in range(outliers)}
    return Clustering(title, clusters, placements, len(sizes) + 1, len(placements))


def purity(places: NDArray[np.float64], each: int) -> float:
    """The share of documents whose nearest on the map is of their own group."""
    apart = ((places[:, None] - places[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    return float(np.mean(apart.argmin(axis=1) // each == np.arange(len(places)) // each))


def test_documents_that_are_alike_lie_together() -> None:
    vectors, _, _ = grouped(6, 30)
    places = lay_out(vectors)
    assert places.shape == (180, 2)
    assert np.abs(places).max() <= 1
    assert purity(places, 30) == 1.0


def test_the_grid_and_the_look_at_every_pair_push_alike() -> None:
    places = np.random.default_rng(1).normal(scale=8, size=(500, 2))
    exact, exact_sum = map_layout._in_pairs(places)
    near, near_sum = map_layout._on_a_grid(places)
    assert near_sum == pytest.approx(exact_sum, rel=0.03)
    assert np.corrcoef(exact.ravel(), near.ravel())[0, 1] > 0.99


@pytest.mark.slow
def test_more_documents_than_are_laid_out_are_put_beside_those_they_are_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_layout, "_MOST_LAID_OUT", 150)
    monkeypatch.setattr(map_layout, "_MOST_IN_PAIRS", 100)
    places = lay_out(grouped(4, 100)[0])
    assert np.isfinite(places).all()
    assert purity(places, 100) > 0.98
    assert len(np.unique(places, axis=0)) == 400


@pytest.mark.slow
def test_long_vectors_and_ones_that_are_no_numbers_have_places() -> None:
    vectors, _, _ = grouped(3, 12)
    long = np.zeros((36, 700), dtype=np.float32)
    long[:, 300:316] = vectors
    long[:, 600:] = np.random.default_rng(2).normal(scale=0.01, size=(36, 100))
    assert purity(lay_out(long), 12) == 1.0
    long[5] = np.nan
    long[6, 0] = np.inf
    long[7] = 0
    assert np.isfinite(lay_out(long)).all()
    assert np.isfinite(lay_out(np.ones((9, 1), np.float32))).all()
    assert np.isfinite(lay_out(np.arange(9, dtype=np.float32)[:, None])).all()


@pytest.mark.slow
@pytest.mark.parametrize("documents", [0, 1, 2, 3, 4, 5, 9, 40])
def test_few_documents_and_equal_ones_are_drawn_apart(documents: int) -> None:
    ids = [str(number) for number in range(documents)]
    for vectors in (np.ones((documents, 4), np.float32), np.zeros((documents, 4), np.float32)):
        places = lay_out(vectors)
        assert np.isfinite(places).all()
        assert len(np.unique(places, axis=0)) == documents
        assert picture(draw_map(vectors, {}, ids, {})).size == (1200, 800)


@pytest.mark.slow
def test_the_map_shows_every_cluster_in_a_colour_of_its_own_and_outliers_in_none() -> None:
    vectors, placements, ids = grouped(4, 30)
    drawn = draw_map(vectors, placements, ids, {})
    assert picture(drawn).size == (1200, 800)
    assert len([count for count in colours(drawn).values() if count > 600]) == 4
    assert colours(draw_map(vectors, {d: Placement("", 0.0) for d in ids}, ids, {})) == {}
    assert colours(draw_map(vectors, {}, ids, {"topic/1": "of no document"})) == {}


@pytest.mark.slow
def test_a_cluster_keeps_its_colour_when_others_come_and_go() -> None:
    vectors, placements, ids = grouped(2, 30)
    both = draw_map(vectors, placements, ids, {})
    renamed = {d: Placement("topic/5", 0.9) if p.cluster_id == "topic/1" else p for d, p in placements.items()}
    most = [max(colours(png), key=lambda colour: colours(png)[colour]) for png in (draw_sizes(clustering([9]), {}),)]
    assert most[0] in colours(draw_sizes(clustering([9, 30, 8]), {}))
    shared = {c for c, n in colours(both).items() if n > 600} & {
        c for c, n in colours(draw_map(vectors, renamed, ids, {})).items() if n > 600
    }
    assert len(shared) == 1


@pytest.mark.slow
def test_neither_order_nor_neighbours_in_time_change_a_byte() -> None:
    vectors, placements, ids = grouped(3, 20)
    titles = {"topic/1": "One", "topic/2": "Two"}
    drawn = draw_map(vectors, placements, ids, titles)
    order = np.random.default_rng(3).permutation(len(ids))
    backwards = dict(reversed(placements.items()))
    places = lay_out(vectors)[order]
    assert corpus_map.draw_map(places, backwards, [ids[place] for place in order], titles) == drawn
    assert draw_map(vectors, placements, ids, {**titles, "topic/2": "Other"}) != drawn
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: draw_map(vectors, placements, ids, titles), range(4))) == {drawn}


SCRIPT = """
import hashlib, sys
sys.path.insert(0, '')
from tests.core.maps.test_corpus_map import clustering, draw_map, draw_sizes, grouped
vectors, placements, ids = grouped(5, 100)
titles = {"topic/1": "One", "topic/2": "\u673a\u5668 $x$"}
print(hashlib.sha256(draw_map(vectors, placements, ids, titles) + draw_sizes(clustering([3, 2]), titles)).hexdigest())
"""


@pytest.mark.integration
def test_another_process_with_other_threads_seeds_and_settings_draws_the_same(tmp_path: Path) -> None:
    """A home that cannot be written to, and what its owner has set for other pictures, are of no account."""
    (tmp_path / "matplotlibrc").write_text("font.size: 30\naxes.facecolor: red\nsavefig.facecolor: blue\n")
    runs = [
        {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "1", "MATPLOTLIBRC": str(tmp_path)},
        {
            "OMP_NUM_THREADS": "4",
            "OPENBLAS_NUM_THREADS": "4",
            "PYTHONHASHSEED": "2",
            "MPLBACKEND": "svg",
            "MPLCONFIGDIR": "/proc/none",
        },
    ]
    drawn = [
        subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env={**os.environ, **run})
        for run in runs
    ]
    assert [(run.stderr, len(run.stdout.strip())) for run in drawn] == [("", 64), ("", 64)]
    assert drawn[0].stdout == drawn[1].stdout


@pytest.mark.slow
@pytest.mark.parametrize("title", ODD_TITLES.values(), ids=ODD_TITLES)
def test_no_title_breaks_a_picture_or_warns(title: str) -> None:
    """Warnings are errors in these tests."""
    vectors, placements, ids = grouped(2, 5)
    titles = {"topic/1": title, "topic/2": title}
    assert picture(draw_map(vectors, placements, ids, titles)).size == (1200, 800)
    assert picture(draw_sizes(clustering([5, 5]), titles)).width == 1200
    odd = {d: Placement(f"{title}$/{n % 3}", 0.5) for n, d in enumerate(ids)}
    assert draw_map(vectors, odd, ids, {})
    assert draw_sizes(clustering([5], title=title), {})


def test_titles_are_shortened_and_what_no_font_has_is_called_by_its_id() -> None:
    alphabet = Alphabet()
    assert alphabet.shown("Type hints", "topic/1") == "Type hints"
    assert (
        alphabet.shown("runtime type checking, gradual typing", "topic/1") == "runtime type checking,\ngradual typing"
    )
    assert max(map(len, alphabet.shown("several words, " * 90, "topic/1").split("\n"))) < 40
    assert len(alphabet.shown("a" * 500, "topic/1")) < 40
    assert alphabet.called("\U000e0041\U0001f9ff\U0001f9ff", "topic/1", 60) == "topic/1"
    assert alphabet.called("\U0001f9ff party", "topic/1", 60) == "party"
    assert alphabet.called("letter \U000131ff", "topic/1", 60) == "letter \u25a1"
    assert alphabet.called(" ", "topic/1", 60) == "topic/1"
    assert alphabet.called("", "\x00", 60)


@pytest.mark.slow
def test_fonts_of_the_machine_show_what_the_bundled_one_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here one that matplotlib brings; those that machines have are named in the module."""
    with monkeypatch.context() as changed:
        changed.setattr(map_titles, "_OTHERS", ("No Such Font", "STIXGeneral"))
        map_titles._installed.cache_clear()
        only_there = chr(min(map_titles._signs_of("STIXGeneral") - map_titles._signs_of("DejaVu Sans")))
        alphabet = Alphabet()
        assert alphabet.called(only_there * 3, "topic/1", 60) == only_there * 3
        assert alphabet.families == ["DejaVu Sans", "STIXGeneral"]
        assert draw_sizes(clustering([3]), {"topic/1": only_there * 3}) != draw_sizes(clustering([3]), {})
        assert map_titles._signs_of("No Such Font") == frozenset()
    map_titles._installed.cache_clear()


def test_a_title_does_not_hide_the_only_document() -> None:
    drawn = draw_map(np.ones((1, 4), np.float32), {"a": Placement("topic/1", 1.0)}, ["a"], {"topic/1": "w" * 20})
    assert max(colours(drawn).values()) > 30


@pytest.mark.slow
def test_titles_lie_upon_no_other_title_and_inside_the_map() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 8), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 1200)
    axes.set_ylim(0, 800)
    same = [np.array([[600.0, 400.0], [1195.0, 795.0], [10.0, 10.0]])] * 40
    place_titles(
        axes, [f"a title\nof two lines {n}" for n in range(39)] + ["w" * 900], same, ["#4363d8"] * 40, ["DejaVu Sans"]
    )
    boxes = [text.get_window_extent() for text in axes.texts if "w" * 900 not in text.get_text()]
    assert len(boxes) > 30
    for number, box in enumerate(boxes):
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= 1200
        assert box.y1 <= 800
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])


@pytest.mark.slow
def test_the_largest_of_many_clusters_are_named() -> None:
    vectors, _, ids = grouped(3, 100)
    placements = {d: Placement(f"topic/{n // 3}", 0.9) for n, d in enumerate(ids)}
    assert picture(draw_map(vectors, placements, ids, {f"topic/{n}": "title " * 9 for n in range(100)}))


@pytest.mark.slow
def test_the_chart_is_as_high_as_it_has_bars_up_to_forty_of_them() -> None:
    heights = [picture(draw_sizes(clustering(sizes), {})).height for sizes in ([3] * 5, [3] * 40, [3] * 200)]
    assert heights[0] < heights[1] < heights[2] < heights[1] + 40


def test_the_longest_bar_is_the_largest_clusters_and_stands_on_top() -> None:
    bars = colours(draw_sizes(clustering([2, 30, 9], outliers=4), {}))
    longest, middle, shortest = sorted((n for n in bars.values() if n > 300), reverse=True)[:3]
    assert longest / middle == pytest.approx(30 / 9, rel=0.1)
    assert middle / shortest == pytest.approx(9 / 2, rel=0.2)


def test_the_chart_of_nothing_and_of_outliers_alone_is_drawn() -> None:
    assert picture(draw_sizes(clustering([]), {})).width == 1200
    assert picture(draw_sizes(clustering([], outliers=3), {})).width == 1200
