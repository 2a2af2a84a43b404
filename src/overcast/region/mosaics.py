"""Tiles as one file: a VRT of every zone for GDAL and QGIS, a mosaicJSON for servers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from overcast import map_folder
from overcast.geo.legend import Legend
from overcast.geo.quadkeys import quadkeys
from overcast.geo.raster import UNKNOWN
from overcast.output import write_whole
from overcast.region.tile import TILES, Record, Work

MOSAIC = "mosaic.json"
_ZOOMS = (6, 14)
_QUADKEY = 8
"""Zoom of the squares by which a mosaicJSON finds its tiles: 150 km at the equator."""


def write_vrt(
    out: Path,
    name: str,
    works: Sequence[Work],
    file: str,
    legend: Legend | None,
    tags: Mapping[str, str],
) -> Path:
    """Write one raster of the tiles of a zone, which lie beside it in ``tiles/``.

    With a legend it has classes and their colours, and is a map as any other: it can be
    sampled and assessed. Confidence is float32, and other files are of bytes.
    """
    lattice = works[0].zone.lattice
    top = min(work.tile.window.y for work in works)
    left = min(work.tile.window.x for work in works)
    bottom = max(work.tile.window.y + work.tile.window.h for work in works)
    right = max(work.tile.window.x + work.tile.window.w for work in works)
    side = lattice.resolution
    root = Xml.Element("VRTDataset", _size(right - left, bottom - top))
    Xml.SubElement(root, "SRS").text = lattice.crs
    place = (lattice.left + left * side, side, 0, lattice.top - top * side, 0, -side)
    Xml.SubElement(root, "GeoTransform").text = ", ".join(f"{v!r}" for v in place)
    about = Xml.SubElement(root, "Metadata")
    for key, text in tags.items():
        Xml.SubElement(about, "MDI", key=key).text = text
    is_float = file == map_folder.CONFIDENCE
    kind, nodata = ("Float32", "nan") if is_float else ("Byte", str(UNKNOWN))
    band = Xml.SubElement(root, "VRTRasterBand", dataType=kind, band="1")
    Xml.SubElement(band, "NoDataValue").text = nodata
    if legend is not None:
        _colours(band, legend)
    for work in works:
        window = work.tile.window
        source = Xml.SubElement(band, "SimpleSource")
        path = f"{TILES}/{work.name}/{file}"
        Xml.SubElement(source, "SourceFilename", relativeToVRT="1").text = path
        Xml.SubElement(source, "SourceBand").text = "1"
        Xml.SubElement(
            source,
            "SourceProperties",
            {**_size(window.w, window.h), "DataType": kind},
            BlockXSize="512",
            BlockYSize="512",
        )
        whole = {"xSize": str(window.w), "ySize": str(window.h)}
        Xml.SubElement(source, "SrcRect", {"xOff": "0", "yOff": "0", **whole})
        off = {"xOff": str(window.x - left), "yOff": str(window.y - top)}
        Xml.SubElement(source, "DstRect", {**off, **whole})
    Xml.indent(root)
    write_whole(out / name, Xml.tostring(root, encoding="unicode") + "\n")
    return out / name


def _size(width: int, height: int) -> dict[str, str]:
    return {"RasterXSize": str(width), "RasterYSize": str(height)}


def _colours(band: Xml.Element, legend: Legend) -> None:
    Xml.SubElement(band, "ColorInterp").text = "Palette"
    table = Xml.SubElement(band, "ColorTable")
    colours = {c.code: (*c.rgb, 255) for c in legend.classes}
    names = {c.code: c.name for c in legend.classes}
    for code in range(256):
        parts = zip(("c1", "c2", "c3", "c4"), colours.get(code, (0,) * 4), strict=True)
        Xml.SubElement(table, "Entry", {key: str(value) for key, value in parts})
    categories = Xml.SubElement(band, "CategoryNames")
    for code in range(max(names) + 1):
        Xml.SubElement(categories, "Category").text = names.get(code, "")


def write_mosaic_json(
    out: Path, works: Sequence[Work], records: Mapping[str, Record]
) -> Path:
    """Write a mosaicJSON 0.0.3 of all tiles, by squares of the web's grid (quadkeys)."""
    boxes = {work.name: records[work.name]["bbox"] for work in works}
    tiles: dict[str, list[str]] = {}
    for name, box in boxes.items():
        for key in quadkeys(box, _QUADKEY):
            tiles.setdefault(key, []).append(f"{TILES}/{name}/{map_folder.MAP}")
    west, south, east, north = zip(*boxes.values(), strict=True)
    bounds = [min(west), min(south), max(east), max(north)]
    tree: dict[str, Any] = {
        "mosaicjson": "0.0.3",
        "name": out.name,
        "version": "1.0.0",
        "minzoom": _ZOOMS[0],
        "maxzoom": _ZOOMS[1],
        "quadkey_zoom": _QUADKEY,
        "bounds": bounds,
        "center": [(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2, _QUADKEY],
        "tiles": tiles,
    }
    write_whole(out / MOSAIC, json.dumps(tree, indent=1) + "\n")
    return out / MOSAIC
