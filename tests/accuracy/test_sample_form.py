"""A form goes out and comes back: with it, the design that it was drawn by."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

from overcast.accuracy.area import StratifiedSample
from overcast.accuracy.design import allocate, count_classes, draw
from overcast.accuracy.sample_form import (
    is_form,
    read_sample,
    refuse_moved,
    weights_of,
    write_form,
)
from overcast.geo.arrays import LabelArray
from overcast.geo.legend import load_legend
from overcast.geo.overlay import classes_under
from overcast.geo.raster import Labels
from overcast.geo.vectors import Features, read_features
from tests.rasters import utm

LEGEND = load_legend("simplified-igbp")


def mapped() -> LabelArray:
    random = np.random.default_rng(0)
    values = random.choice(np.uint8([0, 4, 6]), (90, 80), p=[0.7, 0.25, 0.05])
    return LabelArray(Labels(values=values, grid=utm((90, 80)), legend=LEGEND))


@pytest.fixture(params=[".gpkg", ".csv"])
def form(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    source, path = mapped(), tmp_path / f"form{request.param}"
    pixels = count_classes(source)
    drawn = draw(source, pixels, allocate(pixels, 200), seed=1)
    write_form(path, source, drawn, pixels, {"seed": "1"})
    return path


def test_a_form_lies_on_the_pixels_it_was_drawn_from(form: Path) -> None:
    points, source = read_features(form), mapped()
    assert is_form(points)
    found = classes_under(source, points)
    assert [str(LEGEND.codes[k]) for k in found] == list(points.columns["stratum"])
    assert [LEGEND.names[k] for k in found] == list(points.columns["stratum_name"])
    assert set(points.columns["reference"]) == {""}


def test_a_form_knows_its_design(form: Path) -> None:
    points, source = read_features(form), mapped()
    found = classes_under(source, points)
    sample = read_sample(points, found, found, LEGEND)
    shares = count_classes(source) / source.labels.values.size
    np.testing.assert_allclose(sample.areas.value, shares, atol=1e-12)
    assert sample.taken.sum() == 200
    assert sample.pixels.sum() == 90 * 80


def test_weights_add_up_to_the_map(form: Path) -> None:
    points, source = read_features(form), mapped()
    found = classes_under(source, points)
    judged = np.where(np.arange(200) % 7 == 0, np.uint8(255), found)
    weights = weights_of(points, judged)
    assert (weights[judged == 255] == 0).all()
    pixels = count_classes(source)
    for k in (0, 4, 6):
        assert weights[found == k].sum() == pytest.approx(pixels[k])


def without(path: Path, stratum: str) -> Features:
    with path.open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["stratum_name"] != stratum]
    shorter = path.with_name("shorter.csv")
    with shorter.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return read_features(shorter)


@pytest.mark.parametrize("form", [".csv"], indirect=True)
def test_deleted_rows_are_noticed(form: Path) -> None:
    points = without(form, "Forest")
    found = classes_under(mapped(), points)
    with pytest.raises(ValueError, match="rows were deleted"):
        read_sample(points, found, found, LEGEND)


@pytest.mark.parametrize("form", [".csv"], indirect=True)
def test_a_stratum_that_nobody_judged_is_named(form: Path) -> None:
    points, unknown = read_features(form), np.uint8(255)
    found = classes_under(mapped(), points)
    rare = np.where(found == 6, unknown, found)
    code = LEGEND.codes[6]
    with pytest.raises(ValueError, match=rf"form\.csv: stratum {code} has 0 points"):
        read_sample(points, found, rare, LEGEND)


def rewritten(path: Path, change: Callable[[list[dict[str, str]]], None]) -> Features:
    """The form of a CSV with changed rows."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    other = path.with_name("other.csv")
    with other.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return read_features(other)


def shifted(by: float, *rows: int) -> Callable[[Features], Features]:
    """Points of some rows moved by metres."""

    def change(points: Features) -> Features:
        places = shapely.get_coordinates(points.shapes)
        places[list(rows) or slice(None)] += by
        return replace(points, shapes=shapely.points(places))

    return change


@pytest.mark.parametrize("form", [".gpkg"], indirect=True)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            shifted(5000),
            "200 of 200 points lie outside of the map, the first in row 1;",
        ),
        (
            shifted(5000, 6),
            "1 of 200 points lie outside of the map, the first in row 7;",
        ),
        (shifted(-1e300, 6, 9), "2 of 200 points lie outside of the map"),
        (shifted(30, 100), "not where their lon and lat say .* in row 101 by 3 pixels"),
        (shifted(5.5, 100), "1 of 200 points are not where their lon and lat"),
    ],
)
def test_points_that_were_moved_are_refused(
    form: Path, change: Callable[[Features], Features], says: str
) -> None:
    points = read_features(form)
    refuse_moved(points, mapped().grid)
    refuse_moved(shifted(4.5)(points), mapped().grid)
    with pytest.raises(ValueError, match=says) as error:
        refuse_moved(change(points), mapped().grid)
    assert str(error.value).startswith(f"{form}: ")


@pytest.mark.parametrize("form", [".gpkg"], indirect=True)
def test_columns_of_degrees_that_say_nothing_are_passed_over(form: Path) -> None:
    points = shifted(30, 3)(read_features(form))
    empty = {**points.columns, "lon": ["east"] * 200}
    refuse_moved(replace(points, columns=empty), mapped().grid)


def sampled(points: Features) -> StratifiedSample:
    found = classes_under(mapped(), points)
    return read_sample(points, found, found, LEGEND)


def pixels_of(value: str) -> Callable[[list[dict[str, str]]], None]:
    def change(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["stratum_pixels"] = value

    return change


def twice(rows: list[dict[str, str]]) -> None:
    rows += [dict(row) for row in rows]


def renumbered(rows: list[dict[str, str]]) -> None:
    rows += [{**row, "id": str(k + 201)} for k, row in enumerate(list(rows))]


def thinned(rows: list[dict[str, str]]) -> None:
    del rows[3:5]


def ended(rows: list[dict[str, str]]) -> None:
    """The last rows of the sample are gone, which leaves no gap in the numbers."""
    del rows[-3:]


def ended_without_counts(rows: list[dict[str, str]]) -> None:
    ended(rows)
    for row in rows:
        row.pop("stratum_points")


def as_points(rows: list[dict[str, str]]) -> None:
    for row in rows:
        for name in [n for n in row if n.startswith("stratum")]:
            row.pop(name)


def halved(rows: list[dict[str, str]]) -> None:
    for row in rows:
        if row["stratum"] == "1":
            row["stratum_pixels"] = str(int(row["stratum_pixels"]) // 2)


def unnamed(rows: list[dict[str, str]]) -> None:
    rows[6]["stratum"] = ""


@pytest.mark.parametrize("form", [".csv"], indirect=True)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (pixels_of("0"), "row 1 has stratum_pixels 0, expected a whole number"),
        (pixels_of("-5"), "row 1 has stratum_pixels -5, expected a whole number"),
        (pixels_of("nan"), "row 1 has stratum_pixels nan, expected a whole number"),
        (pixels_of("1e400"), "row 1 has stratum_pixels inf, expected a whole number"),
        (pixels_of("2.5"), "row 1 has stratum_pixels 2.5, expected a whole number"),
        (pixels_of("many"), "stratum_pixels has a text that is no number"),
        (pixels_of("7200"), "stratum_share .* another share of all"),
        (twice, "rows 1 and 201 have the same place"),
        (renumbered, "rows 1 and 201 have the same place"),
        (ended, r"stratum \d+ has \d+ of its \d+ points; rows were deleted or added"),
        (thinned, "2 points are missing, the first with the id 4"),
        (halved, "another share of all"),
        (unnamed, "row 7 has no stratum"),
    ],
)
def test_an_altered_form_is_refused(
    form: Path, change: Callable[[list[dict[str, str]]], None], says: str
) -> None:
    points = rewritten(form, change)
    with pytest.raises(ValueError, match=says) as error:
        sampled(points)
    assert "other.csv" in str(error.value)


@pytest.mark.parametrize("form", [".csv"], indirect=True)
def test_forms_without_counts_may_lose_their_end_unnoticed(form: Path) -> None:
    whole = sampled(read_features(form))
    assert sampled(rewritten(form, ended_without_counts)).taken.sum() == (
        whole.taken.sum() - 3
    )


@pytest.mark.parametrize("form", [".csv"], indirect=True)
def test_a_form_without_its_design_is_ordinary_points(form: Path) -> None:
    points = rewritten(form, as_points)
    assert not is_form(points)
    assert len(points.shapes) == 200


def resaved(path: Path, name: str, driver: str, kind: str, crs: str) -> Features:
    """The form as another program saves it."""
    points = read_features(path)
    shapes = points.to_crs(crs)
    if kind == "MultiPoint":
        shapes = np.array([shapely.MultiPoint([shape]) for shape in shapes], object)
    names = [n.lower() for n in points.columns]
    values = [np.array(list(texts), object) for texts in points.columns.values()]
    if driver == "ESRI Shapefile":
        names = [n[:10] for n in names]
    other = path.with_name(name)
    pyogrio.raw.write(
        other,
        shapely.to_wkb(shapes),
        values,
        np.array(names, object),
        driver=driver,
        geometry_type=kind,
        crs=crs,
    )
    return read_features(other)


@pytest.mark.parametrize("form", [".gpkg"], indirect=True)
@pytest.mark.parametrize("kind", ["Point", "MultiPoint"])
@pytest.mark.parametrize(
    ("name", "driver", "crs"),
    [
        ("a.shp", "ESRI Shapefile", "EPSG:32632"),
        ("a.geojson", "GeoJSON", "EPSG:4326"),
        ("b.gpkg", "GPKG", "EPSG:3857"),
    ],
)
def test_a_form_keeps_its_design_in_other_formats(
    form: Path, name: str, driver: str, crs: str, kind: str
) -> None:
    points = resaved(form, name, driver, kind, crs)
    assert is_form(points)
    own, again = sampled(read_features(form)), sampled(points)
    np.testing.assert_array_equal(again.pixels, own.pixels)
    np.testing.assert_array_equal(again.taken, own.taken)


@pytest.mark.parametrize("form", [".csv"], indirect=True)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_a_form_keeps_its_design_in_a_spreadsheet(form: Path, encoding: str) -> None:
    with form.open(newline="") as file:
        rows = list(csv.reader(file))
    lines = [";".join(cell.replace(".", ",") for cell in row) for row in rows]
    other = form.with_name("excel.csv")
    other.write_text("\n".join(lines) + "\n", encoding=encoding)
    points = read_features(other)
    assert is_form(points)
    own, again = sampled(read_features(form)), sampled(points)
    np.testing.assert_array_equal(again.pixels, own.pixels)
    np.testing.assert_array_equal(again.taken, own.taken)


def test_parts_of_a_form_are_refused() -> None:
    place = shapely.points([8.0], [47.0])
    columns = {"reference": ["1"], "stratum": ["1"], "stratum_pixels": ["9"]}
    part = Features(Path("p.csv"), place, columns, "EPSG:4326")
    with pytest.raises(ValueError, match=r"p\.csv: a sample .* stratum_share, which"):
        is_form(part)
    assert not is_form(
        Features(Path("p.csv"), place, {"reference": ["1"]}, "EPSG:4326")
    )
