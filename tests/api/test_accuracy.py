"""Sample, assess, calibrate, audit and suggest as functions of values."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import xarray

import overcast as oc
from overcast.api.model import Model
from overcast.api.simulate import SimulatedWorld
from overcast.geo.xarrays import legend_of_array
from overcast.map_folder import ITEM
from tests.api.conftest import Files, run

pytestmark = pytest.mark.filterwarnings("ignore:Use .@. matmul")


@pytest.fixture(scope="module")
def model(world: SimulatedWorld) -> Model:
    """Return a quick one."""
    return oc.fit(world.scene, world.labels["modis"], "kmeans")


@pytest.fixture(scope="module")
def result(world: SimulatedWorld, model: Model) -> xarray.Dataset:
    """Return its map."""
    return model.predict(world.scene)


def filled(result: xarray.Dataset, world: SimulatedWorld) -> Any:
    """A sample whose reference is the truth."""
    table = oc.sample(result, 500)
    truth = world.truth.sel(
        x=xarray.DataArray(table["x"]), y=xarray.DataArray(table["y"]), method="nearest"
    )
    table["reference"] = truth.values
    return table


def test_a_filled_sample_estimates_areas(
    result: xarray.Dataset, world: SimulatedWorld
) -> None:
    assessment = oc.assess(result, filled(result, world))
    table = assessment.table.set_index("class")
    hectares = float((result.land_cover != 255).sum()) / 100
    assert table["area_ha"].sum() == pytest.approx(hectares, rel=2e-3)  # UTM
    right = float((result.land_cover == world.truth).mean())
    overall = assessment.scores["estimates"]["overall_accuracy"]
    assert overall["low"] < right < overall["high"]
    assert "Overall accuracy" in assessment._repr_html_()


def test_the_sample_is_that_of_the_command(files: Files, tmp_path: Path) -> None:
    mapped = oc.load(files.mapped).predict(
        oc.scene(s1=files.path("s1"), s2=files.path("s2"))
    )
    ours = oc.sample(mapped, 400)
    out = tmp_path / "sample.csv"
    run("sample", str(files.mapped / "map.tif"), "--size", "400", "--out", str(out))
    theirs = np.genfromtxt(out, delimiter=",", names=True, dtype=None, encoding="utf-8")
    for name in ("id", "x", "y", "stratum", "stratum_pixels"):
        np.testing.assert_allclose(ours[name], theirs[name])
    with pytest.raises(ValueError, match="exists"):
        oc.sample(mapped, 400, out=out)


def test_without_pandas_tables_are_rows(
    result: xarray.Dataset, world: SimulatedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = filled(result, world)
    monkeypatch.setitem(sys.modules, "pandas", None)
    rows = oc.sample(result, 500)
    assert isinstance(rows, list)
    assert rows[0]["x"] == frame["x"][0]
    for row, code in zip(rows, frame["reference"], strict=True):
        row["reference"] = int(code)
    scores = oc.assess(result, rows).scores
    assert scores["overall_accuracy"] == pytest.approx(
        float((frame["reference"] == frame["stratum"]).mean())
    )


def test_an_array_is_a_reference(
    files: Files, result: xarray.Dataset, world: SimulatedWorld
) -> None:
    by_array = oc.assess(result, world.truth)
    by_file = oc.assess(result, files.path("truth"))
    assert by_array.scores == by_file.scores
    assert by_array.scores["overall_accuracy"] == pytest.approx(
        float((result.land_cover == world.truth).mean()), abs=1e-6
    )
    copied = oc.assess(result, world.labels["modis"])
    assert any("learned from" in note for note in copied.notes)


def test_a_calibrated_model_keeps_classes(
    result: xarray.Dataset, model: Model, world: SimulatedWorld
) -> None:
    calibrated = oc.calibrate(model, filled(result, world))
    again = calibrated.predict(world.scene)
    np.testing.assert_array_equal(again.land_cover, result.land_cover)
    right = (again.land_cover == world.truth).values
    errors = [
        abs(float(one.confidence.mean()) - right.mean()) for one in (result, again)
    ]
    assert errors[1] < errors[0]
    assert "overcast_temperature" in again.attrs
    with pytest.raises(ValueError, match="calibrated already"):
        oc.calibrate(calibrated, world.truth)
    with pytest.raises(ValueError, match="larger than the pixels"):
        oc.calibrate(model, world.labels["modis"])


def test_an_audit_says_what_labels_get_wrong(world: SimulatedWorld) -> None:
    audit = oc.audit(world.scene, world.labels["modis"], "kmeans")
    assert 0 < audit.wrong < 1
    table = audit.table.pivot(index="class", columns="label", values="share")
    sums = table.sum(axis=1)
    np.testing.assert_allclose(sums[sums > 0], 1, atol=1e-6)
    assert audit.suspicion.shape == (128, 128)
    assert float(audit.suspicion.max()) <= 1
    assert "Labels wrong on" in audit._repr_html_()


def test_patches_are_those_of_the_command(files: Files, world: SimulatedWorld) -> None:
    scene = oc.scene(s1=files.path("s1"), s2=files.path("s2"))
    table = oc.suggest(scene, 3)
    assert table["order"].tolist() == [1, 2, 3]
    box = scene.grid[table["row"][0] :, table["column"][0] :].extent.boundingbox
    assert (table["left"][0], table["top"][0]) == (box.left, box.top)
    with pytest.raises(ValueError, match="give a smaller side"):
        oc.suggest(world.scene, side=500)


def test_what_is_written_is_what_the_command_writes(
    files: Files, tmp_path: Path
) -> None:
    scene = oc.scene(s1=files.path("s1"), s2=files.path("s2"))
    mapped = oc.load(files.mapped).predict(scene, probabilities=True)
    out = oc.write(mapped, tmp_path / "out")
    for name in ("map.tif", "confidence.tif", "probabilities.tif"):
        with (
            rasterio.open(out / name) as one,
            rasterio.open(files.mapped / name) as two,
        ):
            np.testing.assert_array_equal(one.read(), two.read())
            assert str(one.profile) == str(two.profile)
            assert one.tags()["OVERCAST_MODEL"] == two.tags()["OVERCAST_MODEL"]
    for name in ("map.qml", "confidence.qml", "legend.csv", "map.tif.aux.xml"):
        assert (out / name).read_bytes() == (files.mapped / name).read_bytes()
    assert "Land-cover map" in (out / "report.html").read_text(encoding="utf-8")
    assert oc.load(out).legend == legend_of_array(mapped.land_cover)
    with pytest.raises(ValueError, match="exists"):
        oc.write(mapped, out)
    assert not (out / ".overcast-unfinished").exists()


def test_a_part_is_written_without_a_report(
    result: xarray.Dataset, tmp_path: Path
) -> None:
    part = result.isel(x=slice(10, 50), y=slice(20, 90))
    out = oc.write(part, tmp_path / "part")
    assert not (out / "report.html").exists()
    with rasterio.open(out / "map.tif") as file:
        np.testing.assert_array_equal(file.read(1), part.land_cover)
        assert file.xy(0, 0) == (float(part.x[0]), float(part.y[0]))


def test_a_result_in_memory_has_its_report(
    result: xarray.Dataset, tmp_path: Path
) -> None:
    out = oc.write(result, tmp_path / "out")
    assert (out / "report.html").is_file()
    assert json.loads((out / ITEM).read_text(encoding="utf-8"))["id"]
    with pytest.raises(ValueError, match="result has no confidence"):
        oc.write(result[["land_cover"]], tmp_path / "none")


def test_pictures_need_their_packages(
    result: xarray.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"overcast\[notebook\]"):
        result.overcast.plot()


def test_a_picture_shows_classes_and_confidence(result: xarray.Dataset) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    left, right = result.overcast.plot().axes[:2]
    assert (left.get_title(), right.get_title()) == ("Land cover", "Confidence")
    legend = legend_of_array(result.land_cover)
    assert legend is not None
    colours = {c.code: c.rgb for c in legend.classes}
    shown = left.images[0].get_array()
    assert tuple(shown[64, 64][:3]) == colours[int(result.land_cover[64, 64])]


def test_a_web_map_lies_where_the_scene_does(result: xarray.Dataset) -> None:
    pytest.importorskip("folium", reason="folium is not installed")
    south, west = result.overcast.explore().get_bounds()[0]
    assert -90 < south < 90
    page = result.overcast.explore().get_root().render()
    assert "Land cover" in page
    assert f"{west:.3f}"[:5] in page
