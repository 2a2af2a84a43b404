"""A model in Python makes the map that the command makes, and is its run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray

import overcast as oc
from overcast.api import result as results
from overcast.api.model import Model
from overcast.api.simulate import SimulatedWorld
from tests.api.conftest import CLUSTERS, Files, run

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")


def scene_of(files: Files) -> oc.Scene:
    return oc.scene(s1=files.path("s1"), s2=files.path("s2"))


@pytest.fixture(scope="module")
def model(files: Files) -> Model:
    """Return what the default method learns from the files."""
    labels = oc.labels(files.path("labels"), legend="simplified-igbp")
    return oc.fit(scene_of(files), labels, clusters=CLUSTERS)


@pytest.fixture(scope="module")
def result(files: Files, model: Model) -> xarray.Dataset:
    """Return the map of it."""
    return model.predict(scene_of(files), probabilities=True)


def test_the_map_is_that_of_the_command(files: Files, result: xarray.Dataset) -> None:
    with rasterio.open(files.mapped / "map.tif") as file:
        np.testing.assert_array_equal(result.land_cover, file.read(1))
        assert result.attrs["overcast_model"] == file.tags()["OVERCAST_MODEL"]
    with rasterio.open(files.mapped / "confidence.tif") as file:
        np.testing.assert_array_equal(result.confidence, file.read(1))
    with rasterio.open(files.mapped / "probabilities.tif") as file:
        steps = np.rint(result.probabilities.values * 254)
        np.testing.assert_array_equal(steps, file.read())


def test_it_says_what_codes_mean_and_where_it_lies(
    files: Files, result: xarray.Dataset
) -> None:
    cover = result.land_cover
    assert cover.attrs["flag_values"].tolist() == list(range(1, 11))
    assert cover.attrs["flag_meanings"].split()[7] == "Snow_Ice"
    assert cover.dtype == np.uint8
    with rasterio.open(files.mapped / "map.tif") as file:
        spatial = result.spatial_ref.attrs
        assert rasterio.crs.CRS.from_wkt(spatial["crs_wkt"]) == file.crs
        numbers = [float(n) for n in spatial["GeoTransform"].split()]
        assert numbers == list(file.transform.to_gdal())
        assert (float(result.x[3]), float(result.y[5])) == file.xy(5, 3)
    assert list(result.coords["class"].values)[:2] == ["Forest", "Shrubland"]


def test_its_attributes_can_be_written_to_netcdf(result: xarray.Dataset) -> None:
    everything = [result, *result.variables.values()]
    for one in everything:
        for value in one.attrs.values():
            assert isinstance(value, str | float | np.ndarray | np.generic), value


def test_a_saved_model_maps_with_the_command(
    files: Files, model: Model, tmp_path: Path
) -> None:
    run_folder = model.save(tmp_path / "run")
    run(
        *("predict", str(run_folder), "--s1", files.path("s1")),
        *("--s2", files.path("s2"), "--out", str(tmp_path / "out")),
    )
    with (
        rasterio.open(tmp_path / "out" / "map.tif") as one,
        rasterio.open(files.mapped / "map.tif") as other,
    ):
        np.testing.assert_array_equal(one.read(1), other.read(1))
    with pytest.raises(ValueError, match="exists; give overwrite=True"):
        model.save(run_folder)
    model.save(run_folder, overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="no run, so it is not replaced"):
        model.save(tmp_path / "mine", overwrite=True)


def test_a_run_of_the_command_loads(files: Files, result: xarray.Dataset) -> None:
    loaded = oc.load(files.mapped)
    again = loaded.predict(scene_of(files), probabilities=True)
    xarray.testing.assert_identical(again, result)
    with pytest.raises(ValueError, match="no run"):
        oc.load(files.folder)


def test_arrays_make_it_too(
    files: Files, world: SimulatedWorld, result: xarray.Dataset
) -> None:
    model = oc.fit(world.scene, world.labels["modis"], clusters=CLUSTERS)
    mapped = model.predict(world.scene)
    # Files hold reflectance in steps of 1/10,000, so does the world.
    assert float((mapped.land_cover == result.land_cover).mean()) > 0.999
    saved = model.save(files.folder / "in-memory")
    again = oc.load(saved).predict(world.scene)
    np.testing.assert_array_equal(again.land_cover, mapped.land_cover)
    assert "ARRAY:s2" in (saved / "plan.yaml").read_text()


def test_a_large_map_stays_in_files(
    files: Files,
    model: Model,
    result: xarray.Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "LARGEST_IN_MEMORY", 0)
    large = model.predict(scene_of(files), probabilities=True)
    xarray.testing.assert_identical(large, result)
    assert isinstance(large.confidence.data.base, np.memmap | __import__("mmap").mmap)


def test_wrong_images_and_settings_are_refused(
    world: SimulatedWorld, model: Model
) -> None:
    with pytest.raises(ValueError, match="s1 was not given"):
        model.predict(oc.scene(s2=world.images["s2"]))
    more = {"again": (world.images["s2"], "sentinel-2")}
    images = {name: world.images[name] for name in ("s1", "s2")}
    with pytest.raises(ValueError, match="again: given, and not read"):
        model.predict(oc.scene(**images, image=more))
    with pytest.raises(ValueError, match="did you mean clusters"):
        oc.fit(world.scene, world.labels["modis"], cluster=3)
    with pytest.raises(ValueError, match="no 'forrest' in methods"):
        oc.fit(world.scene, world.labels["modis"], "forrest")


def test_html_names_classes_and_notes(model: Model) -> None:
    page = model._repr_html_()
    assert "Snow/Ice" in page
    assert "fewer than 12)" in page
    assert repr(model) == (
        "<overcast.Model weak: s1, s2 to 10 classes of simplified-igbp>"
    )
