"""The cloud-free image as a source: units, blocks, windows, and what can't make one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.legend import load_legend
from overcast.geo.raster import Image
from overcast.geo.stack import ImageSource, Stack
from overcast.methods.cloud_free import Restored
from overcast.methods.network import TrainedNetwork
from overcast.models.cloudseg import CloudSegNetwork
from overcast.models.fcn import FCN
from overcast.models.fusion import network_units

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

GRID = GeoBox((300, 290), Affine(10, 0, 500_000, 0, -10, 5_000_000), "EPSG:32633")
SENSORS = {"s1": SENTINEL_1, "s2": SENTINEL_2}


def stack() -> Stack:
    rng = np.random.default_rng(0)
    optical = rng.uniform(0.02, 0.2, (10, 300, 290)).astype(np.float32)
    sar = rng.uniform(-20, -5, (2, 300, 290)).astype(np.float32)
    optical[:, 10:20], sar[:, 15:20] = np.nan, np.nan
    images = {
        "s1": ImageArray(Image.of(sar, GRID, SENTINEL_1)),
        "s2": ImageArray(Image.of(optical, GRID, SENTINEL_2)),
    }
    return Stack(grid=GRID, images=images)


def restored(bias: float = 0.0) -> Restored:
    """Of a network that adds `bias` to every band, in network units."""
    bands = {name: len(sensor.bands) for name, sensor in SENSORS.items()}
    model = CloudSegNetwork(bands, 10, widths=(4, 4), gate=False).eval()
    with torch.no_grad():
        model.remover.last.weight.zero_()
        # What it adds is in the units that its encoders see.
        one, zero = (network_units(torch.tensor(v)) for v in (1.0, 0.0))
        model.remover.last.bias.fill_(bias / float(one - zero))
    legend = load_legend("simplified-igbp")
    device = torch.device("cpu")
    network = TrainedNetwork(model, legend, SENSORS, device, restores=True)
    return Restored(network, stack())


def test_it_is_in_the_units_of_the_sensor() -> None:
    source: ImageSource = restored(0.5)
    assert source.sensor == SENTINEL_2
    found, seen = source.read(GRID), stack().images["s2"].read(GRID)
    high = np.array([b.high for b in SENTINEL_2.bands])[:, None]
    np.testing.assert_allclose(
        found.values[:, seen.valid], seen.values[:, seen.valid] + 0.5 * high, atol=1e-5
    )


def test_it_is_valid_where_any_sensor_saw_something() -> None:
    valid = restored().read(GRID).valid
    assert valid[:15].all()
    assert not valid[15:20].any()
    assert valid[20:].all()


def test_a_window_holds_the_pixels_of_the_whole() -> None:
    source = restored()
    torch.manual_seed(1)
    torch.nn.init.normal_(source.network.model.remover.last.weight)  # type: ignore[union-attr, arg-type]
    whole, part = source.read(GRID), source.read(GRID[240:290, 200:280])
    np.testing.assert_array_equal(part.values, whole.values[:, 240:290, 200:280])
    beyond = source.read(GRID.pad(5)[:20, :20])
    assert not beyond.valid[:5].any()
    np.testing.assert_array_equal(beyond.values[:, 5:, 5:], whole.values[:, :15, :15])


def test_other_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="on the pixels of its stack"):
        restored().read(GRID.zoom_out(2))


def test_not_every_network_takes_clouds_away() -> None:
    model = FCN({"s1": 2, "s2": 10}, 10)
    legend = load_legend("simplified-igbp")
    network = TrainedNetwork(model, legend, SENSORS, torch.device("cpu"))
    with pytest.raises(ValueError, match="FCN takes no clouds away"):
        Restored(network, stack())


def test_a_block_is_as_it_is_whatever_is_read_around_it() -> None:
    """Blocks meet without a seam: each one starts a whole number of strides away."""
    model = restored().network.model
    assert model.halo % model.stride == 0
