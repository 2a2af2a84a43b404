"""A user's own sensor, described in a TOML file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from overcast.geo.bands import Band, Encoding, Sensor
from overcast.schema import from_tree, read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What the file holds."""

    name: str
    kind: Literal["optical", "sar"]
    bands: tuple[Band, ...]
    scale: float = 1.0
    offset: float = 0.0
    power: bool = False
    amplitude: bool = False
    nodata: float | None = None

    def __post_init__(self) -> None:
        """Check that there are bands, each with a name of its own."""
        names = [band.name for band in self.bands]
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"bands are {', '.join(names) or 'none'}; expected one or more, each "
                "name once"
            )
        units = [band.unit for band in self.bands]
        if not all(text.strip() for text in (self.name, *names, *units)):
            raise ValueError("an empty name or unit; expected a text")
        if self.scale == 0:
            raise ValueError("scale is 0, with which every pixel is the same")


def load_sensor(path: Path) -> tuple[Sensor, Encoding]:
    """Read a user's sensor from a TOML file.

    The file holds ``name``, ``kind`` (optical or sar), optionally ``scale``,
    ``offset``, ``power``, ``amplitude`` and ``nodata``, and a ``[[bands]]`` table per
    band of the raster in order: ``name``, ``unit``, ``low``, ``high``,
    ``wavelength_nm``.

    Raises
    ------
    ValueError
        If the file is not TOML, or a key is missing, unknown, or of another type.
    """
    tree = read_toml(path)
    nodata, endless = tree.get("nodata"), None
    if isinstance(nodata, float) and not math.isfinite(nodata):
        del tree["nodata"]  # the one key that may hold no finite number
        endless = nodata
    said = from_tree(_File, tree, path)
    names = tuple(band.name for band in said.bands)
    return Sensor(said.name, said.kind, said.bands, (names,)), Encoding(
        scale=said.scale,
        offset=said.offset,
        power=said.power,
        nodata=endless if endless is not None else said.nodata,
        amplitude=said.amplitude,
    )
