"""Labels drawn as polygons or set as points, from the file to the map and the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from click.testing import CliRunner

from overcast.cli import program
from overcast.geo.overlay import lay
from overcast.geo.raster import UNKNOWN
from overcast.geo.vectors import Features
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.scoring import on_labels
from overcast.plan import Data, ImageInput, LabelInput, read_plan
from overcast.viewer.scene import open_scene
from tests.rasters import reflectance, utm, write

GRID = utm((32, 32))
LEGEND = "code,name,colour\n1,Wood,000000\n2,Field,ffffff\n"
SQUARES = (shapely.box(0, 0, 80, 80), shapely.box(200, 160, 320, 320))
POINTS = (shapely.Point(5, 5), shapely.Point(315, 311))


def draw(
    path: Path, shapes: Sequence[Any], classes: Sequence[Any], column: str = "class"
) -> Path:
    """Write shapes, in metres right of and below the corner of `GRID`."""
    placed = shapely.transform(
        list(shapes), lambda xy: xy * (1, -1) + (600_000, 5_300_000)
    )
    kind = "Point" if isinstance(shapes[0], shapely.Point) else "Polygon"
    values = np.array(classes, object if isinstance(classes[0], str) else np.int32)
    pyogrio.raw.write(
        path,
        shapely.to_wkb(placed),
        [values],
        np.array([column], object),
        geometry_type=kind,
        crs="EPSG:32632",
    )
    return path


def opened(folder: Path, labels: Path, **how: Any) -> Inputs:
    s2 = write(folder / "s2.tif", reflectance((32, 32)), GRID)
    (folder / "legend.csv").write_text(LEGEND)
    given = LabelInput(path=str(labels), legend=str(folder / "legend.csv"), **how)
    image = ImageInput(path=str(s2), sensor="sentinel-2", offset=0)
    return open_inputs(Data(images={"s2": image}, labels=given))


@pytest.mark.parametrize("classes", [("Wood", "Field"), (1, 2)])
def test_polygons_are_labels_of_the_pixels_in_them(
    tmp_path: Path, classes: tuple[Any, Any]
) -> None:
    inputs = opened(tmp_path, draw(tmp_path / "drawn.gpkg", SQUARES, classes))
    labels, grid = inputs.stack.labels, inputs.stack.grid
    assert labels is not None
    assert grid.shape == (32, 32)
    expected = np.full((32, 32), UNKNOWN, np.uint8)
    expected[:8, :8] = 0
    expected[16:, 20:] = 1
    np.testing.assert_array_equal(labels.read(grid).values, expected)


def test_points_are_labels_of_the_pixels_under_them(tmp_path: Path) -> None:
    path = draw(tmp_path / "p.geojson", POINTS, ("Wood", "Field"), "kind")
    inputs = opened(tmp_path, path, column="kind")
    labels, grid = inputs.stack.labels, inputs.stack.grid
    assert labels is not None
    values = labels.read(grid).values
    assert (values[0, 0], values[31, 31], (values == UNKNOWN).sum()) == (0, 1, 1022)


def test_rows_without_a_class_are_passed_over(tmp_path: Path) -> None:
    both = (*SQUARES, SQUARES[0])
    one = draw(tmp_path / "drawn.gpkg", SQUARES, ("Wood", "Field"))
    two = draw(tmp_path / "more.gpkg", both, ("Wood", "Field", ""))
    points = draw(tmp_path / "p.gpkg", (*POINTS, POINTS[0]), ("Wood", "Field", ""))
    stacks = [opened(tmp_path, path).stack for path in (one, two, points)]
    found = [s.labels.read(s.grid).values for s in stacks if s.labels is not None]
    np.testing.assert_array_equal(found[0], found[1])
    assert found[2][0, 0] == 0


def test_what_was_drawn_anew_is_another_input(tmp_path: Path) -> None:
    path = draw(tmp_path / "drawn.gpkg", SQUARES, ("Wood", "Field"))
    one = opened(tmp_path, path).fingerprint
    path.unlink()
    draw(path, [*SQUARES, shapely.box(100, 0, 150, 50)], ("Wood", "Field", "Wood"))
    assert opened(tmp_path, path).fingerprint != one


def test_refusals(tmp_path: Path) -> None:
    path = draw(tmp_path / "drawn.gpkg", SQUARES, ("Wood", "Moor"))
    with pytest.raises(ValueError, match="row 2 has class 'moor', which is neither"):
        opened(tmp_path, path)
    with pytest.raises(ValueError, match="no column 'kind'; it has class"):
        opened(tmp_path, path, column="kind")
    with pytest.raises(ValueError, match="features have no nodata"):
        opened(tmp_path, path, nodata=0)
    away = draw(tmp_path / "a.gpkg", [shapely.box(900, 0, 990, 90)], ["Wood"])
    with pytest.raises(ValueError, match="no feature with a class has a pixel"):
        opened(tmp_path, away)
    away = draw(tmp_path / "p.gpkg", [shapely.Point(900, 0)], ["Wood"])
    with pytest.raises(ValueError, match="no feature with a class has a pixel"):
        opened(tmp_path, away)
    raster = write(tmp_path / "labels.tif", np.ones((32, 32), np.uint8), GRID)
    with pytest.raises(ValueError, match="a raster has no column kind"):
        opened(tmp_path, raster, column="kind")


def test_a_map_of_drawn_labels(tmp_path: Path) -> None:
    path = draw(tmp_path / "drawn.gpkg", SQUARES, ("Wood", "Field"), "kind")
    opened(tmp_path, path, column="kind")
    given = ["map", "--s2", "s2.tif", "--s2-offset", "0", "--labels", "drawn.gpkg"]
    given += ["--labels-column", "kind", "--legend", "legend.csv"]
    given += ["--method", "forest", "--set", "trees=2", "--out", "out"]
    named = {"s2.tif", "drawn.gpkg", "legend.csv", "out"}
    args = [str(tmp_path / a) if a in named else a for a in given]
    made = CliRunner().invoke(program, args)
    assert made.exit_code == 0, made.output
    plan = read_plan(tmp_path / "out" / "run" / "plan.yaml")
    assert plan.data.labels is not None
    assert plan.data.labels.column == "kind"
    inputs = open_inputs(plan.data)
    labels = inputs.stack.labels
    assert labels is not None
    # As a reference of what was learned from them, they can't judge.
    assert list(on_labels(labels, [plan.data], inputs.stack.grid))
    elsewhere = utm((32, 32), east=700_000)
    outline = np.array([shapely.box(*elsewhere.extent.boundingbox.bbox)])
    features = Features(path, outline, {}, "EPSG:32632")
    away = lay(features, np.uint8([1]), labels.legend, elsewhere)
    assert not list(on_labels(away, [plan.data], elsewhere))
    with open_scene(tmp_path / "out") as scene:
        assert scene.notes == ()
        assert scene.layers["labels"].kind == "classes"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--labels-nodata", "0"), ("0", 200)),
        (("--labels-nodata", "0,99"), ("99", 200)),
        (("--labels-nodata", "0", "--labels-nodata", "99"), ("99", 200)),
        (("--labels-nodata", "zero"), ("expected whole numbers", None)),
        (("--labels-nodata", "300"), ("300 can't be a code for no data", None)),
    ],
)
def test_codes_for_no_data_on_the_command_line(
    tmp_path: Path, options: tuple[str, ...], said: tuple[str, int | None]
) -> None:
    codes = np.ones((32, 32), np.uint8)
    codes[16:], codes[0], codes[1] = 2, 255, 0
    if "99" in "".join(options):
        codes[2] = 99
    write(tmp_path / "s2.tif", reflectance((32, 32)), GRID)
    write(tmp_path / "l.tif", codes, GRID, nodata=255)
    (tmp_path / "legend.csv").write_text(LEGEND)
    args = ["map", "--s2", tmp_path / "s2.tif", "--s2-offset", "0"]
    args += ["--labels", tmp_path / "l.tif", "--legend", tmp_path / "legend.csv"]
    args += [
        *options,
        "--method",
        "forest",
        "--set",
        "trees=2",
        "--out",
        tmp_path / "o",
    ]
    made = CliRunner().invoke(program, list(map(str, args)))
    if said[1] is None:
        assert said[0] in f"{made.output}{made.exception}"
        assert not (tmp_path / "o" / "map.tif").exists()
        return
    assert made.exit_code == 0, made.output
    inputs = open_inputs(read_plan(tmp_path / "o" / "run" / "plan.yaml").data)
    assert inputs.stack.labels is not None
    values = inputs.stack.labels.read(GRID).values
    hidden = 3 if "99" in "".join(options) else 2
    assert (values == UNKNOWN).sum() == 32 * hidden


def test_a_layer_is_mapped_by_name(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.gpkg", SQUARES, (1, 2))
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array([shapely.box(600_000, 5_299_680, 600_320, 5_300_000)])),
        [np.array([2])],
        np.array(["class"], object),
        geometry_type="Polygon",
        crs="EPSG:32632",
        layer="other",
        append=True,
    )
    with pytest.raises(ValueError, match=r"a\.gpkg: holds the layers a, other"):
        opened(tmp_path, path)
    for layer, known in (("a", 256), ("other", 1024)):
        stack = opened(tmp_path, Path(f"{path}|layername={layer}")).stack
        assert stack.labels is not None
        assert (stack.labels.read(GRID).values != UNKNOWN).sum() == known


def test_notes_of_features_reach_the_reader(tmp_path: Path) -> None:
    far = shapely.box(9000, 0, 9090, 90)
    inputs = opened(tmp_path, draw(tmp_path / "d.gpkg", (*SQUARES, far), (1, 2, 1)))
    assert any("1 of 3 features label no pixel" in note for note in inputs.notes)
