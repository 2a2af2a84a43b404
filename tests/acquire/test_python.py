"""From a place to a scene in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.catalogue.make import source_text
from bench.catalogue.serve import Bed

import overcast as oc


def test_a_place_becomes_a_scene(bed: Bed, box: str, tmp_path: Path) -> None:
    source = tmp_path / "bed.toml"
    source.write_text(source_text(bed.url))
    place = tuple(map(float, box.split(",")))
    out = tmp_path / "data"
    fetched = oc.fetch(place, out, year=2024, source=str(source), dates=1)
    scene = oc.scene(**fetched.clearest)
    assert set(scene.stack.images) == {"s1", "s2"}
    assert scene.grid.shape == tuple(fetched.manifest["grid"]["shape"])
    image = scene.stack.images["s2"].read(scene.grid)
    assert 0 < np.nanmedian(image.values) < 0.5
    bed.asked.clear()
    oc.fetch(place, out, year=2024, source=str(source), dates=1)
    assert bed.asked == []


def asked(bed: Bed, box: str, folder: Path) -> tuple[tuple[float, ...], dict[str, Any]]:
    """A place, and two days of it from a source that asks for a token."""
    source = folder / "bed.toml"
    source.write_text(source_text(bed.url, "token"))
    place = tuple(map(float, box.split(",")))
    return place, {"year": 2024, "source": str(source), "dates": 2}


def test_a_scene_of_a_place_is_read_where_it_is_looked_at(
    bed: Bed, box: str, tmp_path: Path
) -> None:
    """The choice and the pixels of a fetch, and nothing is kept."""
    place, words = asked(bed, box, tmp_path)
    scene = oc.scene(place=place, **words)
    assert set(scene.stack.images) == {
        *("s2@2024-05-12", "s2@2024-09-14", "s1@2024-05-14", "s1@2024-09-11")
    }
    assert "Contains modified Copernicus Sentinel data 2024" in " ".join(scene.notes)
    files = oc.fetch(place, tmp_path / "data", **words).files
    by_hand = oc.scene(
        s1=[files["s1_2024-05-14_desc.tif"], files["s1_2024-09-11_desc.tif"]],
        s2=[files["s2_2024-05-12.tif"], files["s2_2024-09-14.tif"]],
    )
    assert by_hand.grid == scene.grid
    bed.asked.clear()
    part = scene.grid[40:60, 10:60]  # clouds just outside hide pixels at the edge
    for name, image in scene.stack.images.items():
        ours = image.read(part).values
        theirs = by_hand.stack.images[name].read(part).values
        np.testing.assert_allclose(ours, theirs, atol=2e-4)
    assert bed.asked


@pytest.mark.slow
def test_a_map_of_a_scene_of_a_place_says_what_it_is_of(
    bed: Bed, box: str, tmp_path: Path
) -> None:
    place, words = asked(bed, box, tmp_path)
    scene = oc.scene(place=place, **words)
    products = ["worldcover"]
    fetched = oc.fetch(place, tmp_path / "data", products=products, **words)
    cover = fetched.files["labels_worldcover_2021.tif"]
    labels = oc.labels(cover, legend="simplified-igbp")
    model = oc.fit(scene, labels, method="forest", trees=3)
    made = oc.write(model.predict(scene), tmp_path / "out")
    item = json.loads((made / "stac-item.json").read_text())
    assert any("/items/S2A_32UPA_20240914" in k["href"] for k in item["links"])
    assert "of 2024-09-14" in (made / "report.html").read_text()


def test_what_a_scene_of_a_place_can_not_be(bed: Bed, tmp_path: Path) -> None:
    source = tmp_path / "bed.toml"
    source.write_text(source_text(bed.url))
    for said, words in {
        "year: of which place": {"year": 2024},
        "s2: images of a place": {"place": "32UPU", "s2": "a.tif", "year": 2024},
        "s1_units: images of": {"place": "32UPU", "year": 2024, "s1_units": "db"},
        "worldcover is no image": {"place": "32UPU", "products": ["worldcover"]},
    }.items():
        with pytest.raises(ValueError, match=said):
            oc.scene(**words)  # type: ignore[arg-type]
