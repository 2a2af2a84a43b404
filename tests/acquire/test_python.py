"""From a place to a scene in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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
