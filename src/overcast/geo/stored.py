"""An image as it is stored: numbers of bands, and what is said of them.

A raster file and an array answer the same questions, so that one gate looks at both:
names, scales, offsets and nodata of bands, stored values of any part, and where a mask
hides them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from overcast.geo.band_names import resolve
from overcast.geo.bands import Encoding, Sensor
from overcast.geo.dataset import dataset_of, open_raster
from overcast.geo.location import FilePath
from overcast.geo.products import LEVEL, STATED
from overcast.geo.validity import FILLS, Validity, decode, numbers

Spans = tuple[slice, slice]
Values = NDArray[Any]
Hidden = NDArray[np.bool_] | None

_SAMPLE_PX = 512
_LARGE_PX, _PLACES = 4096, 8
"""Of images above it, windows at 8 x 8 places are read, not every block of the file."""


@dataclass(frozen=True, slots=True)
class Tag:
    """The tags of one band of a file or an array."""

    name: str
    dtype: str
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None


class Stored(Protocol):
    """Bands of a file or an array, as they are stored."""

    @property
    def what(self) -> str:
        """File or array, as messages name it."""
        ...

    @property
    def how(self) -> str:
        """Say what to do if bands have no names, or wrong ones."""
        ...

    @property
    def tags(self) -> tuple[Tag, ...]:
        """Return the tags of every band."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...

    @property
    def thinned(self) -> bool:
        """Return whether it has overviews, which mix fill values with observed ones."""
        ...

    def read(
        self, places: Sequence[int], spans: Spans, shape: tuple[int, int] | None = None
    ) -> tuple[Values, Hidden]:
        """Values ``[C, h, w]`` of the bands at `places`, and what a mask hides.

        With `shape`, so many rows and columns of it, the ones between left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Masks:
    """The masks of a raster file that say what was not seen.

    Attributes
    ----------
    bands
        Numbers of bands whose mask is read: internal masks and ``.msk`` files.
    alpha
        Number of the alpha band, or 0.
    """

    bands: tuple[int, ...] = ()
    alpha: int = 0


def masks_of(dataset: Any, indexes: Sequence[int], alpha: int = 0) -> Masks:
    """Masks of bands `indexes` that are more than nodata tags."""
    own: list[int] = []
    for index in indexes:
        flags = {flag.name for flag in dataset.mask_flag_enums[index - 1]}
        if flags & {"all_valid", "alpha"} or flags == {"nodata"}:
            continue
        own.append(index)
        if "per_dataset" in flags:
            break
    return Masks(tuple(own), alpha)


def read_file(
    path: FilePath,
    indexes: Sequence[int],
    masks: Masks,
    spans: Spans,
    shape: tuple[int, int] | None = None,
) -> tuple[Values, Hidden]:
    """Stored values ``[C, h, w]`` of a part of a file, and what its masks hide."""
    dataset, window = dataset_of(path), rasterio.windows.Window.from_slices(*spans)
    here = (
        {"window": window} if shape is None else {"window": window, "out_shape": shape}
    )

    def bands(numbers: Sequence[int]) -> dict[str, Any]:
        size = {} if shape is None else {"out_shape": (len(numbers), *shape)}
        return {"indexes": list(numbers), "window": window, **size}

    values = dataset.read(**bands(indexes))
    hidden: Hidden = None
    if masks.bands:
        hidden = (dataset.read_masks(**bands(masks.bands)) == 0).any(0)
    if masks.alpha:
        clear = np.asarray(dataset.read(masks.alpha, **here) == 0, np.bool_)
        hidden = clear if hidden is None else hidden | clear
    return values, hidden


@dataclass(frozen=True, slots=True)
class FileBands:
    """Bands of a raster file, without its alpha band; make it with `file_bands`."""

    path: FilePath
    tags: tuple[Tag, ...]
    indexes: tuple[int, ...]
    """Numbers of the bands in the file, from 1."""
    masks: Masks
    level: str = ""
    """Processing level by the product's own metadata: L1C, L2A; or nothing."""
    stated: bool = False
    """Whether scale and offset tags are those of the product's own metadata."""

    @property
    def what(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def how(self) -> str:
        """Say what to do if bands have no names, or wrong ones."""
        return "set the file's band descriptions (gdal_edit.py, rasterio)"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        h, w = dataset_of(self.path).shape
        return h, w

    @property
    def thinned(self) -> bool:
        """Return whether the file has overviews."""
        return bool(dataset_of(self.path).overviews(1))

    def read(
        self, places: Sequence[int], spans: Spans, shape: tuple[int, int] | None = None
    ) -> tuple[Values, Hidden]:
        """Values ``[C, h, w]`` of the bands at `places`, and what masks hide."""
        indexes = [self.indexes[place] for place in places]
        return read_file(self.path, indexes, self.masks, spans, shape)


def file_bands(path: FilePath, sensor: Sensor) -> FileBands:
    """Bands of a raster file that may be those of `sensor`.

    Raises
    ------
    ValueError
        If the file is missing or broken.
    """
    dataset = open_raster(path)
    names = tuple((text or "").strip() for text in dataset.descriptions)
    alpha = _alpha(dataset, names, sensor)
    indexes = tuple(i for i in dataset.indexes if i != alpha)
    tags = tuple(
        Tag(
            names[i - 1],
            dataset.dtypes[i - 1],
            dataset.scales[i - 1],
            dataset.offsets[i - 1],
            dataset.nodatavals[i - 1],
        )
        for i in indexes
    )
    about = dataset.tags()
    level = about.get(LEVEL, "").removeprefix("Level-")[:2]
    return FileBands(
        path,
        tags,
        indexes,
        masks_of(dataset, indexes, alpha),
        level={"1C": "L1C", "2A": "L2A"}.get(level, ""),
        stated=STATED in about,
    )


def _alpha(dataset: Any, names: tuple[str, ...], sensor: Sensor) -> int:
    """Number of the alpha band, or 0.

    GDAL calls the fourth of four bands of bytes alpha, whatever it is: a band that the
    sensor has by name, or by their number in a picture of bytes, is that band.
    """
    places = [i for i, c in enumerate(dataset.colorinterp, 1) if c == ColorInterp.alpha]
    if len(places) != 1:
        return 0
    named = set(resolve([names[places[0] - 1]], sensor)) & set(sensor.names)
    bytes_of_it = dataset.dtypes[0] == "uint8" and any(
        len(layout) == dataset.count for layout in sensor.layouts
    )
    unnamed = not any(names)
    return 0 if named or (bytes_of_it and unnamed) else places[0]


def seen_sample(
    stored: Stored, places: Sequence[int], encoding: Encoding, validity: Validity
) -> Values:
    """Stored values ``[C, N]`` of up to 512 x 512 seen pixels all over the image.

    What is seen is by `encoding` and `validity`; values that are no numbers, or -9999
    and the like, are left out as well. Where a sample holds one pixel or the same one
    again and again, more of the image is read.

    Raises
    ------
    ValueError
        If no pixel of the whole image is seen.
    """
    alike: Values | None = None
    for values, hidden in _parts(stored, places):
        flat = values.reshape(len(values), -1)
        mask = None if hidden is None else hidden.ravel()
        seen = np.isfinite(decode(flat, encoding, validity, mask)).all(0)
        seen &= numbers(flat)
        if _differ(flat[:, seen]):
            return np.asarray(flat[:, seen])
        if alike is None and seen.any():
            alike = np.asarray(flat[:, seen])
    if alike is not None:
        return alike
    tags = [stored.tags[place].nodata for place in places]
    said = ", ".join(sorted({f"{tag:g}" for tag in tags if tag is not None}))
    raise ValueError(
        f"{stored.what}: every pixel is nodata (tag {said or None}); give an image with "
        "observations"
    )


def _differ(pixels: Values) -> bool:
    """Return whether pixels ``[C, N]`` differ, but for fill values without a tag."""
    if len(pixels) > 1:
        same = (pixels == pixels[:1]).all(0)
        pixels = pixels[:, ~(same & np.isin(pixels[0], FILLS))]
    return pixels.shape[1] > 1 and bool((pixels != pixels[:, :1]).any())


def raw_sample(stored: Stored, places: Sequence[int]) -> tuple[Values, Hidden]:
    """Stored values ``[C, N]`` of up to 512 x 512 pixels, and what a mask hides."""
    values, hidden = next(_parts(stored, places))
    return values.reshape(len(values), -1), None if hidden is None else hidden.ravel()


def _parts(stored: Stored, places: Sequence[int]) -> Iterator[tuple[Values, Hidden]]:
    """A sample, and then, for who finds nothing there, all of the image in pieces."""
    h, w = stored.shape
    if max(h, w) <= (_SAMPLE_PX if stored.thinned else _LARGE_PX):
        shape = min(h, _SAMPLE_PX), min(w, _SAMPLE_PX)
        yield stored.read(places, (slice(0, h), slice(0, w)), shape)
    else:
        yield _windows(stored, places)
    for row in range(0, h, _SAMPLE_PX):
        yield stored.read(places, (slice(row, min(row + _SAMPLE_PX, h)), slice(0, w)))


def _windows(stored: Stored, places: Sequence[int]) -> tuple[Values, Hidden]:
    side = _SAMPLE_PX // _PLACES
    rows, columns = (
        np.linspace(0, max(n - side, 0), _PLACES).astype(int).tolist()
        for n in stored.shape
    )
    h, w = stored.shape
    # A window that reaches over the edge of a narrow image is cut there.
    parts = [
        stored.read(places, (slice(r, min(r + side, h)), slice(c, min(c + side, w))))
        for r in rows
        for c in columns
    ]
    values = np.concatenate([part for part, _ in parts], axis=2)
    if all(hidden is None for _, hidden in parts):
        return values, None
    filled = [
        np.zeros(part.shape[1:], np.bool_) if hidden is None else hidden
        for part, hidden in parts
    ]
    return values, np.concatenate(filled, axis=1)
