"""A user's own sensor, described in a TOML file."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overcast.geo.bands import Band, Encoding, Sensor
from overcast.texts import read_text

_KEYS = {
    "name": "a text",
    "kind": "a text",
    "bands": "tables",
    "scale": "a finite number",
    "offset": "a finite number",
    "nodata": "a number",
    "power": "true or false",
    "amplitude": "true or false",
}
_BAND_KEYS = {
    "name": "a text",
    "unit": "a text",
    "low": "a finite number",
    "high": "a finite number",
    "wavelength_nm": "a finite number",
}
"""Keys of the file and of a band, and what they hold."""


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
    try:
        tree = tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from error
    try:
        return _sensor_of(tree)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _sensor_of(tree: dict[str, Any]) -> tuple[Sensor, Encoding]:
    _check(tree, _KEYS, ("name", "kind", "bands"), "the sensor")
    tables = tree.pop("bands")
    for number, table in enumerate(tables, 1):
        _check(table, _BAND_KEYS, ("name", "unit", "low", "high"), f"band {number}")
    bands = tuple(Band(**table) for table in tables)
    name, kind = tree.pop("name"), tree.pop("kind")
    if kind not in ("optical", "sar"):
        raise ValueError(f"kind is {kind!r}, expected 'optical' or 'sar'")
    names = tuple(band.name for band in bands)
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"bands are {', '.join(names) or 'none'}; expected one or more, each name "
            "once"
        )
    if tree.get("scale") == 0:
        raise ValueError("scale is 0, with which every pixel is the same")
    return Sensor(name, kind, bands, (names,)), Encoding(**tree)


def _check(
    table: Mapping[str, Any], keys: Mapping[str, str], needed: tuple[str, ...], of: str
) -> None:
    """Refuse keys that are unknown or missing, and values of another type."""
    for key, value in table.items():
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(keys)}"
            raise ValueError(f"{of} has an unknown key {key!r}; {hint}")
        if not _fits(value, keys[key]):
            raise ValueError(f"{key} of {of} is {value!r}, expected {keys[key]}")
    for key in needed:
        if key not in table:
            raise ValueError(f"{of} has no {key}; expected {', '.join(needed)}")


def _fits(value: Any, kind: str) -> bool:
    if kind == "a text":
        return isinstance(value, str) and bool(value.strip())
    if kind == "true or false":
        return isinstance(value, bool)
    if kind == "tables":
        return isinstance(value, list) and all(isinstance(t, dict) for t in value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (kind == "a number" or math.isfinite(value))
