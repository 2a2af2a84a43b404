"""Several dates through the door for Python."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

import overcast as oc
from overcast.geo.bands import SENTINEL_1
from overcast.geo.raster import Image
from overcast.geo.series import days_of
from overcast.geo.xarrays import image_to_dataarray
from tests.rasters import BANDS, SPECTRA, utm, write

GRID = utm((32, 32))
MAY, JULY = date(2024, 5, 3), date(2024, 7, 5)


def file(folder: Path, name: str) -> Path:
    values = np.ones((10, 32, 32), np.uint16)
    values *= np.array(SPECTRA["crops"], np.uint16)[:, None, None]
    values += np.random.default_rng(0).integers(0, 30, values.shape).astype(np.uint16)
    return write(folder / name, values, GRID, nodata=0, names=BANDS)


def test_a_list_of_files_and_a_mapping_of_days(tmp_path: Path) -> None:
    files = [file(tmp_path, f"s2_{day}.tif") for day in (JULY, MAY)]
    scene = oc.scene(s2=files, trust=True, s2_offset=0)
    assert days_of(scene.stack) == (MAY, JULY)
    plain = [file(tmp_path, name) for name in ("a.tif", "b.tif")]
    by_day = dict(zip((MAY, "2024-07-05"), plain, strict=True))
    assert days_of(oc.scene(s2=by_day, trust=True, s2_offset=0).stack) == (MAY, JULY)


def test_arrays_by_their_days(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(-12, 2, (2, 32, 32)).astype(np.float32)
    array = image_to_dataarray(Image.of(values, GRID, SENTINEL_1), "s1")
    scene = oc.scene(s1={MAY: array, JULY: array}, s1_units="db")
    assert days_of(scene.stack) == (MAY, JULY)
    with pytest.raises(ValueError, match="is no day of an image"):
        oc.scene(s1=[array, array], s1_units="db")
