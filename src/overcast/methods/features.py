"""What a pixel classifier sees of a pixel: bands, indices, and speckle-free backscatter.

SAR is averaged in linear power, never in dB, and under the guidance of the optical
image where there is one (`overcast.methods.guided`), so along fields and not across
their borders. SAR alone is averaged over boxes of several sizes: there is nothing to
tell a field's border by, and speckle of five looks hides a class in a small box.
Everything depends on `halo_of` pixels around a pixel and on nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor, from_db, to_db
from overcast.geo.raster import Image
from overcast.geo.stack import Chip
from overcast.methods.boxes import Boxes
from overcast.methods.guided import guided

Floats = NDArray[np.float32]

_RADIUS = 3
_WIDER = (7, 15)
"""Radii of the boxes in which SAR without an optical image is averaged besides."""
_INDICES = {
    "NDVI": ("B08", "B04"),  # green vegetation; Rouse et al. 1974
    "NDWI": ("B03", "B08"),  # open water; McFeeters 1996
    "NDMI": ("B8A", "B11"),  # moisture of the canopy; Gao 1996
    "NDBI": ("B11", "B08"),  # built-up; Zha et al. 2003
}
_GUIDES = ("B04", "B08", "B11")


def halo_of(sensors: Mapping[str, Sensor]) -> int:
    """Pixels around a pixel that its features depend on."""
    # A guided filter averages over boxes of boxes.
    return 2 * _RADIUS if _has_optical(sensors) else max(_WIDER)


def _has_optical(sensors: Mapping[str, Sensor]) -> bool:
    return any(sensor.kind == "optical" for sensor in sensors.values())


def feature_names(sensors: Mapping[str, Sensor], filtered: bool = True) -> list[str]:
    """Names of what `pixel_features` gives, in order."""
    names = []
    wider = () if _has_optical(sensors) else _WIDER
    for name, sensor in sensors.items():
        names += [f"{name}.{band}" for band in sensor.names]
        if filtered and sensor.kind == "sar":
            names += [f"{name}.{band} filtered" for band in sensor.names]
            names += [
                f"{name}.{band} of {2 * radius + 1} x {2 * radius + 1} pixels"
                for radius in wider
                for band in sensor.names
            ]
        if filtered and sensor.kind == "optical":
            names += [f"{name}.{i}" for i, b in _INDICES.items() if sensor.index(*b)]
    return names


def pixel_features(
    chip: Chip, sensors: Mapping[str, Sensor], filtered: bool = True
) -> Floats:
    """Features float32 ``[F, h, w]``; NaN where their sensor saw nothing.

    With `filtered`, indices and multilooked backscatter join the bands.
    """
    guide = guide_of(chip, sensors) if filtered else None
    images = [chip.images[name] for name in sensors]
    layers = [layers_of(i, guide, sensors) if filtered else i.values for i in images]
    return np.concatenate(layers, dtype=np.float32)


class PixelFeatures(Protocol):
    """What a pixel classifier looks at."""

    def names(self, sensors: Mapping[str, Sensor], filtered: bool = True) -> list[str]:
        """Names of the features, in order."""
        ...

    def features(
        self, chip: Chip, sensors: Mapping[str, Sensor], filtered: bool = True
    ) -> Floats:
        """Features float32 ``[F, h, w]``; NaN where nothing was seen."""
        ...


@dataclass(frozen=True, slots=True)
class OneDate:
    """Features of single images."""

    def names(self, sensors: Mapping[str, Sensor], filtered: bool = True) -> list[str]:
        """Names, as `feature_names` gives them."""
        return feature_names(sensors, filtered)

    def features(
        self, chip: Chip, sensors: Mapping[str, Sensor], filtered: bool = True
    ) -> Floats:
        """Features, as `pixel_features` gives them."""
        return pixel_features(chip, sensors, filtered)


ONE_DATE = OneDate()


def layers_of(
    image: Image, guide: Image | None, sensors: Mapping[str, Sensor]
) -> Floats:
    """Bands of one image, then what is derived from them, float32 ``[F, h, w]``.

    Backscatter is averaged along `guide`; if none of all `sensors` is optical, over wider
    boxes besides.
    """
    layers = [image.values]
    wider = () if _has_optical(sensors) else _WIDER
    if image.sensor.kind == "sar":
        power = from_db(image.values)
        layers.append(to_db(_multilook(power, image.valid, guide)))
        for radius in wider:
            layers.append(to_db(_multilook(power, image.valid, None, radius)))
    if image.sensor.kind == "optical":
        layers += [index[None] for index in _indices(image)]
    return np.concatenate(layers, dtype=np.float32)


def _indices(image: Image) -> list[Floats]:
    indices = []
    for bands in _INDICES.values():
        if place := image.sensor.index(*bands):
            a, b = image.values[place[0]], image.values[place[1]]
            total = np.where(np.abs(a + b) < 1e-6, np.float32(np.nan), a + b)
            indices.append(np.clip((a - b) / total, -1, 1).astype(np.float32))
    return indices


def guide_of(chip: Chip, sensors: Mapping[str, Sensor]) -> Image | None:
    """The first optical image that can guide a filter, reduced to the guiding bands."""
    for name, sensor in sensors.items():
        image = chip.images[name]
        if sensor.kind != "optical" or not image.valid.any():
            continue
        place = sensor.index(*_GUIDES) or tuple(range(min(3, len(sensor.bands))))
        chosen = sensor.select(tuple(sensor.names[i] for i in place))
        return Image.of(image.values[list(place)], image.grid, chosen)
    return None


def _multilook(
    power: Floats,
    valid: NDArray[np.bool_],
    guide: Image | None,
    radius: int = _RADIUS,
) -> Floats:
    """Local means ``[P, h, w]`` of linear power, along the guide where it is valid."""
    boxes = Boxes(valid, radius)
    plain = np.stack([boxes.mean(boxes.known(p)) for p in power])
    if guide is None:
        return np.where(valid, plain, np.float32(np.nan))
    both = valid & guide.valid
    filtered = guided(guide, power, both, radius)
    # The linear fit may undershoot at bright points; power can't be negative.
    np.maximum(filtered, plain * np.float32(0.05), out=filtered)
    if both.all():
        return filtered
    return np.where(both, filtered, np.where(valid, plain, np.float32(np.nan)))
