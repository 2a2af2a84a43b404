from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.geo.bands import SENTINEL_1, SENTINEL_2
from overcast.geo.image_file import open_image
from overcast.viewer.layers import (
    ClassLayer,
    ConfidenceLayer,
    composite,
    open_picture,
    open_probabilities,
)
from tests.rasters import backscatter, utm, write
from tests.viewer.folders import (
    GRID,
    LEGEND,
    NODATA,
    codes,
    place,
    write_classes,
    write_probabilities,
)
from tests.viewer.test_tiles import pixels_in, tile_at


def classes(tmp_path: Path) -> ClassLayer:
    path = write_classes(tmp_path / "map.tif", codes(), GRID)
    return ClassLayer("Map", path, LEGEND, NODATA)


def test_classes_have_their_colours(tmp_path: Path) -> None:
    tile = tile_at(*place(48, 64), 14)
    picture = classes(tmp_path).picture(tile)
    assert picture is not None
    column, row = (np.floor(v).astype(int) for v in pixels_in(tile, GRID))
    inside = (row >= 0) & (row < 96) & (column >= 0) & (column < 128)
    expected = np.zeros((*row.shape, 4), np.uint8)
    there = codes()[np.clip(row, 0, 95), np.clip(column, 0, 127)]
    for land in LEGEND.classes:
        expected[inside & (there == land.code)] = (*land.rgb, 255)
    assert (picture == expected).all(-1).mean() > 0.999  # but for pixels on a border
    assert {tuple(c) for c in picture.reshape(-1, 4)} <= {
        (0, 0, 0, 0),
        *((*c.rgb, 255) for c in LEGEND.classes),
    }


@pytest.mark.parametrize(
    ("row", "column", "name"),
    [(20.5, 63.99, "Forest"), (20.5, 64.01, "Water"), (64.01, 9, "Bare <b>rock</b>")],
)
def test_class_at_a_place(tmp_path: Path, row: float, column: float, name: str) -> None:
    found = classes(tmp_path).at(*place(row, column))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("outside", [(4, 4), (-1, 4), (4, 200)])
def test_no_class_in_the_hole_and_outside(
    tmp_path: Path, outside: tuple[int, int]
) -> None:
    assert classes(tmp_path).at(*place(*outside)) is None


def test_a_stray_code_names_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "map.tif", np.full((9, 9), 7, np.uint8), utm((9, 9)))
    layer = ClassLayer("Map", path, LEGEND, NODATA)
    with pytest.raises(ValueError, match=r"map\.tif: codes 7 are not in the legend"):
        layer.picture(tile_at(*place(4, 4), 14))


def test_confidence(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 128, dtype=np.float32) * np.ones((96, 1), np.float32)
    values[:8, :8] = np.nan
    path = write(tmp_path / "confidence.tif", values, GRID, nodata=np.nan)
    layer = ConfidenceLayer("Confidence", path)
    assert layer.at(*place(50.5, 127.5)) == 1
    assert layer.at(*place(50.5, 64.5)) == pytest.approx(64 / 127)
    assert layer.at(*place(4, 4)) is None
    assert layer.at(0, 0) is None
    tile = tile_at(*place(48, 64), 14)
    picture = layer.picture(tile)
    assert picture is not None
    column, row = pixels_in(tile, GRID)
    bright = picture[..., :3].astype(int).sum(-1)
    line = bright[(abs(row - 50) < 0.2) & (column > 0) & (column < 128)]
    assert line[-1] > line[0] + 200
    assert (picture[(row > 1) & (row < 7) & (column > 1) & (column < 7), 3] == 0).all()


def test_an_image_is_stretched_alike_in_every_tile(tmp_path: Path) -> None:
    # Dark in the west and bright in the east, one band of colour at a time.
    values = np.full((10, 96, 128), 500, np.uint16)
    values[2] = np.linspace(100, 3000, 128).astype(np.uint16)  # B04, red
    path = write(tmp_path / "s2.tif", values, GRID)
    layer = open_picture("s2", open_image(path, SENTINEL_2))
    assert layer.kind == "optical"
    assert layer.image.sensor.names == ("B04", "B03", "B02")
    seen: dict[int, list[int]] = {}
    for column in (20, 64, 110):
        tile = tile_at(*place(48, column), 17)
        picture = layer.picture(tile)
        assert picture is not None
        place_, _ = pixels_in(tile, GRID)
        inside = picture[..., 3] == 255
        for x, red in zip(place_[inside], picture[..., 0][inside], strict=True):
            seen.setdefault(int(x), []).append(int(red))
    means = [np.mean(seen[x]) for x in sorted(seen)]
    assert np.all(np.diff(means) >= 0)
    assert means[-1] - means[0] > 150


def test_an_image_is_transparent_where_nothing_was_seen(tmp_path: Path) -> None:
    values = backscatter((96, 128))
    values[:, :, :64] = np.nan
    path = write(tmp_path / "s1.tif", values, GRID, nodata=np.nan)
    layer = open_picture("s1", open_image(path, SENTINEL_1))
    tile = tile_at(*place(48, 64), 14)
    picture = layer.picture(tile)
    assert picture is not None
    column, row = pixels_in(tile, GRID)
    inside = (row > 1) & (row < 95)
    assert (picture[inside & (column < 63), 3] == 0).all()
    assert (picture[inside & (column > 66) & (column < 127), 3] == 255).all()


def test_composite() -> None:
    values = np.arange(10, dtype=np.float32)[:, None]
    assert composite(values[:2], SENTINEL_1).ravel().tolist() == [0, 1, -1]
    three = SENTINEL_2.select(("B08", "B11", "B12"))
    assert composite(values[:3], three).ravel().tolist() == [0, 1, 2]
    one = SENTINEL_2.select(("B08",))
    assert composite(values[:1], one).ravel().tolist() == [0, 0, 0]


def test_probabilities(tmp_path: Path) -> None:
    path = write_probabilities(tmp_path / "probabilities.tif")
    found = open_probabilities(path, LEGEND)
    assert found.at(*place(50, 50)) == pytest.approx([0.5, 0.25, 0.25])
    assert found.at(*place(4, 4)) is None
    assert found.at(0, 0) is None


def test_probabilities_that_are_no_numbers_are_unknown(tmp_path: Path) -> None:
    values = np.full((3, 96, 128), 0.2, np.float32)
    values[:, :, :64] = np.nan
    found = open_probabilities(write(tmp_path / "p.tif", values, GRID), LEGEND)
    assert found.at(*place(50, 100)) == pytest.approx([0.2, 0.2, 0.2])
    assert found.at(*place(50, 50)) is None


def test_probabilities_of_another_legend_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "p.tif", np.zeros((2, 9, 9), np.uint8), utm((9, 9)))
    with pytest.raises(ValueError, match="2 bands, expected one for each of the 3"):
        open_probabilities(path, LEGEND)
