"""What a file's values say about their units, and what looks wrong in them.

Products are often stored otherwise than their users think: backscatter as linear
power, Sentinel-2 with the offset of -1000 not applied, everything nodata. A sample of
the values gives it away. What was only assumed is corrected and said; what the user
said and the values contradict is refused. `overcast.geo.gate` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from overcast.geo.bands import (
    SENTINEL_1,
    SENTINEL_2,
    SENTINEL_2_L1C,
    Encoding,
    Sensor,
)
from overcast.geo.dataset import dataset_of, placed
from overcast.geo.gate import admit_own
from overcast.geo.gate_optical import admit_sentinel_2
from overcast.geo.gate_radar import Units, admit_sentinel_1
from overcast.geo.image_file import ImageFile, image_file
from overcast.geo.location import FilePath
from overcast.geo.stack import ImageSource
from overcast.geo.stored import file_bands

Opened_co = TypeVar("Opened_co", bound=ImageSource, covariant=True)


@dataclass(frozen=True, slots=True)
class Checked(Generic[Opened_co]):
    """An opened image, and what was noticed about it, a sentence each."""

    image: Opened_co
    notes: tuple[str, ...] = ()


def open_sentinel_1(
    path: FilePath, units: Units = "auto", trust: bool = False
) -> Checked[ImageFile]:
    """Open Sentinel-1 backscatter, in dB, as linear power or as amplitude.

    Scale and offset tags of the file are applied first. Amplitude is only taken for it
    where `units` say so.

    Raises
    ------
    ValueError
        If `units` are said and the values are not in them (unless `trust`), if the
        values are none of them or could be two, if the file has other polarisations,
        or if it is missing, broken or can't be placed.
    """
    stored = file_bands(path, SENTINEL_1)
    placed(path, dataset_of(path))
    admitted = admit_sentinel_1(stored, SENTINEL_1, units, trust)
    return Checked(image_file(stored, admitted), admitted.notes)


def open_sentinel_2(
    path: FilePath,
    offset: int | None = None,
    bands: tuple[str, ...] | None = None,
    trust: bool = False,
) -> Checked[ImageFile]:
    """Open Sentinel-2 reflectance, L2A or L1C, on whatever scale it is stored.

    Parameters
    ----------
    path
        A raster of at least one surface band.
    offset
        Offset of the product in digital numbers: 0, or -1000 since processing
        baseline 04.00. None: taken from the file's scale and offset tags, else
        noticed by its values.
    bands
        Names of the bands in order, where the file does not say.
    trust
        Take `offset` as said, whatever the values look like.

    Raises
    ------
    ValueError
        If no scale makes the values reflectance, or several do; if an offset is said
        and the values contradict it; if bands have names of something else, or have
        none and spectra are not in the expected order; or if the file is missing,
        broken or can't be placed.
    """
    stored = file_bands(path, SENTINEL_2)
    placed(path, dataset_of(path))
    sensor = {"L1C": SENTINEL_2_L1C, "L2A": SENTINEL_2}.get(stored.level)
    admitted = admit_sentinel_2(stored, offset, bands, trust, sensor, stored.stated)
    return Checked(image_file(stored, admitted), admitted.notes)


def open_checked(
    path: FilePath, sensor: Sensor, encoding: Encoding, trust: bool = False
) -> Checked[ImageFile]:
    """Open a user's own sensor; values far outside its bands' range are said.

    Raises
    ------
    ValueError
        If `overcast.geo.image_file.open_image` refuses the file, a band of the sensor
        is not in it, every pixel is nodata, or (unless `trust`) all have the same values.
    """
    stored = file_bands(path, sensor)
    placed(path, dataset_of(path))
    admitted = admit_own(stored, sensor, encoding, trust)
    return Checked(image_file(stored, admitted), admitted.notes)
