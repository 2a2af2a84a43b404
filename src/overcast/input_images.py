"""From the images that a plan names to sources: files, masks, mosaics and dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from odc.geo.geobox import GeoBox

from overcast.geo.arrays import DataArraySource, from_dataarray
from overcast.geo.bands import BUILT_IN, Encoding, Sensor
from overcast.geo.check import (
    Checked,
    open_checked,
    open_sentinel_1,
    open_sentinel_2,
)
from overcast.geo.coded_labels import CodedLabels
from overcast.geo.coverage import common_grid
from overcast.geo.image_file import ImageFile
from overcast.geo.location import Location, hide
from overcast.geo.masks import (
    CLOUDED,
    Masked,
    counts_of,
    mask_from_dataarray,
    open_mask,
)
from overcast.geo.mosaic import mosaic, union_of
from overcast.geo.probabilities import SENSOR as PROBABILITIES
from overcast.geo.probabilities import open_probabilities
from overcast.geo.products import find_product
from overcast.geo.sensor_file import load_sensor
from overcast.geo.series import Moment, spread
from overcast.geo.stack import ImageSource, file_of, name_of
from overcast.geo.times import seen_of
from overcast.in_memory import InMemory
from overcast.plan import NO_MASK, Data, ImageInput, MaskInput, ObservationInput
from overcast.plan_images import with_members

FILES_ONLY = InMemory()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Images of a plan, opened and checked.

    Attributes
    ----------
    sources
        By their names in a stack.
    moments
        Of those that are one of several dates.
    extents
        Name and grid of every image or series, by its name: what it covers at any time.
    first
        That of the image whose grid is mapped: the first optical one, if there is one.
    targets
        Names of those that are learned from alone.
    files
        Every file that is read.
    notes
        What was noticed, a sentence each.
    single
        Images that are no series, without their masks.
    grid
        The grid that was asked for, to be mapped whole; or none.
    """

    sources: dict[str, ImageSource]
    moments: dict[str, Moment]
    extents: dict[str, tuple[str, GeoBox]]
    first: tuple[str, GeoBox]
    targets: frozenset[str]
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    single: tuple[ImageSource, ...] = ()
    grid: GeoBox | None = None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file of an image: its source, its mask's share, and what was noticed."""

    source: ImageSource
    bare: ImageSource
    notes: tuple[str, ...]
    mask: str | None
    hidden: float


@dataclass(frozen=True, slots=True)
class _Dated:
    """A file with its day, its series, and how it was processed."""

    entry: ImageInput
    series: str
    day: date | None
    processed: str


def open_images(data: Data, memory: InMemory = FILES_ONLY) -> Opened:
    """Open every image of `data` and its mask.

    Files of one image, day and orbit are one observation, mosaicked: the later
    processing first. Of a SAR image with both orbits, each is a series of its own.

    Raises
    ------
    ValueError
        If a file is refused (see `overcast.geo.image_file` and `overcast.geo.check`),
        one of several has no day, or those of one series have other bands.
    """
    if not data.images:
        raise ValueError("no image given; give --s1, --s2 or --image")
    sources, moments = dict[str, ImageSource](), dict[str, Moment]()
    extents, targets = dict[str, tuple[str, GeoBox]](), set[str]()
    products, notes, hidden = list[str](), list[str](), list[str]()
    single, masks = list[ImageSource](), list[str]()
    images = {name: with_members(entry) for name, entry in data.images.items()}
    for name, entry in images.items():
        for series, files in _series(name, entry).items():
            opened = [(f, _open(f.entry, data, memory, products)) for f in files]
            own = _observed(series, opened)
            sources |= own
            extents[series] = _extent(series, own)
            if len(own) > 1:
                days = [f.day for f in files if f.day is not None]
                moments |= {m.name: m for m in (Moment(series, d) for d in days)}
                notes.append(f"{series}: {spread(sorted({*days}))}")
            single += [one.bare for _, one in opened] if len(opened) == 1 else []
            masks += [path for _, one in opened for path in _mask_file(one)]
            targets |= set(own) if entry.target else set()
            notes += _gathered(series, [one for _, one in opened])
            hidden += _shares(series, len(own), [one for _, one in opened])
    optical = [n for n in extents if _sensor(n, sources, moments) == "optical"]
    return Opened(
        sources=sources,
        moments=moments,
        extents=extents,
        first=extents[(optical or list(extents))[0]],
        targets=frozenset(targets),
        files=(*(p for i in images.values() for p in i.files), *masks),
        notes=(*products, *notes, *hidden),
        single=tuple(single),
        grid=None if data.grid is None else memory.grid(data.grid),
    )


def _mask_file(one: _Opened) -> list[str]:
    """File of a mask, also of one that a product came with; none of one in memory."""
    path = file_of(one.source.mask) if isinstance(one.source, Masked) else None
    return [] if path is None else [str(path)]


def _sensor(
    series: str, sources: dict[str, ImageSource], moments: dict[str, Moment]
) -> str:
    """Kind of the sensor of a series."""
    names = [n for n in sources if n == series or n in moments]
    own = next(n for n in names if n == series or moments[n].series == series)
    return sources[own].sensor.kind


def _series(name: str, entry: ImageInput) -> dict[str, list[_Dated]]:
    """Files of an image by series, in order of time; later processings first.

    Raises
    ------
    ValueError
        If one of several says neither when nor on which orbit it was seen.
    """
    dated = [_dated(name, entry, one) for one in entry.observations]
    orbits = {orbit for orbit, _ in dated}
    if len(orbits - {""}) > 1 and "" in orbits:
        stray = next(f for orbit, f in dated if not orbit)
        raise ValueError(
            f"{hide(stray.entry.path)}: nothing says on which orbit it was seen; name it "
            "..._asc.tif or ..._desc.tif, or give orbit: ascending in a plan"
        )
    several = len(orbits) > 1
    series: dict[str, list[_Dated]] = {}
    for orbit, file in dated:
        own = f"{name}_{orbit}" if several else name
        series.setdefault(own, []).append(replace(file, series=own))
    for files in series.values():
        files.sort(key=lambda f: f.entry.path)
        files.sort(key=lambda f: f.processed, reverse=True)
        files.sort(key=lambda f: f.day or date.min)
    return dict(sorted(series.items()))


def _dated(name: str, entry: ImageInput, one: ObservationInput) -> tuple[str, _Dated]:
    """Orbit of a file of several, and the file with its day; one alone needs none."""
    if entry.mosaic or len(entry.observations) == 1:
        day = None if entry.mosaic else one.day
        return "", _Dated(_alone(entry, one), name, day, "")
    seen = seen_of(Location.of(one.path))
    day = one.day or seen.day
    if day is None:
        where = hide(one.path)
        option = f"--{name} " if name in ("s1", "s2") else f"--image {name}=SENSOR:"
        raise ValueError(
            f"{where}: one of several files of {name}, and nothing says when it was "
            f"seen; say it, as {option}2024-05-03={Path(where).name}, put the date into "
            "its name, or into its tag TIFFTAG_DATETIME"
        )
    sar = entry.sensor == "sentinel-1"
    orbit = (one.orbit or seen.orbit) if sar else ""
    return orbit, _Dated(_alone(entry, one), name, day, seen.processed)


def _alone(entry: ImageInput, one: ObservationInput) -> ImageInput:
    """An image of one file."""
    mask = one.mask or (entry.mask if entry.dates else None)
    return replace(entry, path=one.path, mask=mask, dates=())


def _observed(
    series: str, opened: list[tuple[_Dated, _Opened]]
) -> dict[str, ImageSource]:
    """Observations of a series by name, mosaicked; one alone has the series' name."""
    by_day: dict[date | None, list[ImageSource]] = {}
    for file, one in opened:
        by_day.setdefault(file.day, []).append(one.source)
    made = {day: mosaic(sources) for day, sources in by_day.items()}
    first = next(iter(made.values()))
    for source in made.values():
        if source.sensor != first.sensor:
            raise ValueError(
                f"{name_of(source)}: has {', '.join(source.sensor.names)}, and "
                f"{name_of(first)} {', '.join(first.sensor.names)}; dates of {series} "
                "must have the same bands"
            )
    if len(made) == 1:
        return {series: first}
    return {Moment(series, d).name: s for d, s in made.items() if d is not None}


def _extent(series: str, own: dict[str, ImageSource]) -> tuple[str, GeoBox]:
    """Return what a series covers at any time, under the name of its file or its own."""
    (first, *more) = own.values()
    if not more and file_of(first) is not None:
        return name_of(first), first.grid
    name = f"{series} (all {len(own)} dates)" if more else series
    return name, union_of([source.grid for source in own.values()])


def _gathered(series: str, opened: list[_Opened]) -> Iterator[str]:
    """Notes of files; those that several files share, once."""
    if len(opened) == 1:
        yield from opened[0].notes
        return
    said = Counter(
        note.removeprefix(f"{name_of(one.source)}: ")
        for one in opened
        for note in one.notes
    )
    for text, often in said.items():
        yield f"{series}: {text}" + (f" ({often} files)" if often > 1 else "")


def _shares(series: str, dates: int, opened: list[_Opened]) -> Iterator[str]:
    """Return how much masks hide."""
    masked = [one for one in opened if one.mask is not None]
    if len(opened) == 1:
        for one in masked:
            yield f"{series}: {one.mask} hides {one.hidden:.0%} of its own pixels"
        return
    if masked:
        shares = [one.hidden for one in masked]
        yield (
            f"{series}: masks of {len(masked)} of {len(opened)} files hide "
            f"{min(shares):.0%} to {max(shares):.0%} of their own pixels"
        )


def _open(
    entry: ImageInput, data: Data, memory: InMemory, products: list[str]
) -> _Opened:
    """Open one file and its mask; what its product is goes to `products`."""
    entry, said = _with_scene_classes(entry, data.mask_dilation)
    products += said
    checked = _open_image(entry, data.trust, memory)
    masked = _masked(entry, checked.image, memory)
    if masked is None:
        return _Opened(checked.image, checked.image, checked.notes, None, 0.0)
    mask = masked.mask
    assert isinstance(mask, CodedLabels)
    share = _hidden_share(masked, mask)
    return _Opened(masked, checked.image, checked.notes, mask.short, share)


def _open_image(
    entry: ImageInput, trust: bool, memory: InMemory
) -> Checked[ImageFile] | Checked[DataArraySource]:
    _refuse_unread(entry)
    if entry.path in memory.arrays:
        return _open_array(entry, trust, memory)
    path = Location.of(entry.path)
    if entry.sensor == "sentinel-1":
        return open_sentinel_1(path, entry.units, trust)
    if entry.sensor == "sentinel-2":
        return open_sentinel_2(path, entry.offset, entry.bands, trust)
    if entry.sensor == PROBABILITIES:
        return open_probabilities(path)
    return open_checked(path, *_own_sensor(entry.sensor, memory), trust)


def _open_array(
    entry: ImageInput, trust: bool, memory: InMemory
) -> Checked[DataArraySource]:
    """Open an array as files of its sensor are opened."""
    array = memory.arrays[entry.path]
    if entry.sensor in BUILT_IN:
        return from_dataarray(
            array,
            BUILT_IN[entry.sensor],
            units=entry.units,
            offset=entry.offset,
            bands=entry.bands,
            trust=trust,
        )
    if entry.sensor == PROBABILITIES:
        raise ValueError(
            f"{hide(entry.path)}: {PROBABILITIES} are read from a file; write the array "
            "into one"
        )
    sensor, encoding = _own_sensor(entry.sensor, memory)
    return from_dataarray(array, sensor, encoding=encoding, trust=trust)


def _own_sensor(name: str, memory: InMemory) -> tuple[Sensor, Encoding]:
    """A user's sensor, and how its files are encoded: by a TOML file, or physical."""
    if name in memory.sensors:
        return memory.sensors[name], Encoding()
    if Path(name).is_file():
        return load_sensor(Path(name))
    known = ", ".join(sorted([*BUILT_IN, PROBABILITIES]))
    raise ValueError(f"sensor {name}: neither a TOML file nor one of {known}")


def _refuse_unread(entry: ImageInput) -> None:
    """Refuse what is said of an image and is not read for its sensor."""
    unread = {
        "units": entry.units != "auto" and entry.sensor != "sentinel-1",
        "offset": entry.offset is not None and entry.sensor != "sentinel-2",
        "bands": entry.bands is not None and entry.sensor != "sentinel-2",
    }
    for key, is_given in unread.items():
        if is_given:
            raise ValueError(
                f"{hide(entry.path)}: {key} is not read for the sensor "
                f"{entry.sensor}; leave it out"
            )


def _with_scene_classes(
    entry: ImageInput, dilation: float
) -> tuple[ImageInput, list[str]]:
    """The same image, a product masked by the scene classes in it; what it is."""
    if entry.sensor not in BUILT_IN:
        return entry, []
    product = find_product(Location.of(entry.path))
    if product is None:
        return entry, []
    notes = list(product.notes)
    if product.classes is not None and entry.mask is None:
        mask = MaskInput(path=product.classes, dilation=dilation)
        entry = replace(entry, mask=mask)
        notes.append(
            f"{product.where.name}: its scene classes (SCL) hide clouds; "
            "--s2-mask none leaves them"
        )
    return entry, notes


def _masked(entry: ImageInput, image: ImageSource, memory: InMemory) -> Masked | None:
    """An image that has a mask, hidden by it."""
    if (given := entry.mask) is None or given.path == NO_MASK:
        return None
    codes = None if given.hidden is None else frozenset(given.hidden)
    mask: CodedLabels
    if given.path in memory.arrays:
        mask = mask_from_dataarray(memory.arrays[given.path], codes, image.grid)
    else:
        mask = open_mask(Location.of(given.path), codes, image.grid)
    common_grid(image.grid, {mask.what: mask.grid})
    hidden = CLOUDED if codes is None else codes
    return Masked(image, mask, hidden, given.dilation)


def _hidden_share(masked: Masked, mask: CodedLabels) -> float:
    """Share of its own pixels that a mask hides."""
    counts = counts_of(mask, masked.grid)
    hidden = sum(counts[mask.legend.codes.index(code)] for code in masked.hidden)
    return float(hidden / max(counts.sum(), 1))
