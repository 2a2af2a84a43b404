from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.viewer.layers import ClassLayer, ValueLayer
from overcast.viewer.products import inside
from overcast.viewer.scene import open_scene
from tests.rasters import utm, write
from tests.viewer.folders import (
    GRID,
    codes,
    make,
    place,
    write_classes,
    write_probabilities,
)


def test_everything_that_a_plan_names(tmp_path: Path) -> None:
    with open_scene(make(tmp_path)) as scene:
        titles = {name: layer.title for name, layer in scene.layers.items()}
        kinds = [layer.kind for layer in scene.layers.values()]
    assert titles == {
        "map": "Map",
        "confidence": "Confidence",
        "labels": "Labels",
        "image-1": "Optical s2",
        "image-2": "SAR s1",
    }
    assert kinds == ["classes", "confidence", "classes", "optical", "sar"]
    assert scene.notes == ()
    assert scene.probabilities is None


def test_what_has_gone_is_said_and_the_rest_shown(tmp_path: Path) -> None:
    out = make(tmp_path)
    (tmp_path / "given" / "s2.tif").unlink()
    (tmp_path / "given" / "labels.tif").write_text("broken")
    with open_scene(out) as scene:
        assert list(scene.layers) == ["map", "confidence", "image-1"]
        labels, image = scene.notes
    assert labels.startswith("labels not shown: ")
    assert "not a readable raster" in labels
    assert image == f"s2 not shown: {tmp_path / 'given' / 's2.tif'}: no such file"


def test_a_map_alone(tmp_path: Path) -> None:
    out = make(tmp_path)
    (out / "run" / "plan.yaml").unlink()
    (out / "confidence.tif").unlink()
    with open_scene(out) as scene:
        assert list(scene.layers) == ["map"]
        (note,) = scene.notes
    assert note == "no run/plan.yaml or plan.yaml here, so the imagery is not known"


def test_a_predicted_map_has_its_plan_beside_it(tmp_path: Path) -> None:
    out = make(tmp_path)
    (out / "run" / "plan.yaml").rename(out / "plan.yaml")
    with open_scene(out) as scene:
        assert "image-1" in scene.layers
        assert scene.notes == ()


def test_a_plan_that_is_none_is_said(tmp_path: Path) -> None:
    out = make(tmp_path)
    (out / "run" / "plan.yaml").write_text("colour: blue")
    with open_scene(out) as scene:
        (note,) = scene.notes
    assert "unknown key 'colour'" in note


def test_probabilities_are_found(tmp_path: Path) -> None:
    out = make(tmp_path)
    write_probabilities(out / "probabilities.tif")
    with open_scene(out) as scene:
        assert scene.probabilities is not None
        found = scene.probabilities.at(*place(50, 50))
    assert found == pytest.approx([0.5, 0.25, 0.25])


def test_no_map_no_scene(tmp_path: Path) -> None:
    with (
        pytest.raises(
            ValueError, match=r"no map\.tif or change\.tif there; give a folder"
        ),
        open_scene(tmp_path),
    ):
        pass


def test_a_map_of_others_has_no_legend(tmp_path: Path) -> None:
    write(tmp_path / "map.tif", np.ones((9, 9), np.uint8), utm((9, 9)))
    with pytest.raises(ValueError, match="no legend"), open_scene(tmp_path):
        pass


@pytest.mark.parametrize("name", ["map.tif", "confidence.tif"])
def test_a_product_that_is_a_link_to_elsewhere_is_refused(
    tmp_path: Path, name: str
) -> None:
    out = make(tmp_path)
    (out / name).rename(tmp_path / name)
    (out / name).symlink_to(tmp_path / name)
    with pytest.raises(ValueError, match="leads out of"), open_scene(out):
        pass


def test_overviews_go_with_the_scene(tmp_path: Path) -> None:
    out = make(tmp_path)
    values = np.full((700, 600), 3, np.uint8)
    with rasterio.open(out / "map.tif") as dataset:
        tags = dataset.tags()
    write(out / "map.tif", values, utm((700, 600)), nodata=255)
    with rasterio.open(out / "map.tif", "r+") as dataset:
        dataset.update_tags(**tags)
    before = sorted(out.iterdir())
    with open_scene(out) as scene:
        view = scene.layers["map"].path
        assert view.suffix == ".vrt"
        assert view.exists()
    assert not view.exists()
    assert sorted(out.iterdir()) == before


def test_inside(tmp_path: Path) -> None:
    out = make(tmp_path)
    (out / "near").symlink_to(out / "report.html")
    (out / "far").symlink_to(tmp_path / "given")
    assert inside(out, "report.html") == (out / "report.html").resolve()
    assert inside(out, "near") == (out / "report.html").resolve()
    assert inside(out, "run/../report.html") == (out / "report.html").resolve()
    for name in ("../given/s1.tif", "far/s1.tif", str(tmp_path / "given" / "s1.tif")):
        with pytest.raises(ValueError, match="leads out of"):
            inside(out, name)
    for name in ("", "run", "nothing"):
        with pytest.raises(ValueError, match="no such file"):
            inside(out, name)


def change_of(root: Path) -> Path:
    """A folder as `overcast change` leaves it, of two maps beside it."""
    folder = root / "change"
    folder.mkdir()
    before, after = (make(root / name) for name in ("a", "b"))
    write_classes(folder / "change.tif", codes(), GRID)
    write(folder / "change_probability.tif", np.full(GRID.shape, 127, np.uint8), GRID)
    said = {"before": str(before), "after": str(after / "map.tif")}
    (folder / "change.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def test_a_change_shows_with_its_two_maps(tmp_path: Path) -> None:
    folder = change_of(tmp_path)
    with open_scene(folder) as scene:
        titles = {name: layer.title for name, layer in scene.layers.items()}
        probability = scene.layers["change-probability"]
        assert isinstance(probability, ValueLayer)
        assert probability.at(*place(20.5, 96.5)) == pytest.approx(0.5)
        assert scene.start == ("map-before", "map")
        assert scene.notes == ()
    assert titles == {
        "map": "Change",
        "change-probability": "Probability of change",
        "map-before": "Map before",
        "map-after": "Map after",
    }
    (tmp_path / "a" / "out" / "map.tif").unlink()
    with open_scene(folder) as scene:
        (note,) = scene.notes
        assert "map-before" not in scene.layers
    assert note.startswith("maps before and after not shown: ")


def test_two_maps_are_compared(tmp_path: Path) -> None:
    one, two = make(tmp_path / "a"), make(tmp_path / "b")
    with open_scene(one, other=two) as scene:
        assert scene.start == ("map", "map-2")
        other = scene.layers["map-2"]
        assert other.path == two / "map.tif"
        assert (scene.layers["map"].title, other.title) == ("Map out", "Map out")
    with (
        pytest.raises(ValueError, match=r"no map\.tif"),
        open_scene(one, other=tmp_path),
    ):
        pass


def test_sizes_of_sets_are_bright_where_there_is_one_class(tmp_path: Path) -> None:
    out = make(tmp_path)
    sizes = np.full(GRID.shape, 1, np.uint8)
    sizes[:, 64:] = 4
    write(out / "set_sizes.tif", sizes, GRID, nodata=255)
    with open_scene(out) as scene:
        layer = scene.layers["set-sizes"]
        assert isinstance(layer, ValueLayer)
        assert layer.words == ("4 classes", "1 class")
        assert layer.ends == (4, 1)
        assert layer.at(*place(20.5, 20.5)) == 1
        assert layer.at(*place(20.5, 96.5)) == 4


def test_classes_that_occur_are_known(tmp_path: Path) -> None:
    out = make(tmp_path)
    with open_scene(out) as scene:
        shown, labels = scene.layers["map"], scene.layers["labels"]
        assert isinstance(shown, ClassLayer)
        assert isinstance(labels, ClassLayer)
        assert shown.present == {3, 10, 42}
        assert labels.present == {10}


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ("file:///etc/{z}/{x}/{y}", "expected https"),
        ("https://server/tiles", "in it"),
        ("https://a/{z}/{x}/{y};script-src *", "semicolon"),
    ],
)
def test_an_address_of_tiles_is_checked(tmp_path: Path, base: str, why: str) -> None:
    with pytest.raises(ValueError, match=why), open_scene(make(tmp_path), base=base):
        pass
