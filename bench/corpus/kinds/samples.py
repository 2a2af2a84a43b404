"""Filled samples as they come back, for `overcast assess` and `overcast calibrate`."""

# ruff: noqa: E501
from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import shapely
from bench.corpus.case import Answer, add, case, refused
from bench.corpus.runner import Outcome, Words
from bench.corpus.scene import CRS, Scene
from pyogrio.raw import read, write

KIND = "samples"
Table = dict[str, Any]
"""Columns of a form by name, ``geometry`` as shapely has it."""


def assess_of(file: str, more: Words = ()) -> Words:
    """Words of `overcast assess` of the scene's map."""
    return ("assess", "o/map.tif", file, *more)


def estimated(s: Scene, outcome: Outcome) -> str | None:
    """Whether the answer is an estimate with intervals, near to what is true."""
    tree = json.loads(outcome.out)
    text = json.dumps(tree)
    if "interval" not in text and "standard_error" not in text and "low" not in text:
        return f"no interval in {text[:200]}"
    return _near(tree)


def _near(tree: Any) -> str | None:
    """Whether an overall accuracy is near to that of the filled form."""
    said = _overall(tree)
    if said is None or not 0.85 < said < 0.97:
        return f"overall accuracy {said}, expected about .92"
    return None


def _overall(tree: Any) -> float | None:
    """The first overall accuracy in a tree."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in {"overall_accuracy", "overall", "accuracy"}:
                figure = value.get("estimate") if isinstance(value, dict) else value
                figure = figure[0] if isinstance(figure, list) else figure
                if isinstance(figure, (int, float)):
                    return float(figure)
        for value in tree.values():
            inner = _overall(value)
            if inner is not None:
                return inner
    return None


def _scored(s: Scene, outcome: Outcome) -> str | None:
    return _near(json.loads(outcome.out))


GOOD, BAD = Answer(estimated), refused("s.")
SCORED = Answer(_scored)


def _read(s: Scene) -> Table:
    s.take("weak", "o")
    s.take("sample", "s.gpkg")
    meta, _, geometry, values = read(s / "s.gpkg")
    (s / "s.gpkg").unlink()
    table = dict(zip(meta["fields"], values, strict=True))
    return {**table, "geometry": shapely.from_wkb(geometry)}


def _write(s: Scene, table: Table, name: str, driver: str, **more: Any) -> Words:
    columns = [column for column in table if column != "geometry"]
    shapes = table["geometry"]
    write(
        s / name,
        shapely.to_wkb(shapes),
        [np.asarray(table[column]) for column in columns],
        columns,
        **{
            "crs": CRS,
            "geometry_type": shapes[0].geom_type,
            "driver": driver,
            **more,
        },
    )
    return assess_of(name)


def _form(
    change: Callable[[Table], Table | None], name: str, driver: str, s: Scene
) -> Words:
    table = _read(s)
    new = change(table)
    return _write(s, table if new is None else new, name, driver)


def _multi(t: Table) -> None:
    t["geometry"] = np.array([shapely.MultiPoint([g]) for g in t["geometry"]])


def _nothing(t: Table) -> None:
    """Leave it as it is."""


def _column(name: str, function: Any) -> Callable[[Table], None]:
    def change(t: Table) -> None:
        t[name] = function(t[name])

    return change


def _rows(choose: Any) -> Callable[[Table], Table]:
    def change(t: Table) -> Table:
        index = choose(len(t["geometry"]))
        return {name: np.asarray(values)[index] for name, values in t.items()}

    return change


def _numbered(t: Table) -> None:
    codes = {"Water": 1, "Forest": 2, "Crops": 3, "Town": 4}
    t["reference"] = np.array([codes[name] for name in t["reference"]], "int64")


_SHP, _JSON = ("s.shp", "ESRI Shapefile"), ("s.geojson", "GeoJSON")
_GPKG, _FGB = ("s.gpkg", "GPKG"), ("s.fgb", "FlatGeobuf")
for title, change, form, ends in (
    ("as it was drawn", _nothing, _GPKG, (GOOD,)),
    ("as MultiPoint", _multi, _GPKG, (GOOD,)),
    ("as a Shapefile", _nothing, _SHP, (GOOD,)),
    ("as a Shapefile of MultiPoint", _multi, _SHP, (GOOD,)),
    ("as FlatGeobuf", _nothing, _FGB, (GOOD,)),
    ("with heights", _column("geometry", shapely.force_3d), _GPKG, (GOOD,)),
    ("with columns in capitals", lambda t: {k if k == "geometry" else k.upper(): v for k, v in t.items()}, _GPKG, (BAD, GOOD)),
    ("with codes", _numbered, _GPKG, (GOOD,)),
    ("with codes as text of floats", lambda t: (_numbered(t), t.update(reference=[f"{c}.0" for c in t["reference"]]))[0], _GPKG, (GOOD,)),
    ("with sizes as text", _column("stratum_pixels", lambda v: [str(x) for x in v]), _GPKG, (GOOD, BAD)),
    ("with sizes as floats", _column("stratum_pixels", lambda v: v.astype(float)), _GPKG, (GOOD,)),
    ("with shares rounded to two places", _column("stratum_share", lambda v: v.astype(float).round(2)), _GPKG, (GOOD, BAD)),
    ("with the stratum as float", _column("stratum", lambda v: v.astype(float)), _GPKG, (GOOD,)),
    ("with names in small letters", _column("reference", lambda v: [str(x).lower() for x in v]), _GPKG, (GOOD, BAD)),
    ("with spaces behind names", _column("reference", lambda v: [f"{x} " for x in v]), _GPKG, (GOOD, BAD)),
    ("with a name that is no class", _column("reference", lambda v: [*v[:-1], "Moor"]), _GPKG, (BAD,)),
    ("with nothing filled", _column("reference", lambda v: [""] * len(v)), _GPKG, (BAD,)),
    ("with a stratum not filled", lambda t: t.update(reference=np.where(t["stratum"] == 1, "", t["reference"])), _GPKG, (BAD,)),
    ("with stratum_pixels of -5", _column("stratum_pixels", lambda v: v * 0 - 5), _GPKG, (BAD,)),
    ("with stratum_pixels of 0", _column("stratum_pixels", lambda v: v * 0), _GPKG, (BAD,)),
    ("with stratum_pixels of 10^15", _column("stratum_pixels", lambda v: v * 0 + 10**15), _GPKG, (BAD,)),
    ("with stratum_pixels of halves", _column("stratum_pixels", lambda v: v + 0.5), _GPKG, (BAD,)),
    ("with stratum_pixels of NaN", _column("stratum_pixels", lambda v: v * np.nan), _GPKG, (BAD,)),
    ("with other stratum_pixels in a row", lambda t: t["stratum_pixels"].__setitem__(0, 17), _GPKG, (BAD,)),
    ("with shares below 0", _column("stratum_share", lambda v: -v), _GPKG, (BAD,)),
    ("with shares that are no numbers", _column("stratum_share", lambda v: ["a"] * len(v)), _GPKG, (BAD,)),
    ("with every row twice", _rows(lambda n: np.repeat(np.arange(n), 2)), _GPKG, (BAD, Answer(_scored, ("twice",)))),
    ("with the first row twice", _rows(lambda n: np.r_[0, np.arange(n)]), _GPKG, (BAD, Answer(_scored, ("twice", "same place")))),
    ("without a stratum's rows", lambda t: {k: np.asarray(v)[t["stratum"] != 2] for k, v in t.items()}, _GPKG, (BAD,)),
    ("of one row", _rows(lambda n: np.arange(1)), _GPKG, (BAD,)),
    ("of no rows", _rows(lambda n: np.arange(0)), _GPKG, (BAD,)),
    ("without stratum_share", lambda t: t.pop("stratum_share") is None or None, _GPKG, (BAD, SCORED)),
    ("without the reference", lambda t: t.pop("reference") is None or None, _GPKG, (BAD,)),
    ("moved by 5 km", _column("geometry", lambda g: shapely.transform(g, lambda p: p + 5000)), _GPKG, (BAD,)),
    ("with a point moved by 5 km", lambda t: t["geometry"].__setitem__(0, shapely.Point(5e5, 5e6)), _GPKG, (BAD,)),
    ("with a point moved by 30 m", lambda t: t["geometry"].__setitem__(3, shapely.transform(t["geometry"][3], lambda p: p + 30)), _GPKG, (BAD,)),
    ("moved by a metre", _column("geometry", lambda g: shapely.transform(g, lambda p: p + 1)), _GPKG, (GOOD,)),
    ("with a point at infinity", lambda t: t["geometry"].__setitem__(0, shapely.Point(np.inf, 0)), _GPKG, (BAD,)),
    ("with a point at 1e300", lambda t: t["geometry"].__setitem__(0, shapely.Point(1e300, 0)), _GPKG, (BAD,)),
    ("with a point that is empty", lambda t: t["geometry"].__setitem__(0, shapely.Point()), _GPKG, (BAD,)),
    ("sorted by class", _rows(lambda n: np.arange(n)[::-1]), _GPKG, (GOOD,)),
    ("with a column more", lambda t: t.update(extra=np.arange(len(t["geometry"]))), _GPKG, (GOOD,)),
    ("as polygons around the points", _column("geometry", lambda g: shapely.buffer(g, 3)), _GPKG, (BAD, GOOD, SCORED)),
):  # fmt: skip
    if "no rows" in title:
        continue
    add(KIND, title, partial(_form, change, *form), *ends)


@case(KIND, "as GeoJSON in degrees", GOOD)
def _(s: Scene) -> Words:
    from bench.corpus.kinds.vectors import in_degrees

    table = _read(s)
    table["geometry"] = np.array(in_degrees(table["geometry"]))
    return _write(s, table, "s.geojson", "GeoJSON", crs="EPSG:4326")


@case(KIND, "in web Mercator", GOOD)
def _(s: Scene) -> Words:
    from pyproj import Transformer

    table = _read(s)
    to = Transformer.from_crs(CRS, "EPSG:3857", always_xy=True)
    table["geometry"] = shapely.transform(
        table["geometry"], lambda p: np.column_stack(to.transform(*p.T))
    )
    return _write(s, table, "s.gpkg", "GPKG", crs="EPSG:3857")


@case(KIND, "without a CRS", BAD)
def _(s: Scene) -> Words:
    return _write(s, _read(s), "s.gpkg", "GPKG", crs=None)


def _csv(change: Callable[[str], str | bytes], s: Scene) -> Words:
    s.take("weak", "o")
    path = s.take("sample-csv", "s.csv")
    text = change(path.read_text(encoding="utf-8"))
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return assess_of("s.csv")


def _semicolons(text: str) -> str:
    rows = list(csv.reader(io.StringIO(text)))
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(
        [[v.replace(".", ",") for v in row] for row in rows]
    )
    return out.getvalue()


def _first_columns(text: str) -> str:
    rows = list(csv.DictReader(io.StringIO(text)))
    out = io.StringIO()
    names = ["lon", "lat", "stratum", "stratum_pixels", "stratum_share", "reference"]
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


for title, change, ends in (
    ("as it was drawn", lambda t: t, (GOOD,)),
    ("of Excel, with semicolons and decimal commas", _semicolons, (GOOD, BAD)),
    ("with a byte-order mark", lambda t: b"\xef\xbb\xbf" + t.encode(), (GOOD,)),
    ("in UTF-16", lambda t: t.encode("utf-16"), (GOOD, BAD)),
    ("with CRLF", lambda t: t.replace("\n", "\r\n").replace("\r\r", "\r"), (GOOD,)),
    ("with the needed columns alone", _first_columns, (GOOD,)),
    ("with all in quotes", lambda t: "\n".join(",".join(f'"{v}"' for v in row) for row in csv.reader(io.StringIO(t))) + "\n", (GOOD,)),
    ("cut in the middle of a row", lambda t: t[: len(t) // 2], (BAD,)),
    ("with the last row twice", lambda t: t + t.splitlines()[-1] + "\n", (BAD, Answer(_scored, ("twice",)))),
    ("with a row without a place", lambda t: t + ",,1,Water,10,0.1,Water,,,,\n", (BAD,)),
    ("with coordinates rounded to two places", lambda t: "\n".join([t.splitlines()[0], *(",".join([f"{float(v):.2f}" for v in row[:2]] + row[2:]) for row in csv.reader(t.splitlines()[1:]))]) + "\n", (BAD, SCORED)),
    ("with headings alone", lambda t: t.splitlines()[0], (BAD,)),
    ("of nothing", lambda t: "", (BAD,)),
):  # fmt: skip
    add(KIND, f"CSV {title}", partial(_csv, change), *ends)


def _calibrate(change: Callable[[Table], Table | None], more: Words, s: Scene) -> Words:
    _form(change, "s.gpkg", "GPKG", s)
    return ("calibrate", "o", "s.gpkg", *more)


def _calibrated(s: Scene, outcome: Outcome) -> str | None:
    from bench.corpus.case import right

    return right().problem(s, outcome)


_CAL = Answer(_calibrated)
for title, change, more, ends in (
    ("as it was drawn", _nothing, (), (_CAL,)),
    ("as MultiPoint", _multi, (), (_CAL,)),
    ("with sets", _nothing, ("--sets", "0.9"), (_CAL,)),
    ("with sets by class", _nothing, ("--sets", "0.9", "--by-class"), (_CAL, BAD)),
    ("--sets 0", _nothing, ("--sets", "0"), (refused("--sets"),)),
    ("--sets 1", _nothing, ("--sets", "1"), (refused("--sets"),)),
    ("--sets nan", _nothing, ("--sets", "nan"), (refused("--sets"),)),
    ("--sets inf", _nothing, ("--sets", "inf"), (refused("--sets"),)),
    ("with a point moved by 5 km", lambda t: t["geometry"].__setitem__(0, shapely.Point(5e5, 5e6)), (), (BAD,)),
    ("with a point moved by 30 m", lambda t: t["geometry"].__setitem__(3, shapely.transform(t["geometry"][3], lambda p: p + 30)), (), (BAD,)),
    ("--by-class without sets", _nothing, ("--by-class",), (refused("--by-class"),)),
    ("of one row", _rows(lambda n: np.arange(1)), (), (BAD,)),
    ("of ten rows", _rows(lambda n: np.arange(10)), (), (BAD, _CAL)),
    ("with nothing filled", _column("reference", lambda v: [""] * len(v)), (), (BAD,)),
    ("with stratum_pixels of -5", _column("stratum_pixels", lambda v: v * 0 - 5), (), (BAD,)),
    ("with stratum_pixels of 0", _column("stratum_pixels", lambda v: v * 0), (), (BAD,)),
    ("with every row twice", _rows(lambda n: np.repeat(np.arange(n), 2)), (), (BAD, Answer(_calibrated, ("twice",)))),
    ("moved by 5 km", _column("geometry", lambda g: shapely.transform(g, lambda p: p + 5000)), (), (BAD,)),
    ("with every answer wrong", _column("reference", lambda v: [{"Water": "Town", "Town": "Crops", "Crops": "Forest", "Forest": "Water"}[x] for x in v]), (), (_CAL, BAD)),
    ("with a column that is not there", _nothing, ("--reference-column", "truth"), (refused("s.gpkg", "--reference-column"),)),
    ("with the column of the map's classes", _nothing, ("--reference-column", "stratum_name"), (BAD, Answer(_calibrated, ("map", "stratum")))),
):  # fmt: skip
    add("calibrations", f"a sample {title}", partial(_calibrate, change, more), *ends)


for title, reference, more, ends in (
    ("the labels", "labels.tif", (), (refused("labels.tif"),)),
    ("the map", "o/map.tif", (), (refused("map.tif"),)),
    ("an image", "s2.tif", (), (refused("s2.tif"),)),
    ("what is not there", "gone.gpkg", (), (refused("gone.gpkg"),)),
):

    def _by(s: Scene, reference: str = reference, more: Words = more) -> Words:
        s.take("weak", "o")
        return ("calibrate", "o", reference, *more)

    add("calibrations", f"by {title}", _by, *ends)

for title, folder, ends in (
    ("a folder without a map", "empty", (refused("empty"),)),
    ("what is not there", "gone", (refused("gone"),)),
    ("a file", "s2.tif", (refused("s2.tif"),)),
    ("the run alone", "o/run", (refused("o/run"),)),
):

    def _of(s: Scene, folder: str = folder) -> Words:
        s.take("weak", "o")
        s.take("sample", "s.gpkg")
        (s / "empty").mkdir()
        return ("calibrate", folder, "s.gpkg")

    add("calibrations", f"of {title}", _of, *ends)
