"""A map by a network that takes clouds away: the image without them beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast.geo.arrays import ImageArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, SENTINEL_2_L1C, Sensor
from overcast.geo.raster import Image
from overcast.geo.stack import Stack
from overcast.inputs import open_inputs
from overcast.jobs.mapping import make_map, map_elsewhere
from overcast.maps.matched import matched
from overcast.methods.cloud_free import Restored
from overcast.plan import Data, ImageInput, LabelInput, MaskInput, Plan
from overcast.progress import quiet
from overcast.run import Runs, load_run
from tests.rasters import backscatter, reflectance, utm, write

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

GRID = utm((48, 40))
TINY = {
    "name": "network",
    "model": {"name": "cloudseg", "widths": [4, 4], "looks": 1},
    "recipe": {"name": "cloudseg", "teacher_steps": 1},
    "schedule": {"steps": 2, "warmup": 1},
    "window": 16,
    "batch": 2,
}


def data_in(folder: Path) -> Data:
    """Both images, the optical one under a mask, and two classes."""
    mask = np.zeros(GRID.shape, np.uint8)
    mask[:8] = 1
    codes = np.ones(GRID.shape, np.uint8)
    codes[:, 20:] = 2
    (folder / "legend.csv").write_text("code,name,colour\n1,A,000000\n2,B,ffffff\n")
    files = {
        "s1": write(folder / "s1.tif", backscatter((48, 40)), GRID),
        "s2": write(folder / "s2.tif", reflectance((48, 40)), GRID),
    }
    write(folder / "mask.tif", mask, GRID)
    write(folder / "labels.tif", codes, GRID)
    hidden = MaskInput(path=str(folder / "mask.tif"), hidden=(1,))
    return Data(
        images={
            "s1": ImageInput(path=str(files["s1"]), sensor="sentinel-1"),
            "s2": ImageInput(
                path=str(files["s2"]), sensor="sentinel-2", offset=0, mask=hidden
            ),
        },
        labels=LabelInput(
            path=str(folder / "labels.tif"), legend=str(folder / "legend.csv")
        ),
    )


def test_the_image_without_clouds_comes_with_the_map(tmp_path: Path) -> None:
    data, out = data_in(tmp_path), tmp_path / "out"
    made = make_map(Plan(data=data, method=TINY), out, None, False, quiet)
    assert made.summary["clear"] == str(out / "clear.tif")
    with rasterio.open(out / "clear.tif") as file:
        values, names = file.read(), file.descriptions
        assert (file.crs, file.transform) == (GRID.crs, GRID.affine)
        assert np.isnan(file.nodata)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    stack = open_inputs(data).stack
    assert names == stack.images["s2"].sensor.names
    network = load_run(out / "run")
    wanted = Restored(network, stack).read(GRID).values  # type: ignore[arg-type]
    np.testing.assert_allclose(values, wanted, atol=1e-4)
    assert np.isfinite(values[:, :8]).all()  # Sentinel-1 saw what the mask hides

    plain = {**TINY, "recipe": {"name": "supervised"}}
    plan = Plan(data=data, method=plain)
    untaught = make_map(plan, tmp_path / "plain", None, False, quiet)
    assert "clear" not in untaught.summary

    alone = map_elsewhere(Runs((out,)), data, tmp_path / "again", None, False, quiet)
    assert Path(alone.summary["clear"]).is_file()
    several = Runs((out, out))
    other = map_elsewhere(several, data, tmp_path / "both", None, False, quiet)
    assert "clear" not in other.summary


def stack_of(sensor: Sensor) -> Stack:
    values = np.full((len(sensor.names), 4, 4), 0.1, np.float32)
    image = ImageArray(Image.of(values, GRID[:4, :4], sensor))
    return Stack(grid=GRID[:4, :4], images={"s2": image})


@pytest.mark.parametrize(
    "sensor",
    [SENTINEL_2_L1C, SENTINEL_2.select(("B02", "B03", "B04", "B08")), SENTINEL_1],
    ids=["L1C", "four bands", "another"],
)
def test_another_sensor_or_other_bands_are_refused(sensor: Sensor) -> None:
    learned = {"s2": SENTINEL_2}
    assert matched(stack_of(SENTINEL_2), learned).images.keys() == {"s2"}
    with pytest.raises(
        ValueError, match=r"s2: the run was trained on sentinel-2 .*is "
    ):
        matched(stack_of(sensor), learned)
