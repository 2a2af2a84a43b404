"""Products as people download them: SAFE, zipped SAFE, and folders of single bands.

A product becomes one dataset of GDAL (a VRT), on the grid of its finest band, with names
of bands, and scale and offset from the product's own metadata. Every pixel of 20 m fills
the four of 10 m that it covers, unchanged.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import rasterio

from overcast.geo.items import files_of_item, item_of
from overcast.geo.location import Location

_RASTERS = (".jp2", ".tif", ".tiff")
_RESOLUTION = re.compile(r"_(\d\d)m$", re.I)
_OPTICAL = re.compile(r"(?:^|[_.-])(B(?:0?[1-9]|1[0-2]|8A))$", re.I)
_RADAR = re.compile(r"(?<![A-Za-z])(VV|VH|HH|HV)(?![A-Za-z])", re.I)
_CLASSES = re.compile(r"(?:^|[_.-])(SCL)$", re.I)
_LANDSAT = re.compile(r"L[CETMO]0\d_|HLS\.L30", re.I)
_METADATA = re.compile(r"MTD_MSI(L1C|L2A)\.xml|S2._.*MTD.*SAF(L1C|L2A).*\.xml", re.I)
_ORDER = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10")
_BAND_IDS = (*_ORDER, "B11", "B12")
"""Bands by the `band_id` of a product's metadata."""
_SURFACE = frozenset(
    {"B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12"}
)
_DATASETS = (".zgroup", ".zarray", ".zattrs", "zarr.json", "hdr.adf", "gdb")
"""Files of folders that GDAL itself reads as one dataset."""
STATED = "RADIOMETRY_OF_PRODUCT"
"""Tag of a dataset whose scale and offset are those of the product's metadata."""
LEVEL = "PROCESSING_LEVEL"
"""Tag of a dataset, as GDAL names it: Level-1C or Level-2A."""


@dataclass(frozen=True, slots=True)
class Product:
    """Files of a product that matter, as GDAL names them.

    Attributes
    ----------
    where
        Folder or archive.
    bands
        Files by name of band, in order.
    classes
        Scene classification, if there is one.
    level
        L1C or L2A; empty where no metadata says it.
    scale, offsets
        ``reflectance = stored * scale + offset``, by name of band; None where no
        metadata says it.
    metadata
        File that says so.
    """

    where: Location
    bands: Mapping[str, str]
    classes: str | None = None
    level: str = ""
    scale: float | None = None
    offsets: Mapping[str, float] | None = None
    metadata: str | None = None

    @property
    def files(self) -> list[str]:
        """All files that the dataset of the product depends on."""
        return [*self.bands.values(), *([self.metadata] if self.metadata else [])]

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what the file was taken for, a sentence each."""
        name = self.where.name
        said = []
        if self.level and self.offsets is not None and self.scale is not None:
            offsets = sorted({round(v / self.scale) for v in self.offsets.values()})
            said.append(
                f"{name}: Sentinel-2 {self.level}, offset "
                f"{' and '.join(map(str, offsets))} by the product's own metadata"
            )
        missing = sorted(_SURFACE - set(self.bands)) if "B02" in self.bands else []
        if missing:
            said.append(f"{name}: has no {', '.join(missing)}; mapped without")
        return tuple(said)


def find_product(where: Location) -> Product | None:
    """The product in a folder or an archive, around a metadata file, or of a STAC item.

    None elsewhere.

    Raises
    ------
    ValueError
        If it has no bands, two files of one band, or several granules.
    """
    if (item := item_of(where)) is not None:
        return _of_item(where, item)
    local = where.local
    if local is None or not local.exists():
        return None
    if local.is_file() and _METADATA.fullmatch(local.name):
        local = local.parent
    if not local.is_dir() and local.suffix.lower() != ".zip":
        return None
    if any((local / name).exists() for name in _DATASETS):
        return None
    files = _listing(local)
    held = _rasters(files)
    if local.is_file() and len(held) == 1:  # an archive of one file is that file
        return Product(where, {"": held[0]})
    return _product(where, files, held)


def _of_item(where: Location, item: Mapping[str, Any]) -> Product:
    """The product that a STAC item is."""
    files, classes = files_of_item(where, item)
    places = {name: number for number, name in enumerate((*_BAND_IDS, "VV", "VH"))}
    order = sorted(files, key=lambda name: places.get(name, 99))
    return Product(where, {name: files[name] for name in order}, classes)


def _listing(local: Path) -> list[str]:
    """Files in a folder or an archive, as GDAL names them."""
    if local.is_dir():
        safe = (local / "GRANULE").is_dir() or any(local.glob("*.SAFE"))
        inside = local.rglob("*") if safe else local.glob("*")
        return sorted(str(p) for p in inside if p.is_file())
    try:
        with zipfile.ZipFile(local) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{local}: not a zip archive, or cut short; download it again"
        ) from error
    return sorted(f"/vsizip/{local}/{name}" for name in names)


def _rasters(files: Iterable[str]) -> list[str]:
    """Files that may be bands: no previews, no quality masks, nothing hidden."""
    rasters = []
    for file in files:
        path = PurePosixPath(file)  # of an archive, without the second slash
        apart = "QI_DATA" in path.parts or path.name.startswith(("MSK_", "."))
        if path.suffix.lower() in _RASTERS and not apart:
            rasters.append(file)
    return rasters


def _product(where: Location, files: list[str], rasters: list[str]) -> Product:
    if any("/measurement/" in file for file in rasters):
        raise ValueError(
            f"{where}: a Sentinel-1 product as it is delivered, neither calibrated nor "
            "terrain-corrected; process it first (SNAP), or get it terrain-corrected "
            "(RTC), and give its VV and VH"
        )
    if landsat := [f for f in rasters if _LANDSAT.match(PurePosixPath(f).name)]:
        raise ValueError(
            f"{where}: Landsat ({PurePosixPath(landsat[0]).name}), whose bands have other "
            "numbers than Sentinel-2's; stack them, and describe them in a TOML file "
            "(--image)"
        )
    granules = {m[1] for f in rasters if (m := re.search(r"/GRANULE/([^/]+)/", f))}
    if len(granules) > 1:
        raise ValueError(
            f"{where}: {len(granules)} granules in it ({', '.join(sorted(granules)[:2])}"
            "...); give the folder of one, or mosaic them first (gdalbuildvrt)"
        )
    optical, radar = _chosen(where, rasters, _OPTICAL), _chosen(where, rasters, _RADAR)
    if optical and radar:
        raise ValueError(
            f"{where}: files of Sentinel-1 and of Sentinel-2 in one folder; give each "
            "a folder of its own"
        )
    if not optical and not radar:
        kind = "a folder" if where.local and where.local.is_dir() else "an archive"
        raise ValueError(
            f"{where}: {kind}, and no file in it is named by a band (B02.tif, "
            "..._B02_10m.jp2, ..._VV.tif); give a raster file such as a GeoTIFF"
        )
    order = {name: number for number, name in enumerate((*_BAND_IDS, "VV", "VH"))}
    chosen = {**optical, **radar}
    bands = {b: chosen[b] for b in sorted(chosen, key=lambda b: order.get(b, 99))}
    classes = _chosen(where, rasters, _CLASSES).get("SCL") if optical else None
    about = [f for f in files if _METADATA.fullmatch(PurePosixPath(f).name)]
    if not optical or not about:
        return Product(where, bands, classes)
    return Product(where, bands, classes, *_radiometry(where, about[0]), about[0])


def _chosen(
    where: Location, rasters: list[str], kind: re.Pattern[str]
) -> dict[str, str]:
    """Files by name of band, the finest where there are several resolutions."""
    files: dict[str, tuple[int, str]] = {}
    for file in rasters:
        path = PurePosixPath(file)
        names = {name.upper() for name in kind.findall(_RESOLUTION.sub("", path.stem))}
        if len(names) != 1:
            continue
        band = names.pop()
        band = f"B{int(band[1:]):02d}" if re.fullmatch(r"B\d{1,2}", band) else band
        digits = _RESOLUTION.search(path.stem) or re.fullmatch(
            r"R(\d\d)m", path.parent.name
        )
        size = int(digits[1]) if digits else 0
        before = files.get(band)
        if before is not None and before[0] == size:
            raise ValueError(
                f"{where}: two files of band {band} ({PurePosixPath(before[1]).name}, "
                f"{path.name}); give a folder with one file for each band"
            )
        if before is None or size < before[0]:
            files[band] = (size, file)
    return {band: file for band, (_, file) in files.items()}


def _radiometry(where: Location, file: str) -> tuple[str, float, dict[str, float]]:
    """Level, scale and offset of every band from a product's metadata."""
    match = _METADATA.fullmatch(PurePosixPath(file).name)
    assert match is not None
    level = (match[1] or match[2]).upper()
    try:
        root = ElementTree.fromstring(_read(file))
        quantification = float(_text(root, "BOA_QUANTIFICATION_VALUE", level))
    except (ElementTree.ParseError, TypeError, ValueError, OSError, KeyError) as error:
        raise ValueError(
            f"{where}: {PurePosixPath(file).name} says no quantification value "
            f"({error}); download the product again"
        ) from error
    scale = 1 / quantification
    tag = "BOA_ADD_OFFSET" if level == "L2A" else "RADIO_ADD_OFFSET"
    offsets = {
        _BAND_IDS[int(e.get("band_id", "-1"))]: float(e.text or 0) * scale
        for e in root.iter(tag)
    }
    return level, scale, {band: offsets.get(band, 0.0) for band in _BAND_IDS}


def _text(root: ElementTree.Element, name: str, level: str) -> str:
    """The quantification value; of L2A before 2017 and of L1C under other names."""
    names = [name, f"L2A_{name}", "L1C_L2A_QUANTIFICATION_VALUE"]
    names = names if level == "L2A" else ["QUANTIFICATION_VALUE"]
    for wanted in names:
        for element in root.iter(wanted):
            return str(element.text)
    raise KeyError(names[0])


def _read(file: str) -> bytes:
    if not file.startswith("/vsizip/"):
        return Path(file).read_bytes()
    where = Location(file)
    assert where.container is not None
    with zipfile.ZipFile(where.container) as archive:
        return archive.read(file.removeprefix(f"/vsizip/{where.container}/"))


def virtual(product: Product) -> str:
    """The dataset of a product: the text of a VRT, or the name of its only file.

    Raises
    ------
    ValueError
        If a file is broken, or lies in another projection than the others.
    """
    if "" in product.bands:
        return product.bands[""]
    sizes = {name: _shape(product, file) for name, file in product.bands.items()}
    finest = min(sizes.values(), key=lambda s: s.transform.a)
    place = finest.transform
    height, width = finest.shape
    for name, size in sizes.items():
        if size.crs != finest.crs:
            raise ValueError(
                f"{product.where}: {name} lies in {size.crs}, other bands in "
                f"{finest.crs}; give bands of one projection"
            )
    tags = {STATED: "yes" if product.scale else "", LEVEL: _level(product)}
    items = "".join(f'<MDI key="{k}">{v}</MDI>' for k, v in tags.items() if v)
    inner = "".join(
        _band_xml(product, number, name, sizes[name], place)
        for number, name in enumerate(product.bands, 1)
    )
    corners = ", ".join(map(repr, place.to_gdal()))
    srs = escape(finest.crs.to_wkt()) if finest.crs else ""
    return (
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}"><SRS>{srs}</SRS>'
        f"<GeoTransform>{corners}</GeoTransform><Metadata>{items}</Metadata>"
        f"{inner}</VRTDataset>"
    )


def _level(product: Product) -> str:
    return f"Level-{product.level[1:]}" if product.level else ""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The facts of a file that a VRT needs."""

    shape: tuple[int, int]
    transform: Any
    crs: Any
    dtype: str
    nodata: float | None
    scale: float
    offset: float


def _shape(product: Product, file: str) -> _Shape:
    try:
        with rasterio.open(file) as d:
            size = _Shape(
                d.shape,
                d.transform,
                d.crs,
                d.dtypes[0],
                d.nodata,
                d.scales[0],
                d.offsets[0],
            )
            count = d.count
    except rasterio.errors.RasterioError as error:
        name = PurePosixPath(file).name
        raise ValueError(
            f"{product.where}: {name} is not a readable raster, or cut short; download "
            "it again"
        ) from error
    if count != 1 or size.transform.b or size.transform.d or size.transform.is_identity:
        what = f"{count} bands" if count != 1 else "no place, or one that is turned"
        raise ValueError(
            f"{product.where}: {PurePosixPath(file).name} has {what}; expected one band "
            "with a place, north up"
        )
    return size


_TYPES = {"uint8": "Byte", "int8": "Int8"}


def _band_xml(
    product: Product, number: int, name: str, size: _Shape, place: Any
) -> str:
    """One band, put where its corner lies on the grid of the finest."""
    h, w = size.shape
    left, top = ~place * (size.transform.c, size.transform.f)
    wide = size.transform.a / place.a * w
    high = size.transform.e / place.e * h
    scale, offset, nodata = size.scale, size.offset, size.nodata
    if product.scale is not None and product.offsets is not None:
        scale, offset = product.scale, product.offsets[name]
        # Since the offset was introduced, 0 is no data in every band, and only that.
        nodata = 0 if offset else nodata
    kind = _TYPES.get(size.dtype, size.dtype.capitalize().replace("Uint", "UInt"))
    tag = "" if nodata is None else f"<NoDataValue>{nodata}</NoDataValue>"
    file = escape(product.bands[name])
    return (
        f'<VRTRasterBand dataType="{kind}" band="{number}">'
        f"<Description>{name}</Description>{tag}"
        f"<Offset>{offset!r}</Offset><Scale>{scale!r}</Scale>"
        f'<SimpleSource><SourceFilename relativeToVRT="0">{file}</SourceFilename>'
        f'<SourceBand>1</SourceBand><SrcRect xOff="0" yOff="0" xSize="{w}" ySize="{h}"/>'
        f'<DstRect xOff="{round(left, 6)}" yOff="{round(top, 6)}" '
        f'xSize="{round(wide, 6)}" ySize="{round(high, 6)}"/>'
        "</SimpleSource></VRTRasterBand>"
    )
