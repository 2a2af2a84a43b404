"""Sensors and labels on one grid, read by window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar, runtime_checkable

from odc.geo.geobox import GeoBox

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.location import FilePath
from overcast.geo.raster import Image, Labels
from overcast.geo.series import Moments, only, series_of
from overcast.geo.tiling import Window

Read_co = TypeVar("Read_co", Image, Labels, covariant=True)


class Source(Protocol[Read_co]):
    """Anything that can be read onto a grid: a GeoTIFF, an array, a world."""

    @property
    def grid(self) -> GeoBox:
        """The grid that the source comes on."""
        ...

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of the pieces it reads at once; (1, 1) in memory."""
        ...

    def read(self, grid: GeoBox) -> Read_co:
        """Values on `grid`, warped at most once; unknown where there are none."""
        ...


class ImageSource(Source[Image], Protocol):
    """A source of images of one sensor."""

    @property
    def sensor(self) -> Sensor:
        """Return the sensor, whose bands it gives."""
        ...


class LabelSource(Source[Labels], Protocol):
    """A source of classes of one legend."""

    @property
    def legend(self) -> Legend:
        """Return the legend of the classes that it gives."""
        ...


@runtime_checkable
class OfFile(Protocol):
    """A source whose values are in a file, or in memory as those of another source."""

    @property
    def path(self) -> FilePath | None:
        """Path or address of the file; None if there is none."""
        ...


@runtime_checkable
class Described(Protocol):
    """A source that messages name in words."""

    @property
    def what(self) -> str:
        """Words for it."""
        ...


@runtime_checkable
class Noting(Protocol):
    """A source of which something was noticed when it was opened."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what was noticed, a sentence each."""
        ...


def file_of(source: object) -> FilePath | None:
    """File of a source; None of one in memory."""
    return source.path if isinstance(source, OfFile) else None


def notes_of(source: object) -> tuple[str, ...]:
    """Return what was noticed when a source was opened."""
    return source.notes if isinstance(source, Noting) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A window of a stack: every sensor and the labels on one small grid.

    `moments` say which images are observations of a series (`overcast.geo.series`).
    """

    images: Mapping[str, Image]
    labels: Labels | None
    grid: GeoBox
    moments: Moments = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Images of several sensors, and labels or none, to be read on one grid.

    Attributes
    ----------
    grid
        The grid of everything that is read.
    images
        Name (``s1``, ``s2``, ...) to source.
    labels
        Source of classes, or None.
    others
        Further sources of classes, of the same legend; `read` passes them over.
    targets
        Names of images to learn from that mapping does without, such as the
        cloud-free twin of a cloudy image or class probabilities.
    moments
        Of images that are one of several dates, the series and the day
        (`overcast.geo.series`); none of single images.
    """

    grid: GeoBox
    images: Mapping[str, ImageSource]
    labels: LabelSource | None = None
    targets: frozenset[str] = frozenset()
    others: tuple[LabelSource, ...] = ()
    moments: Moments = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.images:
            raise ValueError("a stack needs at least one image")
        if not self.targets < self.images.keys():
            raise ValueError(
                f"targets {sorted(self.targets)} must be some of the images "
                f"{sorted(self.images)}, not all"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        h, w = self.grid.shape
        return int(h), int(w)

    @property
    def sensors(self) -> dict[str, Sensor]:
        """Name of every image or series that a map is made from to its sensor."""
        return {
            series_of(name, self.moments): source.sensor
            for name, source in self.images.items()
            if name not in self.targets
        }

    def only(self, names: Iterable[str]) -> Stack:
        """The same with these images and series alone, without labels and targets."""
        chosen = only(names, self.images, self.moments)
        return replace(
            self,
            images={name: self.images[name] for name in chosen},
            moments={n: m for n, m in self.moments.items() if n in chosen},
            labels=None,
            others=(),
            targets=frozenset(),
        )

    def apart(self) -> tuple[Stack, ...]:
        """The same images with each source of labels: this stack, if it has one."""
        sources = (self.labels, *self.others)
        return tuple(replace(self, labels=one, others=()) for one in sources)

    def read(self, window: Window) -> Chip:
        """Everything in `window`, which must lie inside the grid."""
        grid = self.grid[window.slices]
        return Chip(
            images={name: source.read(grid) for name, source in self.images.items()},
            labels=None if self.labels is None else self.labels.read(grid),
            grid=grid,
            moments=self.moments,
        )


def label_names(stacks: Sequence[Stack]) -> str:
    """Files of the labels of stacks, as messages name them."""
    sources = (stack.labels for stack in stacks if stack.labels is not None)
    return ", ".join(dict.fromkeys(map(name_of, sources)))


def image_names(stacks: Sequence[Stack]) -> str:
    """Names and files of the images of stacks, as messages name them."""
    names = (
        f"{name} ({name_of(source)})"
        for stack in stacks
        for name, source in stack.images.items()
    )
    return ", ".join(dict.fromkeys(names))


def name_of(source: object) -> str:
    """File or array of a source, as messages name it."""
    if (path := file_of(source)) is not None:
        return str(path)
    return source.what if isinstance(source, Described) else "in memory"


def file_name_of(source: object) -> str:
    """File name of a source, without its folder."""
    path = file_of(source)
    return "in memory" if path is None else path.name


def agree(stacks: Sequence[Stack]) -> Stack:
    """Check that stacks can be learned from together; the first with labels.

    Raises
    ------
    ValueError
        If none has labels, or two differ in sensors or legend.
    """
    labelled = [stack for stack in stacks if stack.labels is not None]
    if not labelled:
        raise ValueError("nothing to learn from: no labels; give --labels")
    first = labelled[0]
    assert first.labels is not None
    for stack in stacks:
        if stack.sensors != first.sensors:
            raise ValueError(
                "scenes to learn from must have the same images: "
                f"{', '.join(first.sensors)} and {', '.join(stack.sensors)}"
            )
        if stack.labels is not None and stack.labels.legend != first.labels.legend:
            raise ValueError(
                "scenes to learn from must have one legend: "
                f"{first.labels.legend.name} and {stack.labels.legend.name}"
            )
    return first
