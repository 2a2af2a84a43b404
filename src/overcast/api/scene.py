"""Images of one place: files, xarray arrays or simulated ones, through one gate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np
import xarray
from odc.geo.geobox import GeoBox

from overcast.api.html import table
from overcast.api.place_settings import PlaceSettings
from overcast.geo.arrays import spatial_dims
from overcast.geo.bands import Sensor
from overcast.geo.location import Location
from overcast.geo.masks import scene_classes_beside
from overcast.geo.raster import Image
from overcast.geo.stack import Stack, name_of
from overcast.geo.times import day_of
from overcast.geo.xarrays import image_to_dataarray
from overcast.in_memory import InMemory, path_of
from overcast.input_images import Opened, open_images
from overcast.inputs import settle
from overcast.plan import NO_MASK, Data, ImageInput, MaskInput, ObservationInput
from overcast.plan_images import DILATION

if TYPE_CHECKING:
    from typing_extensions import Unpack

Path = str | os.PathLike[str]
Day = str | date | datetime | np.datetime64
One = Path | xarray.DataArray | xarray.Dataset | Image
"""What an image of one date may be: a path or an address, or an array."""
Given = One | Sequence[One] | Mapping[Day, One]
"""An image, or several of one sensor: in a list, or by their days."""
_PER_BAND = ("_FillValue", "missing_value", "nodata", "scale_factor", "add_offset")
_GRID = path_of("grid")


class ImageReading(TypedDict, total=False):
    """How images are read, where their values do not say.

    Attributes
    ----------
    s1_units
        What Sentinel-1 is stored in: auto, db, linear or amplitude.
    s2_offset
        Offset of the Sentinel-2 product in digital numbers, 0 or -1000.
    s2_bands
        Names of the bands of Sentinel-2 in order.
    hidden
        Codes of the mask that hide the ground; without them it is a Sentinel-2 scene
        classification (SCL).
    mask_dilation
        Metres around what the mask hides that count as hidden too; by default 40 for
        scene classes, and 0 for other codes.
    trust
        Take units and offset as said, whatever the values look like.
    small_overlap
        Map where inputs overlap even if that is hardly any of the first image.
    register
        Move images that lie a pixel or more beside the first optical one.
    """

    s1_units: Literal["auto", "db", "linear", "amplitude"]
    s2_offset: int
    s2_bands: tuple[str, ...]
    hidden: tuple[int, ...]
    mask_dilation: float
    trust: bool
    small_overlap: bool
    register: bool


class SceneSettings(ImageReading, PlaceSettings, total=False):
    """How images are read, and of a place: when, and from which source."""


@dataclass(frozen=True, eq=False, repr=False)
class Scene:
    """Images of one place on one grid; make it with `overcast.scene`.

    Attributes
    ----------
    data
        What is read, as a plan has it.
    memory
        Arrays and sensors that lie in no file.
    opened
        The images as they were opened, before labels join them.
    stack
        The images on the grid that they share.
    notes
        What was noticed while they were opened and checked, a sentence each.
    """

    data: Data
    memory: InMemory
    opened: Opened
    stack: Stack
    notes: tuple[str, ...]
    fingerprint: str

    @property
    def grid(self) -> GeoBox:
        """The grid that is mapped."""
        return self.stack.grid

    def __repr__(self) -> str:
        return "\n".join([f"<overcast.Scene {self._size()}>", *self._lines()])

    def _repr_html_(self) -> str:
        rows = (
            (name, image.sensor.name, ", ".join(image.sensor.names), name_of(image))
            for name, image in self.stack.images.items()
        )
        head = ("image", "sensor", "bands", "from")
        return table(f"Scene, {self._size()}", head, rows, self.notes)

    def _size(self) -> str:
        height, width = self.stack.shape
        crs, step = self.grid.crs, abs(self.grid.affine.a)
        place = "no CRS" if crs is None else f"EPSG:{crs.epsg}"
        if crs is not None and crs.epsg is None:
            place = crs.proj.name
        return f"{width} x {height} pixels of {step:g}, {place}"

    def _lines(self) -> Iterator[str]:
        for name, image in self.stack.images.items():
            yield f"  {name}: {image.sensor.name} ({', '.join(image.sensor.names)})"
        for note in self.notes:
            yield f"  note: {note}"


def scene(
    s1: Given | None = None,
    s2: Given | None = None,
    *,
    image: Mapping[str, tuple[Given, str | os.PathLike[str] | Sensor]] | None = None,
    mask: Path | xarray.DataArray | None = None,
    grid: Path | GeoBox | None = None,
    place: str | Sequence[float] | None = None,
    **reading: Unpack[SceneSettings],
) -> Scene:
    """Open images of one place and check them.

    Parameters
    ----------
    s1
        Sentinel-1 backscatter, VV and VH.
    s2
        Sentinel-2 surface reflectance. Several dates of a sensor are a list of files
        (which say when they were seen), or a mapping of days to files or arrays.
    image
        Further images by name: each a value, and its sensor, which is a `Sensor`, a
        name of a built-in one, or a TOML file.
    mask
        What hides the ground in `s2`: a scene classification (SCL), or any codes of
        which `hidden` says which hide. ``"none"`` leaves out that of a product.
    grid
        A grid to be mapped whole, or a file that has it. By default it is that of the
        first optical image, where all images overlap.
    **reading
        How values are read where they do not say: see `ImageReading`.

    Returns
    -------
    Scene
        Nothing is read yet but a sample of the values. Arrays of dask are read by
        window, and never computed whole. Images of a `place` are read from their
        servers, by window, whenever they are needed: `overcast.fetch` keeps them.

    Raises
    ------
    ValueError
        If there is no image, one is refused, or they do not overlap.
    MachineError
        If a server does not answer.

    Examples
    --------
    >>> import overcast as oc
    >>> box = (11.2, 48.0, 11.6, 48.3)
    >>> scene = oc.scene(place=box, year=2024, source="earth-search")  # doctest: +SKIP
    """
    if place is not None:
        _refuse_files(s1, s2, image, mask, reading)
        from overcast.api.place import scene_of_place

        return scene_of_place(place, grid, reading)
    if wanted := sorted(PlaceSettings.__annotations__.keys() & reading.keys()):
        raise ValueError(f"{wanted[0]}: of which place? give place as well")
    _refuse_unread(s1, s2, mask, reading)
    images: dict[str, ImageInput] = {}
    memory = InMemory()
    every = {"s1": (s1, "sentinel-1"), "s2": (s2, "sentinel-2"), **(image or {})}
    for name, (value, sensor) in every.items():
        if value is not None:
            entry, more = _entry(name, value, sensor)
            images[name], memory = _read_as(name, entry, reading), memory | more
    if mask is not None:
        hidden, more = _mask(mask, reading)
        images["s2"], memory = _with_mask(images["s2"], hidden), memory | more
    if isinstance(grid, GeoBox):
        memory = memory | InMemory(grids={_GRID: grid})
    data = Data(
        images=images,
        grid=_grid_text(grid),
        trust=reading.get("trust", False),
        small_overlap=reading.get("small_overlap", False),
        register=reading.get("register", False),
        mask_dilation=reading.get("mask_dilation", DILATION),
    )
    opened = open_images(data, memory)
    inputs = settle(opened, data, memory)
    return Scene(data, memory, opened, inputs.stack, inputs.notes, inputs.fingerprint)


def as_array(value: object, name: str) -> xarray.DataArray | None:
    """Array of a value that is none of a file; None if it is a path.

    Variables of a Dataset become bands. Dimensions of length one that are neither
    spatial nor bands are dropped.
    """
    if isinstance(value, Image):
        return image_to_dataarray(value, name)
    if isinstance(value, xarray.Dataset):
        value = _stacked(value)
    if not isinstance(value, xarray.DataArray):
        return None
    spatial = spatial_dims(value)
    single = [d for d in value.dims if d not in spatial and value.sizes[d] == 1]
    spare = value.ndim - 3
    dropped = [d for d in single if d not in ("band", "bands")][: max(spare, 0)]
    array = value.isel(dict.fromkeys(dropped, 0))
    if array.ndim == len(spatial):
        array = array.expand_dims("band")
    return array.rename(array.name or name)


def _stacked(dataset: xarray.Dataset) -> xarray.DataArray:
    """Bands of a Dataset in one array, with what each says of its values."""
    names = [n for n, v in dataset.data_vars.items() if spatial_dims(v)]
    if not names:
        raise ValueError(
            "a Dataset without a variable that has rows and columns; expected one for "
            "every band"
        )
    array = dataset[names].to_dataarray("band")
    for key in _PER_BAND:
        values = [
            dataset[n].attrs.get(key, dataset[n].encoding.get(key)) for n in names
        ]
        if key in ("scale_factor", "add_offset"):  # in encoding, it was applied
            values = [dataset[n].attrs.get(key) for n in names]
        if any(value is not None for value in values):
            array.attrs[key] = values
    return array


def _entry(
    name: str, value: Given, sensor: str | os.PathLike[str] | Sensor
) -> tuple[ImageInput, InMemory]:
    """An image as a plan has it, and what of it lies in no file."""
    if isinstance(value, Mapping) and not isinstance(value, xarray.Dataset):
        return _dates(name, list(value.items()), sensor)
    if isinstance(value, list | tuple):
        return _dates(name, [(None, one) for one in value], sensor)
    memory = InMemory()
    if isinstance(sensor, Sensor):
        memory |= InMemory(sensors={sensor.name: sensor})
        text = sensor.name
    else:
        text = os.fspath(sensor)
    if (array := as_array(value, name)) is not None:
        path = path_of(name)
        memory |= InMemory(arrays={path: array})
        return ImageInput(path=path, sensor=text), memory
    return ImageInput(path=path_text(value), sensor=text), memory


def _dates(
    name: str,
    values: list[tuple[Day | None, One]],
    sensor: str | os.PathLike[str] | Sensor,
) -> tuple[ImageInput, InMemory]:
    """An image of several dates; scene classes beside a file are its mask."""
    memory, dates, text = InMemory(), list[ObservationInput](), ""
    for number, (key, value) in enumerate(values):
        entry, more = _entry(f"{name}-{number}", value, sensor)
        memory, text = memory | more, entry.sensor
        day = None if key is None else day_of(str(key)[:10])
        if day is None and (key is not None or entry.path in more.arrays):
            raise ValueError(
                f"{name}: {key!r} is no day of an image; give several as "
                "{'2024-05-03': image}"
            )
        local = (
            Location.of(entry.path).local if day is None or not more.arrays else None
        )
        beside = scene_classes_beside(local) if local and text == "sentinel-2" else None
        mask = (
            None if beside is None else MaskInput(path=str(beside), dilation=DILATION)
        )
        dates.append(ObservationInput(path=entry.path, day=day, mask=mask))
    return ImageInput(sensor=text, dates=tuple(dates)), memory


def path_text(value: object) -> str:
    """A path or an address as a plan has it, whole.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if not isinstance(value, str | os.PathLike):
        raise ValueError(
            f"{type(value).__name__}: expected a path or an xarray.DataArray"
        )
    return Location.of(os.fspath(value)).text


def _read_as(name: str, entry: ImageInput, reading: ImageReading) -> ImageInput:
    if name == "s1":
        return replace(entry, units=reading.get("s1_units", "auto"))
    if name == "s2":
        bands = reading.get("s2_bands")
        return replace(
            entry,
            offset=reading.get("s2_offset"),
            bands=None if bands is None else tuple(bands),
        )
    return entry


def _with_mask(entry: ImageInput, mask: MaskInput) -> ImageInput:
    return replace(entry, mask=mask)


def _mask(
    mask: Path | xarray.DataArray, reading: ImageReading
) -> tuple[MaskInput, InMemory]:
    hidden = reading.get("hidden")
    codes = None if hidden is None else tuple(hidden)
    dilation = reading.get("mask_dilation", 0.0 if codes else DILATION)
    if isinstance(mask, xarray.DataArray):
        path = path_of("mask")
        memory = InMemory(arrays={path: mask.rename(mask.name or "mask")})
        return MaskInput(path=path, hidden=codes, dilation=dilation), memory
    if mask == NO_MASK:
        return MaskInput(path=NO_MASK, hidden=codes), InMemory()
    path = path_text(mask)
    return MaskInput(path=path, hidden=codes, dilation=dilation), InMemory()


def _grid_text(grid: Path | GeoBox | None) -> str | None:
    if grid is None:
        return None
    return _GRID if isinstance(grid, GeoBox) else path_text(grid)


def _refuse_files(
    s1: object, s2: object, image: object, mask: object, reading: SceneSettings
) -> None:
    """Refuse what is said of images, where a place says which."""
    files = {"s1": s1, "s2": s2, "image": image, "mask": mask}
    given = [name for name, value in files.items() if value is not None]
    known = {*PlaceSettings.__annotations__, "mask_dilation"}
    for name in [*given, *sorted(reading.keys() - known)]:
        raise ValueError(
            f"{name}: images of a place come from catalogues; leave it out"
        )


def _refuse_unread(s1: object, s2: object, mask: object, reading: ImageReading) -> None:
    """Refuse what is said of an image that was not given."""
    wants = {
        "s1_units": s1,
        "s2_offset": s2,
        "s2_bands": s2,
        "mask": s2,
        "hidden": mask,
    }
    for key, needed in wants.items():
        is_given = mask is not None if key == "mask" else key in reading
        if is_given and needed is None:
            other = "mask" if key == "hidden" else "s1" if key == "s1_units" else "s2"
            raise ValueError(f"{key} works with {other}; give {other} as well")
