from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.viewer.scene import inside, open_scene
from tests.rasters import utm, write
from tests.viewer.folders import make, place, write_probabilities


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
        pytest.raises(ValueError, match=r"no map\.tif or change\.tif there; give a folder"),
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
