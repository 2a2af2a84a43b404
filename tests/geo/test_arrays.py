from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox

from overcast.geo.arrays import ImageArray, LabelArray, from_dataarray
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band, Sensor
from overcast.geo.legend import load_legend
from overcast.geo.raster import UNKNOWN, Image, Labels
from overcast.geo.stack import ImageSource, LabelSource, Stack
from overcast.geo.tiling import Window
from tests.rasters import backscatter, spectra

# odc-geo slices a GeoBox with affine's old operator, which affine 3 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")

UTM = "EPSG:32633"
GRID = GeoBox((24, 30), Affine(10, 0, 500_000, 0, -10, 5_000_000), UTM)
LEGEND = load_legend("simplified-igbp")
PLACE = Sensor("place", "optical", (Band("x", "m", 0, 1), Band("y", "m", 0, 1)))
"""A sensor that measures where it is: easting and northing."""


def centres(grid: GeoBox) -> np.ndarray:
    rows, columns = np.mgrid[: grid.shape[0], : grid.shape[1]] + 0.5
    to = grid.affine  # no rotation in these tests
    return np.stack([to.c + to.a * columns, to.f + to.e * rows])


def places(grid: GeoBox = GRID) -> ImageArray:
    # Relative to the corner, so that float32 holds millimetres.
    values = centres(grid) - np.reshape([500_000, 5_000_000], (2, 1, 1))
    return ImageArray(Image.of(values.astype(np.float32), grid, PLACE))


def classes() -> LabelArray:
    values = (np.arange(24 * 30) % 10).astype(np.uint8).reshape(24, 30)
    return LabelArray(Labels(values=values, grid=GRID, legend=LEGEND))


def shifted(row: int, column: int, shape: tuple[int, int]) -> GeoBox:
    return GeoBox(
        shape, Affine(10, 0, 500_000 + 10 * column, 0, -10, 5_000_000 - 10 * row), UTM
    )


OFFSETS = st.integers(-45, 45)
SIZES = st.integers(1, 40)


@given(OFFSETS, OFFSETS, SIZES, SIZES)
def test_on_one_lattice_pixels_are_the_same_and_unknown_outside(
    row: int, column: int, h: int, w: int
) -> None:
    grid = shifted(row, column, (h, w))
    image, labels = places().read(grid), classes().read(grid)
    rows, columns = np.mgrid[row : row + h, column : column + w]
    inside = (rows >= 0) & (rows < 24) & (columns >= 0) & (columns < 30)
    np.testing.assert_array_equal(image.valid, inside)
    np.testing.assert_array_equal(labels.valid, inside)
    there = (rows[inside], columns[inside])
    np.testing.assert_array_equal(
        image.values[:, inside], places().image.values[(slice(None), *there)]
    )
    np.testing.assert_array_equal(labels.values[inside], classes().labels.values[there])
    assert (labels.values[~inside] == UNKNOWN).all()


def test_values_land_where_they_belong_on_a_finer_shifted_grid() -> None:
    affine = Affine(4, 0, 500_043, 0, -4, 5_000_000 - 51)
    grid = GeoBox((30, 40), affine, UTM)
    image = places().read(grid)
    assert image.valid.all()
    expected = centres(grid) - np.reshape([500_000, 5_000_000], (2, 1, 1))
    np.testing.assert_allclose(image.values, expected, atol=0.01)


def test_labels_on_a_finer_grid_are_those_of_the_cell() -> None:
    affine = Affine(2.5, 0, 500_030, 0, -2.5, 4_999_980)
    labels = classes().read(GeoBox((8, 12), affine, UTM))
    expected = np.kron(classes().labels.values[2:4, 3:6], np.ones((4, 4)))
    np.testing.assert_array_equal(labels.values, expected)


def test_fractions_count_the_classes_of_each_cell() -> None:
    coarse = GeoBox((4, 5), Affine(60, 0, 500_000, 0, -60, 5_000_000), UTM)
    fractions = classes().read_fractions(coarse)
    cell = classes().labels.values[6:12, 12:18]
    expected = np.bincount(cell.ravel(), minlength=10) / 36
    np.testing.assert_allclose(fractions.values[:, 1, 2], expected, atol=1e-6)


@pytest.mark.parametrize("crs", [UTM, "EPSG:32634"])
def test_far_away_there_is_nothing(crs: str) -> None:
    grid = GeoBox((5, 6), Affine(9, 0, 700_003, 0, -9, 5_900_000), crs)
    assert not places().read(grid).valid.any()
    assert not classes().read(grid).valid.any()
    assert not classes().read_fractions(grid).values.any()


def test_pixels_called_invalid_stay_so_whatever_they_hold() -> None:
    valid = np.ones((24, 30), bool)
    valid[5, 6] = False
    values = np.zeros((2, 24, 30), np.float32)
    image = Image(values=values, valid=valid, grid=GRID, sensor=PLACE)
    read = ImageArray(image).read(shifted(4, 4, (3, 3)))
    assert np.argwhere(~read.valid).tolist() == [[1, 2]]
    assert (values == 0).all()


def test_what_is_read_is_no_view_of_the_source() -> None:
    source, labels = places(), classes()
    source.read(GRID).values[:] = 0
    labels.read(GRID).values[:] = 0
    assert source.image.values.any()
    assert labels.labels.values.any()


def test_arrays_are_sources_of_a_stack() -> None:
    image: ImageSource = places()
    labels: LabelSource = classes()
    assert image.blocks == labels.blocks == (1, 1)
    assert labels.legend == LEGEND
    chip = Stack(grid=GRID, images={"at": image}, labels=labels).read(
        Window(2, 3, 4, 5)
    )
    assert chip.labels is not None
    assert chip.labels.values[0, 0] == (2 * 30 + 3) % 10
    assert chip.images["at"].values[:, 0, 0].tolist() == [35, -25]


def dataarray(names: list[str] | None = None) -> xarray.DataArray:
    x, y = centres(GRID)
    array = xarray.DataArray(
        np.zeros((2, 24, 30), np.float32) + np.reshape([0, 1], (2, 1, 1)),
        dims=("band", "y", "x"),
        coords={
            "y": y[:, 0],
            "x": x[0],
            "spatial_ref": xarray.Variable((), 0, {"crs_wkt": CRS(UTM).to_wkt()}),
        },
        name="vv",
    )
    array.values[0, 5, 7] = 0.5
    array.values[1, 2, 3] = np.nan
    return array if names is None else array.assign_coords(band=names)


@pytest.mark.parametrize("dims", list(itertools.permutations(("band", "y", "x"))))
def test_dataarray_dimensions_may_come_in_any_order(dims: tuple[str, ...]) -> None:
    source = from_dataarray(dataarray().transpose(*dims), PLACE).image
    assert source.grid == GRID
    assert source.sensor == PLACE
    image = source.read(GRID)
    assert image.values[:, 0, 0].tolist() == [0, 1]
    assert np.argwhere(~image.valid).tolist() == [[2, 3]]


def test_dataarray_bands_are_matched_by_name() -> None:
    db = dataarray(["Sigma0_VH", "vv"]) * 8 - 18
    source = from_dataarray(db, SENTINEL_1).image
    assert source.read(GRID).values[:, 0, 0].tolist() == [-10, -18]
    with pytest.raises(ValueError, match=r"called vv, HH; expected VH of sentinel-1"):
        from_dataarray(dataarray(["vv", "HH"]), SENTINEL_1)
    with pytest.raises(ValueError, match=r"more than one band is called VV \(VV, vv\)"):
        from_dataarray(dataarray(["VV", "vv"]), SENTINEL_1)


def test_dataarray_in_degrees_with_south_at_the_top() -> None:
    wgs84 = CRS("EPSG:4326").to_wkt()
    array = xarray.DataArray(
        np.arange(24, dtype=np.int16).reshape(3, 4, 2),
        dims=("lat", "lon", "band"),
        coords={"lat": [1.0, 2, 3], "lon": [10.0, 10.5, 11, 11.5]},
        attrs={"grid_mapping": "place"},
    ).assign_coords(place=((), 0, {"spatial_ref": wgs84}))
    source = from_dataarray(array, PLACE).image
    assert source.grid.crs == "EPSG:4326"
    assert source.grid.affine == Affine(0.5, 0, 9.75, 0, 1, 0.5)
    assert source.read(source.grid).values[1, 2].tolist() == [17, 19, 21, 23]


def test_dataarray_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r"array vv has no CRS.*assign_crs"):
        from_dataarray(dataarray().drop_vars("spatial_ref"), PLACE)
    with pytest.raises(ValueError, match="array vv has no regular grid"):
        from_dataarray(dataarray().drop_vars("x"), PLACE)
    for rows in ([0, 1, 3], [0]):
        with pytest.raises(ValueError, match=r"no regular grid.*evenly.* along y"):
            from_dataarray(dataarray().isel(y=rows), PLACE)


def test_dataarray_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dimensions y, x; expected a band"):
        from_dataarray(dataarray().isel(band=0), PLACE)
    with pytest.raises(
        ValueError, match=r"2 bands without names of sentinel-2; expected 10 or"
    ):
        from_dataarray(dataarray(), SENTINEL_2)


def stored_array(
    values: np.ndarray, names: list[str] | None = None
) -> xarray.DataArray:
    grid = GeoBox(values.shape[1:], GRID.affine, GRID.crs)
    x, y = centres(grid)
    array = xarray.DataArray(
        values,
        dims=("band", "y", "x"),
        coords={
            "y": y[:, 0],
            "x": x[0],
            "spatial_ref": xarray.Variable((), 0, {"crs_wkt": CRS(UTM).to_wkt()}),
        },
        name="scene",
    )
    return array if names is None else array.assign_coords(band=names)


LAND = spectra("water", "forest", "crops", "soil", shape=(48, 48))


@pytest.mark.parametrize(
    ("values", "attributes", "says"),
    [
        (LAND, {}, None),
        ((LAND * 1e-4).astype("f4"), {}, None),
        (LAND + 1000, {}, "-1000 was not applied"),
        (LAND + 1000, {"scale_factor": 1e-4, "add_offset": -0.1}, "offset -0.1 taken"),
        ((LAND / 100).astype("f4"), {}, "percent"),
    ],
)
def test_arrays_pass_the_gate_of_files(
    values: np.ndarray, attributes: dict[str, float], says: str | None
) -> None:
    checked = from_dataarray(stored_array(values).assign_attrs(attributes), SENTINEL_2)
    found = checked.image.read(checked.image.grid).values
    np.testing.assert_allclose(found, LAND * 1e-4, atol=1e-6)
    assert (says is None and not checked.notes) or (says or "") in checked.notes[0]


@pytest.mark.parametrize("where", ["attrs", "encoding"])
@pytest.mark.parametrize("key", ["_FillValue", "missing_value", "nodata"])
def test_nodata_of_arrays_is_not_seen(where: str, key: str) -> None:
    values = LAND.copy()
    values[:, :, 30:] = 7777
    array = stored_array(values)
    getattr(array, where)[key] = 7777
    image = from_dataarray(array, SENTINEL_2).image
    valid = image.read(image.grid).valid
    assert not valid[:, 30:].any()
    assert valid[:, :30].all()


def test_arrays_in_power_and_of_other_bands() -> None:
    db = backscatter((48, 48))
    power = stored_array(np.float32(10) ** (db / 10), ["vv", "vh"])
    checked = from_dataarray(power, SENTINEL_1)
    found = checked.image.read(checked.image.grid).values
    np.testing.assert_allclose(found, db, atol=1e-4)
    assert "array scene: linear power" in checked.notes[0]
    amplitude = stored_array(np.float32(10) ** (db / 20))
    with pytest.raises(ValueError, match="array scene: values look like amplitude"):
        from_dataarray(amplitude, SENTINEL_1)
    with pytest.raises(ValueError, match="array scene: its bands are called HH, HV"):
        from_dataarray(power.assign_coords(band=["HH", "HV"]), SENTINEL_1)
    with pytest.raises(ValueError, match=r"look like B12, B11.*assign_coords"):
        from_dataarray(stored_array(LAND[::-1]), SENTINEL_2)
    names = stored_array(LAND[[2, 1, 0, 6]])
    names.attrs["long_name"] = ("red", "green", "blue", "nir")
    assert from_dataarray(names, SENTINEL_2).image.sensor.names == (
        *("B02", "B03", "B04", "B08"),
    )


def test_arrays_are_read_by_window(monkeypatch: pytest.MonkeyPatch) -> None:
    image = from_dataarray(stored_array(LAND), SENTINEL_2).image
    sizes = []
    values = xarray.DataArray.values

    def record(array: xarray.DataArray) -> np.ndarray:
        sizes.append(array.size)
        return values.fget(array)

    monkeypatch.setattr(xarray.DataArray, "values", property(record))
    found = image.read(image.grid[4:10, 5:12])
    assert sizes == [10 * 6 * 7]
    np.testing.assert_allclose(found.values, LAND[:, 4:10, 5:12] * 1e-4, atol=1e-6)
