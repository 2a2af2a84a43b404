"""What a raster file itself calls its codes, as GDAL, QGIS and ArcGIS keep it.

Names are category names or a raster attribute table in ``FILE.aux.xml`` (GDAL's
Persistent Auxiliary Metadata), either one in a VRT, a value attribute table
``FILE.vat.dbf``, or the legend in the tags of a map that overcast made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from rasterio.errors import RasterioError

from overcast import map_folder
from overcast.geo.dataset import dataset_of
from overcast.geo.legend import Legend, parse_legend
from overcast.geo.location import FilePath, Location

LEGEND_TAG = "LEGEND_CLASSES"
"""Tag of a raster that holds the text of its legend."""
_MOST_BYTES = 10_000_000
_VALUE_USAGE, _NAME_USAGE = ("5", "MinMax"), ("2", "Name")
"""GDAL's GDALRATFieldUsage, as its files have it."""
_VALUES = ("value", "code", "gridcode", "grid_code")
_NAMES = (
    *("class", "name", "class_name", "classname", "label", "category", "description"),
    *("land_cover", "landcover", "lc_class", "legend"),
)
"""What columns of attribute tables are called, in the order of trust."""


@dataclass(frozen=True, slots=True)
class Categories:
    """Names of codes, and the file or tag that they are in."""

    names: Mapping[int, str]
    where: str


def read_categories(path: FilePath) -> Categories | None:
    """Names that a raster file has for its codes; None if it has none."""
    local = Location.of(path).local
    for where, names in () if local is None else _places(local):
        if where.is_file() and (named := names(where)):
            return Categories(named, where.name)
    if named := _of_tags(path):
        return Categories(named, f"its tag {LEGEND_TAG}")
    return None


def _places(path: Path) -> tuple[tuple[Path, Callable[[Path], dict[int, str]]], ...]:
    """Files beside a raster that may hold names, and how they are read."""
    return (
        (path.with_name(map_folder.auxiliary_of(path.name)), _of_xml),
        (path, _of_vrt),
        (path.with_name(path.name + ".vat.dbf"), _of_table),
        (path.with_suffix(".vat.dbf"), _of_table),
    )


def write_categories(path: Path, legend: Legend) -> None:
    """Write the names of a legend beside a raster, into ``PATH.aux.xml``."""
    root = Xml.Element("PAMDataset")
    band = Xml.SubElement(root, "PAMRasterBand", band="1")
    add_categories(band, legend)
    Xml.indent(root)
    beside = path.with_name(map_folder.auxiliary_of(path.name))
    beside.write_text(Xml.tostring(root, encoding="unicode") + "\n", encoding="utf-8")


def add_categories(band: Xml.Element, legend: Legend) -> None:
    """Add the names of all codes from 0 on to a band of GDAL's metadata."""
    categories = Xml.SubElement(band, "CategoryNames")
    names = {c.code: c.name for c in legend.classes}
    for code in range(max(names) + 1):
        Xml.SubElement(categories, "Category").text = names.get(code, "")


def _of_vrt(path: Path) -> dict[int, str]:
    return _of_xml(path) if path.suffix.lower() == ".vrt" else {}


def _of_xml(path: Path) -> dict[int, str]:
    """Names in the first band of a PAM file or a VRT."""
    if path.stat().st_size > _MOST_BYTES:
        return {}
    try:
        root = Xml.fromstring(path.read_bytes())
    except Xml.ParseError:
        return {}
    bands = [e for e in root if e.tag in ("PAMRasterBand", "VRTRasterBand")]
    for band in bands:
        if band.get("band", "1") != "1":
            continue
        listed = [e.text or "" for e in band.iterfind("CategoryNames/Category")]
        if any(listed):
            return _named(enumerate(listed))
        table = band.find("GDALRasterAttributeTable")
        if table is not None:
            return _of_attributes(table)
    return {}


def _of_attributes(table: Xml.Element) -> dict[int, str]:
    """Names in a raster attribute table: its columns of values and of names."""
    columns = [
        ((e.findtext("Name") or "").casefold(), e.findtext("Usage") or "")
        for e in table.iterfind("FieldDefn")
    ]
    value = _column(columns, _VALUE_USAGE, _VALUES)
    name = _column(columns, _NAME_USAGE, _NAMES)
    if value is None or name is None:
        return {}
    rows = ([cell.text or "" for cell in row] for row in table.iterfind("Row"))
    return _named((r[value], r[name]) for r in rows if len(r) > max(value, name))


def _column(
    columns: list[tuple[str, str]], usages: tuple[str, ...], names: tuple[str, ...]
) -> int | None:
    used = [k for k, (_, usage) in enumerate(columns) if usage in usages]
    called = [k for name in names for k, (own, _) in enumerate(columns) if own == name]
    return next(iter([*used, *called]), None)


def _of_table(path: Path) -> dict[int, str]:
    """Names in a value attribute table of ArcGIS."""
    import pyogrio.raw  # imports pandas where it is there

    try:
        about, _, _, values = pyogrio.raw.read(path, read_geometry=False)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        return {}
    columns = [(str(name).casefold(), "") for name in about["fields"]]
    value, name = _column(columns, (), _VALUES), _column(columns, (), _NAMES)
    if value is None or name is None:
        return {}
    return _named(zip(values[value], values[name], strict=True))


def _of_tags(path: FilePath) -> dict[int, str]:
    try:
        text = dataset_of(path).tags().get(LEGEND_TAG)
        legend = None if text is None else parse_legend(text, path.stem)
    except (ValueError, OSError, RasterioError):
        return {}
    return {} if legend is None else {c.code: c.name for c in legend.classes}


def _named(pairs: Any) -> dict[int, str]:
    """Whole codes and texts that are not empty."""
    names = {}
    for code, name in pairs:
        try:
            number = float(code)
        except (TypeError, ValueError):
            continue
        if isinstance(name, str) and name.strip() and number.is_integer():
            names[int(number)] = name.strip()
    return names
