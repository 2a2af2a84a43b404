"""Labels as polygons and points, in every format that people have them in."""

# ruff: noqa: E501
from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import shapely
from bench.corpus.case import add, case, noted, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import BLOCK, CLASSES, CRS, EAST, NORTH, PIXEL, N, Scene, map_of
from pyogrio.raw import write
from pyproj import Transformer

KIND = "labels as vectors"
DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def squares(s: Scene, inset: float = 20) -> tuple[list[Any], list[int]]:
    """A square in every block of the scene, and its code."""
    shapes, codes = [], []
    for row in range(0, N, BLOCK):
        for column in range(0, N, BLOCK):
            west, north = EAST + column * PIXEL, NORTH - row * PIXEL
            size = BLOCK * PIXEL
            shapes.append(
                shapely.box(
                    west + inset,
                    north - size + inset,
                    west + size - inset,
                    north - inset,
                )
            )
            codes.append(int(s.truth[row, column]))
    return shapes, codes


def save(
    s: Scene,
    name: str,
    shapes: Sequence[Any],
    values: Sequence[Any],
    column: str = "class",
    driver: str = "GPKG",
    crs: str | None = CRS,
    **more: Any,
) -> None:
    """Write geometries with a column."""
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    write(
        s / name,
        shapely.to_wkb(np.array(shapes, object)),
        [np.array(values)],
        [column],
        crs=crs,
        geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
        driver=driver,
        **more,
    )


def in_degrees(shapes: Sequence[Any]) -> list[Any]:
    """The same shapes in WGS 84."""
    return [
        shapely.transform(g, lambda xy: np.column_stack(DEGREES.transform(*xy.T)))
        for g in shapes
    ]


def named(codes: Sequence[int]) -> list[str]:
    """Names of codes."""
    return [CLASSES[code - 1] for code in codes]


_FORMATS = (
    ("GPKG", "gpkg"),
    ("GeoJSON", "geojson"),
    ("ESRI Shapefile", "shp"),
    ("FlatGeobuf", "fgb"),
    ("KML", "kml"),
    ("GML", "gml"),
    ("SQLite", "sqlite"),
    ("MapInfo File", "tab"),
    ("GPX", "gpx"),
    ("GeoJSONSeq", "geojsonl"),
)


def _as_format(driver: str, name: str, s: Scene) -> Words:
    shapes, codes = squares(s)
    if driver in ("GeoJSON", "KML", "GeoJSONSeq"):
        save(s, name, in_degrees(shapes), codes, driver=driver, crs="EPSG:4326")
    else:
        save(s, name, shapes, codes, driver=driver)
    return map_of(labels=name)


for driver, suffix in _FORMATS:
    if driver == "GPX":
        continue
    known = suffix in ("gpkg", "geojson", "shp", "fgb")
    ends = (right(),) if known else (right(), refused(f"l.{suffix}"))
    add(
        KIND, f"polygons of {driver}", partial(_as_format, driver, f"l.{suffix}"), *ends
    )


def _values(values: Any, column: str, more: Words, s: Scene) -> Words:
    shapes, codes = squares(s)
    save(s, "l.gpkg", shapes, values(codes), column=column)
    return map_of(labels="l.gpkg", more=more)


FILE = refused("l.gpkg")
COLUMN = ("--labels-column", "land cover")
for title, values, column, more, ends in (
    ("names of classes", named, "class", (), (right(),)),
    ("names in other letters", lambda c: [n.upper() for n in named(c)], "class", (), (right(), FILE)),
    ("names with spaces", lambda c: [f" {n} " for n in named(c)], "class", (), (right(), FILE)),
    ("codes as floats", lambda c: np.array(c, float), "class", (), (right(),)),
    ("codes as text", lambda c: [str(x) for x in c], "class", (), (right(),)),
    ("codes as text of floats", lambda c: [f"{x}.0" for x in c], "class", (), (right(),)),
    ("codes with zeros before", lambda c: [f"{x:03}" for x in c], "class", (), (right(), FILE)),
    ("codes and names", lambda c: [f"{x} {n}" for x, n in zip(c, named(c), strict=True)], "class", (), (FILE,)),
    ("codes in int64", lambda c: np.array(c, "int64"), "class", (), (right(),)),
    ("codes of a half more", lambda c: np.array(c) + 0.5, "class", (), (FILE,)),
    ("a code that the legend lacks", lambda c: [*c[:-1], 9], "class", (), (FILE, noted("9"))),
    ("a name that the legend lacks", lambda c: [*named(c)[:-1], "Moor"], "class", (), (FILE, noted("Moor"))),
    ("NaN in a tenth", lambda c: np.where(np.arange(64) % 10, np.array(c, float), np.nan), "class", (), (right(), FILE)),
    ("no text in a tenth", lambda c: [n if i % 10 else "" for i, n in enumerate(named(c))], "class", (), (right(), FILE)),
    ("no values at all", lambda c: [""] * 64, "class", (), (FILE,)),
    ("true and false", lambda c: np.array(c) > 2, "class", (), (FILE,)),
    ("a column of another name", named, "landcover", (), (FILE,)),
    ("a column with a space", named, "land cover", COLUMN, (right(),)),
    ("a column that is not there", named, "class", COLUMN, (refused("l.gpkg", "--labels-column"),)),
    ("a column in capitals", named, "CLASS", (), (right(), FILE)),
    ("one class alone", lambda c: ["Water"] * 64, "class", (), (FILE, noted("Forest", "class", share=0))),
    ("a formula", lambda c: ["=1+1"] * 64, "class", (), (FILE,)),
    ("codes of 1e300", lambda c: np.array(c) * 1e300, "class", (), (FILE,)),
    ("code -1 for not known", lambda c: [*c[:-3], -1, -1, -1], "class", ("--labels-nodata", "-1"), (right(), FILE)),
    ("code 0 for not known", lambda c: [*c[:-3], 0, 0, 0], "class", ("--labels-nodata", "0"), (right(), FILE)),
):  # fmt: skip
    add(KIND, title, partial(_values, values, column, more), *ends)


def _shapes(change: Any, more: dict[str, Any], s: Scene) -> Words:
    shapes, codes = squares(s)
    changed = change(shapes)
    save(s, "l.gpkg", changed, codes[: len(changed)], **more)
    return map_of(labels="l.gpkg")


def _bowtie(g: Any) -> Any:
    w, s, e, n = g.bounds
    return shapely.Polygon([(w, s), (e, n), (e, s), (w, n)])


_WHERE_NOT = noted("l.gpkg", "polygon", "label", share=0)
for title, change, more, ends in (
    ("points", lambda g: [x.centroid for x in g], {}, (right(0.8), FILE)),
    ("points of many", lambda g: [shapely.MultiPoint([x.centroid]) for x in g], {}, (right(0.8), FILE)),
    ("polygons of many", lambda g: [shapely.MultiPolygon([x]) for x in g], {}, (right(),)),
    ("collections", lambda g: [shapely.GeometryCollection([x]) for x in g], {}, (right(), FILE)),
    ("lines", lambda g: [shapely.LineString(x.exterior.coords) for x in g], {}, (FILE,)),
    ("points and polygons", lambda g: [x if i % 2 else x.centroid for i, x in enumerate(g)], {}, (right(), FILE)),
    ("heights", lambda g: [shapely.force_3d(x, 100) for x in g], {}, (right(),)),
    ("rings the other way", lambda g: [shapely.Polygon(x.exterior.coords[::-1]) for x in g], {}, (right(),)),
    ("polygons that cross themselves", lambda g: [_bowtie(x) for x in g], {}, (right(), FILE)),
    ("empty polygons among others", lambda g: [x if i % 5 else shapely.Polygon() for i, x in enumerate(g)], {}, (right(), FILE)),
    ("no geometry among others", lambda g: [x if i % 5 else None for i, x in enumerate(g)], {}, (right(), FILE)),
    ("no geometry at all", lambda g: [None] * 64, {}, (FILE,)),
    ("empty polygons alone", lambda g: [shapely.Polygon()] * 64, {"geometry_type": "Polygon"}, (FILE,)),
    ("polygons below a pixel", lambda g: [shapely.box(*x.centroid.coords[0], x.centroid.x + 4, x.centroid.y + 4) for x in g], {}, (right(0.8), FILE, _WHERE_NOT)),
    ("a third of the polygons below a pixel", lambda g: [x if i % 3 else shapely.box(*x.centroid.coords[0], x.centroid.x + 3, x.centroid.y + 3) for i, x in enumerate(g)], {}, (right(),)),
    ("polygons of no width", lambda g: [shapely.Polygon([(x.bounds[0], x.bounds[1]), (x.bounds[2], x.bounds[3]), (x.bounds[0], x.bounds[1])]) for x in g], {}, (FILE, _WHERE_NOT)),
    ("polygons elsewhere", lambda g: [shapely.transform(x, lambda p: p + 50_000) for x in g], {}, (FILE,)),
    ("polygons a half of which is elsewhere", lambda g: [x if i < 32 else shapely.transform(x, lambda p: p + 50_000) for i, x in enumerate(g)], {}, (right(0.8), FILE)),
    ("every polygon twice", lambda g: g, {}, (right(),)),
    ("infinite coordinates", lambda g: [*g[:-1], shapely.Polygon([(0, 0), (np.inf, 0), (0, np.inf)])], {}, (right(), FILE)),
    ("NaN coordinates", lambda g: [*g[:-1], shapely.Polygon([(0, 0), (np.nan, 0), (0, np.nan), (0, 0)])], {}, (right(), FILE)),
    ("no CRS", lambda g: g, {"crs": None}, (FILE,)),
    ("another zone's CRS", lambda g: g, {"crs": "EPSG:32633"}, (FILE,)),
    ("degrees that are metres", lambda g: g, {"crs": "EPSG:4326"}, (FILE,)),
    ("metres that are degrees", in_degrees, {}, (FILE,)),
    ("degrees", in_degrees, {"crs": "EPSG:4326"}, (right(),)),
    ("latitude before longitude", lambda g: [shapely.transform(x, lambda p: p[:, ::-1]) for x in in_degrees(g)], {"crs": "EPSG:4326"}, (FILE,)),
    ("a polygon that covers the world", lambda g: [*g[:-1], shapely.box(-1e9, -1e9, 1e9, 1e9)], {}, (FILE, noted("l.gpkg", "overlap", "more than one", "classes", share=0))),
):  # fmt: skip
    more.pop("geometry_type", None)
    add(KIND, title, partial(_shapes, change, more), *ends)


@case(KIND, "two classes on one place", FILE, noted("l.gpkg", "overlap", "classes"))
def _(s: Scene) -> Words:
    shapes, codes = squares(s)
    save(s, "l.gpkg", [*shapes, *shapes], [*codes, *([1] * 64)])
    return map_of(labels="l.gpkg")


@case(KIND, "two layers in a file", refused("l.gpkg"), noted("layer"))
def _(s: Scene) -> Words:
    shapes, codes = squares(s)
    save(s, "l.gpkg", shapes[:20], [4] * 20, layer="notes")
    save(s, "l.gpkg", shapes, codes, layer="labels", append=False)
    return map_of(labels="l.gpkg")


@case(KIND, "a layer without geometry before the labels", right(), refused("l.gpkg"))
def _(s: Scene) -> Words:
    shapes, codes = squares(s)
    write(s / "l.gpkg", None, [np.array([1])], ["id"], layer="a", driver="GPKG")
    save(s, "l.gpkg", shapes, codes, layer="b")
    return map_of(labels="l.gpkg")


def _geojson(s: Scene, change: Any) -> Words:
    shapes, codes = squares(s)
    features = [
        {
            "type": "Feature",
            "properties": {"class": code},
            "geometry": json.loads(shapely.to_geojson(shape)),
        }
        for shape, code in zip(in_degrees(shapes), codes, strict=True)
    ]
    tree = {"type": "FeatureCollection", "features": features}
    text = change(tree)
    s.write("l.geojson", text if isinstance(text, (str, bytes)) else json.dumps(text))
    return map_of(labels="l.geojson")


def _unclosed(tree: Any) -> Any:
    del tree["features"][3]["geometry"]["coordinates"][0][-1]
    return tree


def _short(tree: Any) -> Any:
    tree["features"][3]["geometry"]["coordinates"][0][2:] = []
    return tree


def _mixed(tree: Any) -> Any:
    for number, feature in enumerate(tree["features"]):
        if number % 2:
            code = feature["properties"]["class"]
            feature["properties"]["class"] = CLASSES[code - 1]
    return tree


def _utm(tree: Any) -> Any:
    tree["crs"] = {
        "type": "name",
        "properties": {"name": "urn:ogc:def:crs:EPSG::32632"},
    }
    to = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    for feature in tree["features"]:
        rings = feature["geometry"]["coordinates"]
        rings[0] = [list(to.transform(*xy)) for xy in rings[0]]
    return tree


JSON = refused("l.geojson")
for title, change, ends in (
    ("in UTM with the old crs member", _utm, (right(),)),
    ("in UTM without a crs member", lambda t: {**_utm(t), "crs": None}, (JSON,)),
    ("with an unclosed ring", _unclosed, (right(), JSON)),
    ("with a ring of two points", _short, (right(), JSON)),
    ("with codes and names", _mixed, (right(), JSON)),
    ("cut at the half", lambda t: json.dumps(t)[:5000], (JSON,)),
    ("of one feature", lambda t: t["features"][0], (JSON, noted("Forest", "class", share=0))),
    ("of a geometry alone", lambda t: t["features"][0]["geometry"], (JSON,)),
    ("with a byte-order mark", lambda t: b"\xef\xbb\xbf" + json.dumps(t).encode(), (right(), JSON)),
    ("in UTF-16", lambda t: json.dumps(t).encode("utf-16"), (JSON, right())),
    ("that is a list", lambda t: t["features"], (JSON, right())),
    ("that is a page of a web server", lambda t: "<html>404</html>", (JSON,)),
    ("that is empty", lambda t: "", (JSON,)),
    ("without features", lambda t: {**t, "features": []}, (JSON,)),
    ("nested 10,000 times", lambda t: "[" * 10_000, (JSON,)),
    ("with text as coordinates", lambda t: json.dumps(t).replace("10.34", "'x'"), (JSON,)),
):  # fmt: skip
    add(
        KIND,
        f"GeoJSON {title}",
        partial(lambda change, s: _geojson(s, change), change),
        *ends,
    )


@case(KIND, "a shapefile without its .dbf", refused("l.shp"))
def _(s: Scene) -> Words:
    shapes, codes = squares(s)
    save(s, "l.shp", shapes, codes, driver="ESRI Shapefile")
    (s / "l.dbf").unlink()
    return map_of(labels="l.shp")


@case(KIND, "a shapefile without its .shx", right(), refused("l.shp"))
def _(s: Scene) -> Words:
    shapes, codes = squares(s)
    save(s, "l.shp", shapes, codes, driver="ESRI Shapefile")
    (s / "l.shx").unlink()
    return map_of(labels="l.shp")


@case(KIND, "a shapefile without its .prj", refused("l.shp"))
def _(s: Scene) -> Words:
    shapes, codes = squares(s)
    save(s, "l.shp", shapes, codes, driver="ESRI Shapefile")
    (s / "l.prj").unlink()
    return map_of(labels="l.shp")


@case(
    KIND,
    "a shapefile whose column was cut at ten letters",
    right(),
    refused("l.shp", "--labels-column"),
)
def _(s: Scene) -> Words:
    shapes, codes = squares(s)
    save(s, "l.shp", shapes, named(codes), "landcover_class", "ESRI Shapefile")
    return map_of(labels="l.shp", more=("--labels-column", "landcover_class"))


for suffix in ("gpkg", "shp", "fgb", "geojson", "csv"):

    def _junk(s: Scene, suffix: str = suffix) -> Words:
        s.write(f"l.{suffix}", s.random.bytes(3000))
        return map_of(labels=f"l.{suffix}")

    add(KIND, f"junk in a .{suffix}", _junk, refused(f"l.{suffix}"))

    def _gone(s: Scene, suffix: str = suffix) -> Words:
        return map_of(labels=f"gone.{suffix}")

    add(KIND, f"no such .{suffix}", _gone, refused(f"gone.{suffix}"))


@case(KIND, "names in composed and decomposed letters", right())
def _(s: Scene) -> Words:
    import unicodedata

    from bench.corpus.scene import LEGEND

    s.write(
        "legend.csv", unicodedata.normalize("NFC", LEGEND.replace("Water", "Gewässer"))
    )
    shapes, codes = squares(s)
    names = [
        unicodedata.normalize("NFD", n.replace("Water", "Gewässer"))
        for n in named(codes)
    ]
    save(s, "l.gpkg", shapes, names)
    return map_of(labels="l.gpkg")
