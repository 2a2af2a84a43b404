"""How much of an image a map covers, and what of it was observed or has labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from odc.geo.geobox import GeoBox

from overcast.geo.coverage import share_of
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import ImageSource, LabelSource

LEAST = 0.1
"""Share of the first image below which a map must be asked for."""
_WHOLE = 0.99
"""Share from which what is missing is a border."""
_FEW = 0.5
"""Share of labelled, or of observed, pixels below which it is said."""
_PIECES, _PIECE_PX = 6, 32
"""Pieces of an image along each axis that are looked at, and pixels along one."""
_LOOK_PX = 512


def on_extent(
    first: tuple[str, GeoBox],
    mapped: GeoBox,
    others: Mapping[str, GeoBox],
    *,
    small: bool,
) -> list[str]:
    """Say how much of the first image is mapped, and which inputs cut it.

    `first` is its name and grid, `others` are all inputs by name.

    Raises
    ------
    ValueError
        If it is less than a tenth, and no `small` overlap was allowed.
    """
    name, grid = first
    share = mapped.shape[0] * mapped.shape[1] / (grid.shape[0] * grid.shape[1])
    if share >= _WHOLE:
        return []
    shares = {n: share_of(grid, g) for n, g in others.items() if n != name}
    cutting = sorted((s, n) for n, s in shares.items() if s < _WHOLE)
    said = ", ".join(f"{n} covers {_percent(s)} of it" for s, n in cutting)
    if share < LEAST and not small:
        raise ValueError(
            f"{cutting[0][1] if cutting else name}: the inputs overlap in "
            f"{_percent(share)} of {name} only ({said}); give files of the same place, "
            "--grid FILE for a grid that is mapped whole, or --allow-small-overlap if "
            "so small a map is meant"
        )
    return [f"the map covers {_percent(share)} of {name}: {said}"]


def on_coverage(mapped: GeoBox, others: Mapping[str, GeoBox]) -> list[str]:
    """Say which inputs cover a part of the mapped grid only."""
    shares = {name: share_of(mapped, grid) for name, grid in others.items()}
    return [
        f"{name} covers {_percent(share)} of the grid that is mapped; it says nothing "
        "of the rest"
        for name, share in shares.items()
        if share < _WHOLE
    ]


def on_labels(name: str, labels: LabelSource, mapped: GeoBox) -> list[str]:
    """Say how little of a map a raster of labels has a class for."""
    height, width = (min(int(n), _LOOK_PX) for n in mapped.shape)
    look = mapped.zoom_to((height, width))
    share = float((labels.read(look).values != UNKNOWN).mean())
    if share >= _FEW:
        return []
    return [f"{name}: {_percent(share)} of the pixels that are mapped have a label"]


def on_seen(name: str, image: ImageSource, mapped: GeoBox) -> list[str]:
    """Say how little of a map an image has observations of, by pieces all over it."""
    seen = [
        image.read(mapped[rows, columns]).valid.ravel()
        for rows in _spans(mapped.shape[0])
        for columns in _spans(mapped.shape[1])
    ]
    share = float(np.concatenate(seen).mean())
    if share >= _FEW:
        return []
    return [
        f"{name}: about {_percent(share)} of the pixels that are mapped were observed; "
        "the rest is no data"
    ]


def _spans(length: int) -> list[slice]:
    """All of an axis, or evenly spaced pieces of it."""
    if length <= _PIECES * _PIECE_PX:
        return [slice(0, length)]
    starts = np.linspace(0, length - _PIECE_PX, _PIECES).astype(int).tolist()
    return [slice(start, start + _PIECE_PX) for start in starts]


def _percent(share: float) -> str:
    if share >= 0.995:  # a border is missing, so it is not all
        return "99.5 %"
    digits = (
        0
        if share >= 0.0995 or share == 0
        else np.clip(-np.floor(np.log10(share)) - 2, 1, 4)
    )
    return f"{100 * share:.{int(digits)}f} %"
