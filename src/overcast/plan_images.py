"""What a plan says of an image: its files, each with a day, and their masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from overcast.geo.items import members_of
from overcast.geo.location import Location
from overcast.limits import check_limits

LATER = {"left out": "at its default"}
"""Of a key that is newer than plans that were written: their fingerprints stay."""
NO_MASK = "none"
"""Path of a mask that is none, though the product of the image has one."""


DILATION = 40.0
"""Metres around what scene classes hide that count as hidden, where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskInput:
    """A raster of codes, of which those in `hidden` hide the ground of an image.

    Without `hidden`, it is the scene classification (SCL) of a Sentinel-2 product. A
    `path` of ``none`` leaves out the one that a product comes with. What it hides is
    made wider by `dilation` metres, since masks miss the edges of clouds.
    """

    path: str
    hidden: tuple[int, ...] | None = None
    dilation: float = field(default=0.0, metadata=LATER)

    def __post_init__(self) -> None:
        """Check the dilation, in metres."""
        check_limits(self, dilation=(0, 10_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationInput:
    """One file of an image of several, its `day`, and its own `mask`.

    Files of one day and orbit are parts of one observation. Without a `day` or an
    `orbit` (ascending or descending), the file says it (`overcast.geo.times`).
    """

    path: str
    day: date | None = None
    orbit: Literal["ascending", "descending"] | None = None
    mask: MaskInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """A file, or several `dates`, of one sensor.

    `sensor` is sentinel-1, sentinel-2, class-probabilities or a TOML.

    A `target` is learned from, and a map does without it: the cloud-free twin of a
    cloudy image, or class probabilities. What a `mask` hides counts as not observed.
    With `mosaic`, its files are parts of one image, whenever they were seen; where two
    saw a pixel, the first by path counts.
    """

    path: str = ""
    sensor: str
    units: Literal["auto", "db", "linear", "amplitude"] = "auto"
    offset: int | None = None
    bands: tuple[str, ...] | None = None
    target: bool = False
    mask: MaskInput | None = None
    dates: tuple[ObservationInput, ...] = field(default=(), metadata=LATER)
    mosaic: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        """Check the offset: products have 0 or -1000, mosaics something between."""
        check_limits(self, offset=(-10_000, 0))
        if bool(self.path) == bool(self.dates):
            raise ValueError(
                "an image has either a path or dates (each with a path); "
                f"got {'both' if self.path else 'neither'}"
            )
        if self.dates and self.mask is not None and self.mask.path != NO_MASK:
            raise ValueError(
                f"mask {self.mask.path}: an image of several dates has a mask in each "
                "of its dates; give it there"
            )

    @property
    def observations(self) -> tuple[ObservationInput, ...]:
        """Its files, one or several."""
        if self.dates:
            return self.dates
        return (ObservationInput(path=self.path, mask=self.mask),)

    @property
    def files(self) -> list[str]:
        """Its files, as the plan names them."""
        return [one.path for one in self.observations]

    @property
    def paths(self) -> list[str]:
        """Its files and then their masks."""
        masks = [one.mask for one in self.observations if one.mask is not None]
        return [*self.files, *(m.path for m in masks if m.path != NO_MASK)]

    def moved(self, path: Callable[[str], str], sensor: str) -> ImageInput:
        """The same with other paths."""

        def mask(given: MaskInput | None) -> MaskInput | None:
            if given is None or given.path == NO_MASK:
                return given
            return replace(given, path=path(given.path))

        dates = tuple(
            replace(one, path=path(one.path), mask=mask(one.mask)) for one in self.dates
        )
        where = path(self.path) if self.path else ""
        return replace(
            self, path=where, sensor=sensor, mask=mask(self.mask), dates=dates
        )


def with_members(image: ImageInput) -> ImageInput:
    """The same image; a collection of several STAC items is a file for each item.

    Raises
    ------
    MachineError
        If the server of a collection does not answer.
    """
    every = [(one, members_of(Location.of(one.path))) for one in image.observations]
    if not any(members for _, members in every):
        return image
    dates = tuple(
        replace(one, path=path)
        for one, members in every
        for path in ([member.text for member in members] or [one.path])
    )
    return replace(image, path="", dates=dates)
