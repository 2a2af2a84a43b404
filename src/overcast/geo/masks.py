"""An image of which a mask hides parts: cloud becomes what it is, not observed.

A mask is a raster of classes, some of which hide the ground. Nothing needs one: a
network that learned under clouds knows them when it sees them.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy.ndimage import distance_transform_edt

from overcast.geo.bands import Sensor
from overcast.geo.coded_labels import CodedLabels
from overcast.geo.derived import Derived
from overcast.geo.label_array import LabelDataArray, codes_of_dataarray
from overcast.geo.label_file import LabelFile, open_codes
from overcast.geo.legend import LandClass, Legend
from overcast.geo.location import FilePath
from overcast.geo.raster import UNKNOWN, Image
from overcast.geo.stack import ImageSource, LabelSource

if TYPE_CHECKING:  # importing it takes long, and files need none of it
    import xarray

SCENE_CLASSES = Legend(
    "sentinel-2-scl",
    (
        LandClass(0, "No data", "000000"),
        LandClass(1, "Saturated or defective", "ff0000"),
        LandClass(2, "Dark area", "2f2f2f"),
        LandClass(3, "Cloud shadow", "643200"),
        LandClass(4, "Vegetation", "00a000"),
        LandClass(5, "Not vegetated", "ffe65a"),
        LandClass(6, "Water", "0000ff"),
        LandClass(7, "Unclassified", "808080"),
        LandClass(8, "Cloud, medium probability", "c0c0c0"),
        LandClass(9, "Cloud, high probability", "ffffff"),
        LandClass(10, "Thin cirrus", "64c8ff"),
        LandClass(11, "Snow or ice", "ff96ff"),
    ),
)
"""Scene classification of Sentinel-2 Level-2A products, at 20 m."""
CLOUDED = frozenset({0, 1, 3, 8, 9, 10})
"""Codes of it that hide the ground: no data, defects, cloud shadow, cloud, cirrus."""
_SCL = re.compile(r"(?<![A-Za-z0-9])SCL(?![A-Za-z0-9])", re.I)
_S2 = re.compile(r"(?<![A-Za-z0-9])(?:s2|sentinel-?2)(?![0-9A-Za-z])", re.I)
_METRES_PER_DEGREE = 111_320.0
_ANY = Legend("mask", tuple(LandClass(c, f"Code {c}", "808080") for c in range(255)))
"""Codes of a mask of which nothing is known."""


def is_scene_classes(name: str) -> bool:
    """Return whether a file holds scene classes by its name, which then has SCL in it."""
    return _SCL.search(name) is not None


def scene_classes_beside(image: Path) -> Path | None:
    """Scene classes of a file of Sentinel-2 that lie beside it, by their name.

    ``s2_DATE_scl.tif`` or ``scl_DATE.tif`` beside ``s2_DATE.tif``.
    """
    if not image.is_file() or is_scene_classes(image.name):
        return None
    names = [f"{image.stem}{part}{image.suffix}" for part in ("_scl", "_SCL")]
    if match := _S2.search(image.name):
        start, end = match.span()
        names += [f"{image.name[:start]}{w}{image.name[end:]}" for w in ("scl", "SCL")]
    beside = (image.parent / name for name in names)
    return next((path for path in beside if path.is_file()), None)


def open_mask(
    path: FilePath, hidden: Set[int] | None = None, grid: GeoBox | None = None
) -> LabelFile:
    """Open a cloud mask, and look once at what lies on `grid`, or at all of it.

    A nodata tag of the file is passed over: in scene classes, 0 is one of them. 255 is
    always no code, and hides nothing.

    Parameters
    ----------
    path
        A raster of one band of codes.
    hidden
        Codes that hide the ground; without them, the file must be a Sentinel-2 scene
        classification, and those are `CLOUDED`.
    grid
        That of the image which it masks.

    Raises
    ------
    ValueError
        If `overcast.geo.label_file.open_codes` refuses the file, a code is none from 0
        to 254, or what should be scene classes has no others than 0 and 1.
    """
    legend = legend_of_mask(str(path), hidden)
    mask = replace(open_codes(path, legend, tagged=False), nodata=(UNKNOWN,))
    _refuse_no_classes(mask, grid)
    return mask


def mask_from_dataarray(
    array: xarray.DataArray,
    hidden: Set[int] | None = None,
    grid: GeoBox | None = None,
) -> LabelDataArray:
    """Cloud mask of an array, looked at as `open_mask` does with a file.

    Raises
    ------
    ValueError
        If `overcast.geo.label_array.codes_of_dataarray` refuses the array, or
        `open_mask` would refuse such codes.
    """
    legend = legend_of_mask("mask", hidden)
    mask = codes_of_dataarray(array, legend, (UNKNOWN,), tagged=False)
    _refuse_no_classes(mask, grid)
    return mask


def legend_of_mask(what: str, hidden: Set[int] | None) -> Legend:
    """Legend of the codes of a mask; `hidden` are those that are said to hide.

    Raises
    ------
    ValueError
        If they are no codes.
    """
    if hidden is None:
        return SCENE_CLASSES
    if not hidden or not hidden <= set(_ANY.codes):
        raise ValueError(
            f"{what}: codes that hide the ground are whole numbers from 0 to 254, "
            f"one or more; got {sorted(hidden)}"
        )
    return _ANY


def _refuse_no_classes(mask: CodedLabels, grid: GeoBox | None) -> None:
    """Refuse a yes-or-no mask where scene classes are expected."""
    if mask.legend is not SCENE_CLASSES:
        return
    counts = counts_of(mask, grid)
    if counts.any() and counts[2:].sum() == 0:
        raise ValueError(
            f"{mask.what}: has no codes but 0 and 1, which a scene classification is "
            "not; say which codes hide the ground (--s2-hidden 1, or hidden: [1] in a "
            "plan)"
        )


def counts_of(mask: CodedLabels, grid: GeoBox | None = None) -> NDArray[np.int64]:
    """Pixels of every class of a mask on `grid`, or of all; unknown ones left out."""
    counts = mask.count(mask.grid if grid is None else grid)
    return np.array([counts[code] for code in mask.legend.codes], np.int64)


@dataclass(frozen=True, slots=True)
class Masked(Derived[ImageSource]):
    """An image as an `ImageSource`, invalid where its mask hides it.

    A pixel that the mask says nothing of is kept. Raises a ValueError if a code is not
    of the mask's legend.

    Attributes
    ----------
    source
        The image that is masked.
    mask
        Classes on a grid of their own.
    hidden
        Codes of the mask's legend that hide the ground.
    dilation
        Metres around what is hidden that are hidden as well.
    """

    mask: LabelSource
    hidden: Set[int] = CLOUDED
    dilation: float = 0.0

    def __post_init__(self) -> None:
        stray = self.hidden - set(self.mask.legend.codes)
        if stray:
            raise ValueError(
                f"codes {sorted(stray)} are not of the mask's legend "
                f"{self.mask.legend.name}, which has {sorted(self.mask.legend.codes)}"
            )

    @property
    def reads(self) -> tuple[ImageSource, LabelSource]:
        """The image, and what hides parts of it."""
        return self.source, self.mask

    @property
    def sensor(self) -> Sensor:
        """Return the sensor of the image."""
        return self.source.sensor

    def read(self, grid: GeoBox) -> Image:
        """The image on `grid`, NaN where it is hidden."""
        image = self.source.read(grid)
        hidden = self._hidden(grid)
        return Image.of(
            np.where(hidden, np.float32(np.nan), image.values), grid, image.sensor
        )

    def _hidden(self, grid: GeoBox) -> NDArray[np.bool_]:
        """Return where the mask hides the ground, made wider by `dilation`."""
        pixels = self.dilation / _metres(grid)
        reach = int(np.ceil(pixels)) if pixels >= 1 else 0
        around = grid.pad(reach) if reach else grid
        hidden = self._hiding[self.mask.read(around).values]
        if not reach:
            return hidden
        if hidden.any():
            hidden = distance_transform_edt(~hidden) <= pixels
        return np.asarray(hidden[reach:-reach, reach:-reach])

    @property
    def _hiding(self) -> NDArray[np.bool_]:
        """Return whether a class index hides the ground; `UNKNOWN` doesn't."""
        table = np.zeros(UNKNOWN + 1, np.bool_)
        codes = self.mask.legend.codes
        table[: len(codes)] = [code in self.hidden for code in codes]
        return table


def _metres(grid: GeoBox) -> float:
    """Side of a pixel in metres, about; of a grid in degrees, along a meridian."""
    side = abs(grid.resolution.y)
    degrees = grid.crs is not None and grid.crs.geographic
    return float(side * _METRES_PER_DEGREE if degrees else side)
