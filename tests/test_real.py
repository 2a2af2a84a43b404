"""The bench of real ground: labels made from a reference, and its page."""

from __future__ import annotations

import numpy as np
import pytest
from bench.real.page import page, with_sections_of
from bench.real.sources import DRAWN, confused, labels_of, majority, names_of
from bench.real.tiles import FOLDER, TILES, Tile, read_tile

from overcast.geo.arrays import LabelArray
from overcast.geo.legend import LandClass, Legend
from overcast.geo.raster import UNKNOWN, Labels
from tests.rasters import utm

LEGEND = Legend("two", (LandClass(1, "a", "000000"), LandClass(2, "b", "ffffff")))
GRID = utm((80, 80))


def tile() -> Tile:
    values = np.zeros((80, 80), np.uint8)
    values[:, 40:] = 1
    values[:5] = UNKNOWN
    truth = Labels(values=values, grid=GRID, legend=LEGEND)
    return Tile("made", {}, truth, (100,))


def test_majority_labels_are_right_but_along_borders() -> None:
    coarse = majority(tile().truth, 100)
    assert coarse.grid.resolution.x == 100
    read = LabelArray(coarse).read(GRID).values
    truth = tile().truth.values
    both = (read != UNKNOWN) & (truth != UNKNOWN)
    assert 0.85 < (read == truth)[both].mean() < 1
    assert (read == truth)[both & (np.abs(np.arange(80) - 39.5) > 20)].all()


def test_a_fifth_of_the_cells_is_confused() -> None:
    values = np.zeros((50, 50), np.uint8)
    values[:, 25:], values[:2] = 1, UNKNOWN
    labels = Labels(values=values, grid=utm((50, 50)), legend=LEGEND)
    found = confused(labels, np.random.default_rng(0)).values
    assert ((found == UNKNOWN) == (values == UNKNOWN)).all()
    assert (found != values).mean() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("right", [65, 85])
def test_a_product_is_right_on_a_share_and_wrong_in_blobs(right: int) -> None:
    truth = tile().truth.values
    known = truth != UNKNOWN
    found = labels_of(tile(), f"product-{right}", 0).values
    assert ((found == UNKNOWN) <= ~known).all()
    wrong = (found != truth) & known
    assert 1 - wrong[known].mean() == pytest.approx(right / 100, abs=0.01)
    # Mistakes lie beside mistakes: at random, a neighbour were wrong by their share.
    beside = (wrong[:, 1:] & wrong[:, :-1]).mean() / wrong[:, 1:].mean()
    assert beside > 0.75
    assert (labels_of(tile(), f"product-{right}", 1).values != found).any()


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("patches-5", 300, 1280), ("polygons-40", 1000, 5000), ("points-200", 200, 200)],
)
def test_drawn_labels_are_right_and_few(name: str, least: int, most: int) -> None:
    assert name in DRAWN
    assert name in names_of(tile())
    found, truth = labels_of(tile(), name, 0).values, tile().truth.values
    known = found != UNKNOWN
    assert least <= known.sum() <= most
    assert (found == truth)[known].all()
    other = labels_of(tile(), name, 1).values
    assert (other != found).any()
    assert (labels_of(tile(), name, 0).values == found).all()


def test_other_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="lines-3: no such labels"):
        labels_of(tile(), "lines-3", 0)


def test_the_page_has_means_and_spreads_and_the_difference_to_the_labels() -> None:
    def scores(value: float) -> dict[str, float]:
        names = ("mean_iou", "overall_accuracy", "calibration_error")
        return dict.fromkeys(names, value)

    results = {
        f"433D_majority-100_{seed}": {
            "labels": scores(0.5),
            "weak, without place": scores(0.4),
            "weak": scores(0.6 + 0.1 * seed),
        }
        for seed in (0, 1)
    }
    lost = {"labels": 0.5, "best": 0.7, "default": 0.6}
    anchors = {"433D_majority-100": lost | {"20": [0.6, 0.7], "50": [0.7, 0.72]}}
    text = page(results, anchors)
    assert (
        "| 433D majority-100 | 0.500 | 0.700 | 0.100 | 0.050, 0.100 | -0.010, 0.000 |"
        in text
    )
    assert (
        "| 433D majority-100 | 2 | 0.500 ± 0.000 | 0.400 ± 0.000 | 0.650 ± 0.050 |"
        in text
    )
    assert "| 433D majority-100 | -0.100, -0.100 | +0.150, +0.150 |" in text
    assert "0.650 by default, 0.400 without place" in text
    assert "Of all 1 cases of coarse labels" in text
    assert "below its labels in 0," in text
    assert "overall accuracy in none." in text


def test_the_page_names_cases_in_which_the_map_is_worse_than_its_labels() -> None:
    def run(labels: float, weak: float) -> dict[str, dict[str, float]]:
        names = ("mean_iou", "overall_accuracy", "calibration_error")
        both = (("labels", labels), ("weak", weak))
        return {arm: dict.fromkeys(names, value) for arm, value in both}

    results = {
        "282D_holes-100_0": run(0.5, 0.48),
        "282D_holes-300_0": run(0.5, 0.495),
        "282D_majority-100_0": run(0.5, 0.6),
    }
    text = page(results, {})
    assert "Of all 3 cases" in text
    assert "below its labels in 2," in text
    assert "overall accuracy in 1:" in text
    assert "- 282D holes-100: -0.020 mean IoU, -0.020 overall accuracy" in text
    assert "- 282D holes-300" not in text


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real tiles are not at {FOLDER}")
@pytest.mark.parametrize("name", list(TILES))
def test_tiles_are_read(name: str) -> None:
    found = read_tile(name)
    assert (found.truth.values != UNKNOWN).mean() > 0.3
    assert all(image.grid == found.grid for image in found.images.values())


def test_the_page_has_weak_against_the_best_rival_and_its_worst_draw() -> None:
    names = ("mean_iou", "overall_accuracy", "calibration_error")
    results = {
        f"433D_points-200_{seed}": {
            "plain forest": dict.fromkeys(names, 0.4),
            "balanced forest": dict.fromkeys(names, 0.3 + 0.3 * seed),
            "weak": dict.fromkeys(names, 0.5),
        }
        for seed in (0, 1)
    }
    text = page(results, {})
    assert (
        "| 433D points-200 | 2 | balanced forest | 0.450 | 0.500 | +0.050 | -0.100 |"
        in text
    )


def test_labels_with_faults() -> None:
    right = labels_of(tile(), "majority-100", 0)
    moved = labels_of(tile(), "shifted-100", 0)
    assert (moved.values == right.values).all()
    step = moved.grid.affine.c - right.grid.affine.c
    assert step == pytest.approx(-100)
    assert moved.grid.affine.f - right.grid.affine.f == pytest.approx(100)
    holes = labels_of(tile(), "holes-100", 0).values
    known = right.values != UNKNOWN
    assert (holes[holes != UNKNOWN] == right.values[holes != UNKNOWN]).all()
    lost = (holes == UNKNOWN)[known].mean()
    assert lost == pytest.approx(1 / 3, abs=0.12)
    older = np.unique(labels_of(tile(), "lacking-100", 0).values)
    assert len(set(older.tolist()) - {UNKNOWN}) == 1


def test_merged_labels_have_one_name_for_two_classes() -> None:
    three = Legend("three", (*LEGEND.classes, LandClass(3, "c", "00ff00")))
    values = np.zeros((90, 90), np.uint8)
    values[:, 50:], values[:, 75:] = 1, 2
    truth = Labels(values=values, grid=utm((90, 90)), legend=three)
    found = labels_of(Tile("made", {}, truth, (100,)), "merged-100", 0).values
    assert set(np.unique(found)) - {UNKNOWN} == {0, 1}


def test_sections_that_were_not_measured_anew_stay() -> None:
    before = "# Page\nold\n## One\n1\n\n## Two\n2\n\n## Three\n3\n"
    after = "# Page\nnew\n## One\n11\n\n## Three\n33\n"
    text = with_sections_of(after, before)
    assert text == "# Page\nnew\n## One\n11\n\n## Two\n2\n\n## Three\n33\n"
    assert with_sections_of(after, "") == after
