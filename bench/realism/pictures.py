"""Quick-looks of worlds, and of the real tiles beside them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from bench.realism.measure import view_of
from numpy.typing import NDArray
from PIL import Image

from overcast.geo.legend import load_legend
from overcast.worlds.optical import see_optical
from overcast.worlds.radar import see_radar

Picture = NDArray[np.uint8]
_B02, _B03, _B04, _B08, _B11 = 0, 1, 2, 6, 8
_TILE_BANDS = (2, 3, 4, 5, 6, 7, 8, 9, 11, 12)
"""Of the 12 in a tile's s2_l2a.tif, those of a world, counted from 1."""
_GAP = 4


def panels(optical: NDArray[np.float64], db: NDArray[np.float64]) -> list[Picture]:
    """True colour, near infrared with short wave, and SAR, stretched alike everywhere."""
    true = optical[[_B04, _B03, _B02]] / 0.25
    false = optical[[_B08, _B11, _B04]] / np.array([0.5, 0.4, 0.25])[:, None, None]
    sar = [(db[0] + 20) / 20, (db[1] + 26) / 20, (db[0] - db[1]) / 15]
    return [_picture(true, 0.7), _picture(false, 1.0), _picture(np.stack(sar), 1.0)]


def world_panels(seed: int, size: int) -> list[Picture]:
    """Panels of a world, its truth last."""
    view = view_of(seed, size=size)
    legend = load_legend("simplified-igbp")
    colours = np.array([c.rgb for c in legend.classes], np.uint8)
    truth = colours[view.land.truth[view.inner]]
    seen = panels(see_optical(view) / 1e4, see_radar(view).astype(np.float64))
    return [*seen, truth]


def read_tile(folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Reflectance ``[10, H, W]`` and dB ``[2, H, W]`` of a real tile."""
    with rasterio.open(folder / "s2_l2a.tif") as s2:
        numbers = s2.read().astype(np.float64)
    with rasterio.open(folder / "s1_rtc.tif") as s1:
        db = s1.read().astype(np.float64)
    # Products since January 2022 carry +1000; the tiles say nothing of it.
    offset = 1000 if numbers.min() > 900 else 0
    bands = [numbers[b - 1] for b in _TILE_BANDS]
    return (np.stack(bands) - offset) / 1e4, db


def row(pictures: Sequence[Picture]) -> Picture:
    """Pictures beside each other."""
    gap = np.full((len(pictures[0]), _GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(parts, 1)


def sheet(rows: Sequence[Picture]) -> Picture:
    """Rows below each other."""
    gap = np.full((_GAP, rows[0].shape[1], 3), 255, np.uint8)
    parts = [part for one in rows for part in (one, gap)][:-1]
    return np.concatenate(parts, 0)


def save(picture: Picture, path: Path) -> None:
    """Write a JPEG: a quick-look needs no more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=82)


def inline(picture: Picture) -> str:
    """An HTML image that holds its own bytes."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=85)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{text}">'


def _picture(bands: NDArray[np.float64], power: float) -> Picture:
    shown = 255 * np.clip(bands, 0, 1) ** power
    return np.moveaxis(shown, 0, -1).astype(np.uint8)
