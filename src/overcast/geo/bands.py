"""What a sensor measures, and how a file stores it.

A `Sensor` is an ordered set of `Band`s in physical units: surface reflectance (1 is
all light returned) for optical bands, backscatter in dB for SAR. An `Encoding` is how
one product writes those numbers: ``physical = stored * scale + offset``, or linear
power for SAR. The two are apart because a trained network belongs to a sensor, while
the offset of -1000 that Sentinel-2 products have had since processing baseline 04.00
(January 2022) belongs to a product.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["optical", "sar"]


@dataclass(frozen=True, slots=True)
class Band:
    """One band; `low` and `high` bound what land surfaces usually show.

    They define network units (0 at `low`, 1 at `high`) and are no limits: brighter
    pixels are above 1, up to `NETWORK_RANGE`.
    """

    name: str
    unit: str
    low: float
    high: float
    wavelength_nm: float | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(
                f"band {self.name}: low must be below high, got {self.low}..{self.high}"
            )


NETWORK_RANGE = (-1.0, 2.0)
"""Network units are clipped here, so that one bright target can't swamp a window."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """Named bands in order, and the band orders that files of this sensor come in.

    `layouts` are whole-file band orders, told apart by their length; a file whose
    bands carry names is matched by name instead.
    """

    name: str
    kind: Kind
    bands: tuple[Band, ...]
    layouts: tuple[tuple[str, ...], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bands, in order."""
        return tuple(band.name for band in self.bands)

    def select(self, names: tuple[str, ...]) -> Sensor:
        """Return the sensor with only these bands, in this order.

        Raises
        ------
        ValueError
            If a band is not of this sensor.
        """
        of = {band.name: band for band in self.bands}
        unknown = [name for name in names if name not in of]
        if unknown:
            raise ValueError(
                f"{self.name} has no band {', '.join(unknown)}; it has "
                f"{', '.join(self.names)}"
            )
        return Sensor(self.name, self.kind, tuple(of[n] for n in names), self.layouts)

    def index(self, *names: str) -> tuple[int, ...] | None:
        """Positions of `names`, or None where one is missing."""
        mine = self.names
        return tuple(map(mine.index, names)) if set(names) <= set(mine) else None

    def to_network(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Physical values ``[C, H, W]`` in network units; NaN becomes 0."""
        low, high = self._range
        with np.errstate(over="ignore"):  # an untagged nodata of -3.4e38
            scaled = np.clip((values - low) / (high - low), *NETWORK_RANGE)
        return np.asarray(np.nan_to_num(scaled, nan=0.0), np.float32)

    def from_network(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Physical values ``[C, H, W]`` of those in network units."""
        low, high = self._range
        return np.asarray(low + (high - low) * values, np.float32)

    @property
    def _range(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`low` and `high` of the bands ``[C, 1, 1]``."""
        ends = np.array([(b.low, b.high) for b in self.bands], np.float32)
        return ends[:, 0, None, None], ends[:, 1, None, None]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file stores a sensor's physical values.

    ``physical = stored * scale + offset``, with one scale and offset or one for every
    band. With `power` that is linear backscatter, and the physical value is ten times
    its logarithm in dB; with `amplitude` it is the square root of that, and the factor
    is twenty. `nodata` is the stored value that means "not observed" where all bands
    have it, whatever tags the file carries: 0 in every Sentinel-2 product.
    """

    scale: float | tuple[float, ...] = 1.0
    offset: float | tuple[float, ...] = 0.0
    power: bool = False
    nodata: float | None = None
    amplitude: bool = False

    def decode(self, stored: NDArray[np.generic]) -> NDArray[np.float32]:
        """Physical values of stored ones; power of zero or less is NaN."""
        with np.errstate(over="ignore", invalid="ignore"):  # fills of 1e300, infinity
            values = stored.astype(np.float32)
            values = values * _each(self.scale, values) + _each(self.offset, values)
        if self.power or self.amplitude:
            return to_db(values) * np.float32(2 if self.amplitude else 1)
        return values

    def select(self, places: tuple[int, ...]) -> Encoding:
        """Return the encoding of the bands at `places` alone."""
        scale, offset = (
            n if isinstance(n, float | int) else tuple(n[place] for place in places)
            for n in (self.scale, self.offset)
        )
        return replace(self, scale=scale, offset=offset)


def _each(
    number: float | tuple[float, ...], values: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A number, or one for every band of ``[C, ...]``."""
    array = np.asarray(number, np.float32)
    return array.reshape(-1, *[1] * (values.ndim - 1)) if array.ndim else array


def to_db(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear power as dB; NaN where power is not positive.

    Examples
    --------
    >>> to_db(np.float32([1.0, 0.1])).tolist()
    [0.0, -10.0]
    """
    positive = np.where(power > 0, power, np.nan)
    return np.asarray(10 * np.log10(positive), np.float32)


def from_db(db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Decibels as linear power.

    Examples
    --------
    >>> from_db(np.float32([0.0, -10.0])).round(3).tolist()
    [1.0, 0.10000000149011612]
    """
    return np.asarray(10 ** (db / 10), np.float32)


def _reflectance(name: str, wavelength_nm: float, high: float) -> Band:
    return Band(name, "reflectance", 0.0, high, wavelength_nm)


SENTINEL_1 = Sensor(
    "sentinel-1",
    "sar",
    (Band("VV", "dB", -25.0, 0.0), Band("VH", "dB", -32.5, -5.0)),
    layouts=(("VV", "VH"),),
)
"""C-band backscatter; the ranges are those of Schmitt 2020 and CloudSeg 2024."""

_SURFACE = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")

SENTINEL_2 = Sensor(
    "sentinel-2",
    "optical",
    (
        _reflectance("B02", 492, 0.25),
        _reflectance("B03", 560, 0.30),
        _reflectance("B04", 665, 0.35),
        _reflectance("B05", 704, 0.40),
        _reflectance("B06", 741, 0.50),
        _reflectance("B07", 783, 0.60),
        _reflectance("B08", 833, 0.60),
        _reflectance("B8A", 865, 0.60),
        _reflectance("B11", 1614, 0.55),
        _reflectance("B12", 2202, 0.50),
    ),
    layouts=(
        _SURFACE,
        ("B01", *_SURFACE[:8], "B09", *_SURFACE[8:]),
    ),
)
"""Surface reflectance (L2A): ten bands; B01 and B09 see the atmosphere, left out."""

SENTINEL_2_L1C = Sensor(
    "sentinel-2-l1c",
    "optical",
    SENTINEL_2.bands,
    layouts=(("B01", *_SURFACE[:8], "B09", "B10", *_SURFACE[8:]),),
)
"""The same bands at the top of the atmosphere: other numbers, so another sensor."""

BUILT_IN = {s.name: s for s in (SENTINEL_1, SENTINEL_2, SENTINEL_2_L1C)}

SENTINEL_2_SCALE = 1e-4
SENTINEL_2_ENCODING = Encoding(scale=SENTINEL_2_SCALE, nodata=0)
SENTINEL_2_OFFSET = -0.1
"""Offset since processing baseline 04.00: -1000 digital numbers."""


def canonical(name: str) -> str:
    """Band name as overcast writes it.

    Examples
    --------
    >>> [canonical(n) for n in ("B2", "b8a", "Sigma0_VV_db", "red")]
    ['B02', 'B8A', 'VV', 'red']
    """
    if match := re.fullmatch(r"[bB]0?(\d{1,2})([aA]?)", name.strip()):
        number, letter = match.groups()
        return f"B{number}A" if letter else f"B{int(number):02d}"
    polarisations = re.findall(r"(?<![A-Z])(VV|VH|HH|HV)(?![A-Z])", name.upper())
    if len(polarisations) == 1:  # a ratio such as VV/VH is neither
        return str(polarisations[0])
    return name.strip()


_COLOURS = {"red": "B04", "green": "B03", "blue": "B02", "nir": "B08"}


def standard_name(band: str) -> str:
    """Name of a band as Sentinel-2 calls it, if it is one of its or a plain colour.

    Examples
    --------
    >>> [standard_name(n) for n in ("red", "B8", "NIR", "VV", "swir")]
    ['B04', 'B08', 'B08', 'VV', 'swir']
    """
    return canonical(_COLOURS.get(band.lower(), band))
