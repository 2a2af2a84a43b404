"""QGIS opens what overcast writes, with its colours; where QGIS is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.geo.legend import load_legend
from overcast.geo.raster import Labels
from overcast.maps.predict import RawMap
from overcast.product.rasters import write_confidence, write_map
from overcast.product.vector import write_polygons
from overcast.report.quicklook import class_picture, confidence_picture
from tests.product.test_vector import patchy
from tests.rasters import utm

SCRIPT = Path(__file__).parents[2] / "bench" / "open_in_qgis.py"
LEGEND = load_legend("simplified-igbp")
SIDE, GAP = 384, 12


def python_of_qgis() -> str | None:
    """The system's Python, if it can import QGIS."""
    python = shutil.which("python3", path=os.defpath)
    if python is None:
        return None
    test = [python, "-c", "import qgis.core"]
    done = subprocess.run(test, check=False, capture_output=True, env={})
    return python if done.returncode == 0 else None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_colours_and_legend_are_those_of_the_legend(tmp_path: Path) -> None:
    python = python_of_qgis()
    if python is None:
        pytest.skip("needs QGIS (apt-get install qgis python3-qgis)")
    grid, shape = utm((SIDE, SIDE)), (SIDE, SIDE)
    raw = RawMap(tmp_path / "c", tmp_path / "f", shape)
    classes = patchy(shape, 0, len(LEGEND))
    classes.tofile(raw.classes)
    confidence = np.linspace(0, 256, SIDE * SIDE).reshape(shape).round() / 256
    confidence.astype(np.float32).tofile(raw.confidence)
    write_map(raw, grid, LEGEND, tmp_path / "map.tif", {})
    write_confidence(raw, grid, tmp_path / "confidence.tif", {})
    write_polygons(tmp_path / "map.tif", tmp_path / "map.gpkg")
    done = subprocess.run(
        [python, SCRIPT, tmp_path, tmp_path / "picture.png"],
        check=True,
        capture_output=True,
        text=True,
        env={"QT_QPA_PLATFORM": "offscreen"},
    )
    said = json.loads(done.stdout)
    expected = [[c.name, f"#{c.colour.lower()}"] for c in LEGEND.classes]
    assert said["map"] == {"renderer": "paletted", "legend": expected}
    assert said["polygons"] == {"renderer": "categorizedSymbol", "legend": expected}
    assert said["confidence"]["renderer"] == "singlebandpseudocolor"
    with rasterio.open(tmp_path / "picture.png") as picture:
        drawn = picture.read()[:3].transpose(1, 2, 0)
    panels = [
        drawn[GAP : GAP + SIDE, left : left + SIDE].astype(int)
        for left in (GAP + n * (GAP + SIDE) for n in range(3))
    ]
    colours = class_picture(Labels(values=classes, grid=grid, legend=LEGEND))[..., :3]
    assert np.array_equal(panels[0], colours)
    ramp = confidence_picture(confidence.astype(np.float32))[..., :3].astype(int)
    assert np.abs(panels[1] - ramp).max() <= 2
    # Edges of polygons are drawn smoothly; what lies between is as in the raster.
    assert (panels[2] == colours).all(-1).mean() > 0.5
