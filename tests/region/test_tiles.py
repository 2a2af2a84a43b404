"""Tiles of a region are one map; what is done is not done again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from overcast.errors import MachineError
from overcast.geo.lattice import Lattice, cells_of, widened, within
from overcast.geo.quadkeys import quadkeys
from overcast.geo.tiling import Window
from overcast.inputs import open_inputs
from overcast.plan import Windows
from overcast.progress import quiet
from overcast.region.engine import InTurn
from overcast.region.events import Events
from overcast.region.job import RegionOutput, map_region, predict_region
from overcast.region.state import FAILED
from overcast.run import Runs, map_run
from tests.rasters import utm
from tests.region.conftest import Small


def values(path: Path, window: Window | None = None) -> NDArray[np.uint8]:
    with rasterio.open(path) as dataset:
        place = None
        if window is not None:
            place = rasterio.windows.Window(window.x, window.y, window.w, window.h)
        return np.asarray(dataset.read(1, window=place))


@pytest.fixture(scope="module")
def whole(small: Small, tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.uint8]:
    """The nine tiles' place in one map of the whole world, which knows no tiles."""
    folder = tmp_path_factory.mktemp("whole")
    inputs = open_inputs(small.region.plan.data)
    mapped = map_run(Runs((small.run,)), inputs, Windows(), folder, quiet)
    grid = inputs.stack.grid
    box = small.lattice.grid(small.window).boundingbox
    left = round((box.left - grid.affine.c) / 10)
    top = round((grid.affine.f - box.top) / 10)
    return values(mapped, Window(top, left, small.window.h, small.window.w))


def test_tiles_are_the_pixels_of_one_map_of_the_whole(
    small: Small, whole: NDArray[np.uint8]
) -> None:
    mosaic = values(small.out / "map-32632.vrt")
    assert mosaic.shape == (192, 192)
    assert (mosaic != 255).all()
    assert len(np.unique(mosaic)) > 2
    np.testing.assert_array_equal(mosaic, whole)


def test_tiles_of_another_size_have_the_same_pixels(
    small: Small, tmp_path: Path
) -> None:
    larger = replace(small.region, cut=replace(small.region.cut, tiles=128, cell=64))
    predict_region(
        larger, Runs((small.run,)), RegionOutput(tmp_path / "o"), InTurn(), Events()
    )
    with rasterio.open(tmp_path / "o" / "map-32632.vrt") as dataset:
        box = small.lattice.grid(small.window).boundingbox
        place = dataset.window(box.left, box.bottom, box.right, box.top)
        found = dataset.read(1, window=place.round_offsets().round_lengths())
    np.testing.assert_array_equal(found, values(small.out / "map-32632.vrt"))


def test_the_same_command_again_has_nothing_to_do(small: Small) -> None:
    before = {p: p.stat().st_mtime_ns for p in small.out.glob("tiles/*/map.tif")}
    assert len(before) == 9
    summary = map_region(small.region, RegionOutput(small.out), InTurn(), Events())
    assert (summary["made"], summary["nothing_to_do"]) == (0, True)
    assert before == {p: p.stat().st_mtime_ns for p in before}


def test_another_plan_is_refused(small: Small) -> None:
    other = replace(small.region, plan=replace(small.region.plan, seed=1))
    with pytest.raises(ValueError, match="holds a map of another region"):
        map_region(other, RegionOutput(small.out), InTurn(), Events())


def test_what_is_missing_or_changed_is_made_again(small: Small, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(small.out, out)
    names = sorted(path.name for path in (out / "tiles").iterdir())
    shutil.rmtree(out / "tiles" / names[0])
    record = out / "tiles" / names[1] / "tile.json"
    changed = json.loads(record.read_text()) | {"fingerprint": "other"}
    record.write_text(json.dumps(changed))
    lacking = out / "tiles" / names[2] / "tile.json"
    rest = json.loads(lacking.read_text())
    lacking.write_text(json.dumps({k: v for k, v in rest.items() if k != "classes"}))
    (out / "tiles" / f".{names[2]}.part-12345678").mkdir()
    said: list[str] = []
    summary = map_region(
        small.region, RegionOutput(out), InTurn(), Events(say=said.append)
    )
    assert summary["made"] == 3
    events = [json.loads(line) for line in said]
    made = [event["tile"] for event in events if event["event"] == "tile"]
    assert made == names[:3]
    assert all({"time", "level", "event"} <= event.keys() for event in events)
    assert sorted(path.name for path in (out / "tiles").iterdir()) == names
    np.testing.assert_array_equal(
        values(out / "map-32632.vrt"), values(small.out / "map-32632.vrt")
    )


def test_a_tile_that_always_fails_is_written_down_and_the_rest_goes_on(
    small: Small, tmp_path: Path
) -> None:
    out, runs = tmp_path / "out", Runs((small.run,))
    (out / "tiles").mkdir(parents=True)
    shutil.copy(small.out / "region.json", out)
    names = sorted(path.name for path in (small.out / "tiles").iterdir())
    blocked = out / "tiles" / names[4]
    blocked.write_text("a file where a folder should be")
    with pytest.raises(MachineError, match="1 of 9 tiles failed"):
        predict_region(
            small.region, runs, RegionOutput(out, overwrite=True), InTurn(0), Events()
        )
    (failed,) = map(json.loads, (out / FAILED).read_text().splitlines())
    assert failed["tile"] == names[4]
    assert failed["error"]
    assert len(list(out.glob("tiles/*/map.tif"))) == 8
    blocked.unlink()
    summary = predict_region(small.region, runs, RegionOutput(out), InTurn(), Events())
    assert summary["made"] == 1
    assert not (out / FAILED).exists()


def test_mosaic_json_names_every_tile(small: Small) -> None:
    tree = json.loads((small.out / "mosaic.json").read_text())
    named = {path for paths in tree["tiles"].values() for path in paths}
    assert len(named) == 9
    assert all((small.out / path).is_file() for path in named)


def test_a_lattice_is_that_of_an_image_and_has_no_corner() -> None:
    grid = utm(east=600_003, north=5_300_004)
    lattice = Lattice.along(grid)
    assert (lattice.left, lattice.top) == (3, 10_000_004)
    box = grid.boundingbox
    window = lattice.around((box.left, box.bottom, box.right, box.top))
    assert window == Window(470_000, 60_000, 64, 64)
    assert lattice.grid(window) == grid
    assert lattice.grid(widened(window, 2))[2:-2, 2:-2] == grid


def test_cells_lie_at_multiples_whatever_is_cut() -> None:
    one = cells_of(Window(-8, 0, 16, 16), 8)
    assert one[0] == Window(-8, 0, 8, 8)
    assert set(cells_of(Window(0, 8, 8, 8), 8)) <= set(one)
    assert sum(c.h * c.w for c in cells_of(Window(3, 5, 20, 30), 8)) == 600


def test_a_window_within_another() -> None:
    assert within(Window(0, 0, 4, 4), Window(2, -1, 9, 3)) == Window(2, 0, 2, 2)
    assert within(Window(0, 0, 4, 4), Window(4, 0, 9, 9)) is None
    assert within(Window(0, 0, 4, 4), None) == Window(0, 0, 4, 4)


def test_quadkeys_are_those_of_the_web() -> None:
    # The example of Bing's tile system: column 3, row 5 at level 3 is "213".
    assert quadkeys((-44.0, -50.0, -43.5, -49.5), 3) == ["213"]
    assert quadkeys((-1.0, -1.0, 1.0, 1.0), 1) == ["0", "1", "2", "3"]
