"""Which part of a grid others cover: cut, turned, across 180 degrees and at a pole."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from overcast.geo.coverage import common_grid, share_of
from overcast.geo.warp import around, overlap, pixel_of, warp_classes
from tests.rasters import utm

# Easting of 180 degrees at 60 degrees north is 667295 in zone 60, 332705 in zone 1.
WEST = utm((200, 200), east=666_300, north=6_660_000, zone=60)
EAST = utm((200, 200), east=331_700, north=6_660_000, zone=1)


def degrees(left: float, top: float, shape: tuple[int, int], size: float) -> GeoBox:
    return GeoBox(shape, Affine(size, 0, left, 0, -size, top), "EPSG:4326")


WORLDS = {
    "-180..180": degrees(-180, 85, (1700, 3600), 0.1),
    "0..360": degrees(0, 85, (1700, 3600), 0.1),
    "170..190": degrees(170, 85, (1700, 200), 0.1),
}


@pytest.mark.parametrize("scene", [WEST, EAST], ids=["zone 60", "zone 1"])
@pytest.mark.parametrize("name", WORLDS)
def test_labels_of_the_world_cover_a_scene_across_180(scene: GeoBox, name: str) -> None:
    source = WORLDS[name]
    assert common_grid(scene, {"labels": source}) == scene
    assert share_of(scene, source) == 1


@pytest.mark.parametrize("width", [200, 20_000])
@pytest.mark.parametrize("name", WORLDS)
def test_they_are_read_right_on_both_sides(name: str, width: int) -> None:
    """Columns west and east of 180 have classes of their own, also far from it."""
    source = WORLDS[name]
    scene = utm(
        (2, 200), east=667_295 - 5 * width, size=width // 20, zone=60, north=6_655_205
    )
    columns = np.arange(source.shape[1], dtype=np.uint8) % 13
    values = np.broadcast_to(columns, source.shape).astype(np.uint8)
    spans = overlap(source, scene)
    assert spans is not None
    read = warp_classes(np.ascontiguousarray(values[spans]), source[spans], scene)
    x, y = scene.affine @ tuple(np.meshgrid(np.arange(200) + 0.5, np.arange(2) + 0.5))
    longitude = _longitude(x, y) % 360
    assert (longitude < 180).any()
    assert (longitude > 180).any()
    left = source.affine.c % 360
    column = np.floor((longitude - left) % 360 / 0.1 + 1e-9).astype(int)
    border = np.abs((longitude - left) % 360 / 0.1 % 1) < 1e-2
    assert np.array_equal(read[~border], columns[column[~border]])
    assert np.array_equal(pixel_of(source, scene)[1][~border], column[~border])


def _longitude(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    from pyproj import Transformer

    return Transformer.from_crs(32660, 4326, always_xy=True).transform(x, y)[0]


def test_labels_that_end_at_180_cut_the_scene() -> None:
    source = degrees(170, 70, (2000, 1000), 0.01)
    cut = common_grid(WEST, {"labels": source})
    # Pixels east of 180 degrees lie right of column 99.5, and farther up of 96.
    assert cut.shape[1] in range(80, 101) or cut.shape[0] < 200
    assert share_of(WEST, source) == pytest.approx(0.416, abs=0.01)


@pytest.mark.parametrize("left", [-180, -180.05])
def test_degrees_counted_from_another_meridian_are_refused(left: float) -> None:
    image = degrees(179.9, 60.1, (200, 2000), 0.0001)
    world = degrees(left, 90, (1800, 3600), 0.1)
    with pytest.raises(ValueError, match=r"labels.tif: its longitudes are -180"):
        common_grid(image, {"labels.tif": world})
    same = degrees(170, 90, (1800, 200), 0.1)
    assert common_grid(image, {"labels.tif": same}) == image


def test_a_pole_is_refused_in_words() -> None:
    polar = GeoBox(
        (200, 200), Affine(1000, 0, -100_000, 0, -1000, 100_000), "EPSG:3413"
    )
    with pytest.raises(ValueError, match=r"labels.tif: its CRS EPSG:4326 .* at a pole"):
        common_grid(polar, {"labels.tif": degrees(-180, 90, (3600, 7200), 0.05)})


def test_turns_only_what_lies_in_the_grid_then() -> None:
    longitude = np.array([-179.5, 179.5, -100.0, 10.0])
    assert around(longitude, degrees(170, 70, (10, 20), 1)).tolist() == [
        180.5,
        179.5,
        -100,
        10,
    ]
    assert around(longitude, WORLDS["-180..180"]).tolist() == longitude.tolist()


def test_shares_of_parallel_and_turned_grids() -> None:
    grid = utm((100, 100))
    assert share_of(grid, utm((100, 50))) == 0.5
    assert share_of(grid, utm((10, 10), size=100, east=600_500)) == 0.5
    assert share_of(grid, utm(east=700_000)) == 0
    # A square turned by 45 degrees about the centre covers half of its own outline.
    turned = GeoBox(
        (100, 100),
        Affine.translation(600_500, 5_299_500)
        * Affine.rotation(45)
        * Affine.scale(10 / 2**0.5, -10 / 2**0.5)
        * Affine.translation(-50, -50),
        "EPSG:32632",
    )
    assert share_of(grid, turned) == pytest.approx(0.5, abs=0.01)
    assert common_grid(grid, {"turned": turned}).shape == (100, 100)
