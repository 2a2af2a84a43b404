"""Files, folders and patterns that `--s1`, `--s2`, `--image` and `--s2-mask` give.

Each may be given several times, and each may be ``DATE=FILE``, a folder of files or a
pattern (``'s2_*.tif'``). A folder that is a product stays one.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from overcast.cli.arguments import absolute, refuse_without
from overcast.geo.location import Location, hide
from overcast.plan_images import DILATION

if TYPE_CHECKING:
    from overcast.cli.option_values import ImageOptions
    from overcast.plan import ImageInput, MaskInput, ObservationInput

_SENSORS = ("sentinel-1", "sentinel-2", "class-probabilities")
_DATED = re.compile(r"((?:19|20)\d\d-?\d\d-?\d\d)=(.+)", re.S)
_RASTERS = frozenset((".tif", ".tiff", ".vrt", ".jp2"))
_WORDS = {
    "s1": re.compile(
        r"(?<![A-Za-z0-9])(?:s1|sentinel-?1)(?![0-9A-Za-z])|S1[A-D]_", re.I
    ),
    "s2": re.compile(
        r"(?<![A-Za-z0-9])(?:s2|sentinel-?2)(?![0-9A-Za-z])|S2[A-D]_", re.I
    ),
}
_SCENE_CLASSES = re.compile(r"(?<![A-Za-z])SCL(?![A-Za-z])", re.I)
_BANDS = re.compile(r"(?:^|[_.-])(?:B(?:0?[1-9]|1[0-2]|8A)|VV|VH)(?:_\d\dm)?$", re.I)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that an option gives, and the day that was said with it."""

    path: str
    day: date | None = None


def images_of(given: ImageOptions) -> dict[str, ImageInput]:
    """Images that the options of `overcast.cli.options.images` describe, by name."""
    from overcast.plan import ImageInput

    for name in ("s2_bands", "s2_offset", "s2_mask"):
        refuse_without(given, name, "s2")
    if given["s1_units"] != "auto":
        refuse_without(given, "s1_units", "s1")
    if not given["s2_mask"]:
        refuse_without(given, "s2_hidden", "s2_mask")
    images: dict[str, ImageInput] = {}
    if given["s1"]:
        radar = ImageInput(path="?", sensor="sentinel-1", units=given["s1_units"])
        images["s1"] = _filled(radar, listed("--s1", given["s1"], "s1"))
    if given["s2"]:
        bands = given["s2_bands"]
        optical = ImageInput(
            path="?",
            sensor="sentinel-2",
            offset=given["s2_offset"],
            bands=None if bands is None else tuple(bands.split(",")),
        )
        files = listed("--s2", given["s2"], "s2")
        images["s2"] = _filled(optical, files, _masks(given, files))
    named: dict[str, tuple[str, list[str]]] = {}
    for text in given["others"]:
        name, sensor, path = _other(text)
        before = named.setdefault(name, (sensor, []))
        if name in images or before[0] != sensor:
            raise ValueError(
                f"--image {hide(text)}: there is an image {name} of another sensor "
                "already; expected another name"
            )
        before[1].append(path)
    for name, (sensor, paths) in named.items():
        one = ImageInput(path="?", sensor=sensor)
        images[name] = _filled(one, listed(f"--image {name}", paths, ""))
    return images


def _filled(
    image: ImageInput, files: Sequence[Listed], masks: Sequence[MaskInput | None] = ()
) -> ImageInput:
    """An image with its file, or with several of them."""
    masks = masks or [None] * len(files)
    if len(files) == 1 and files[0].day is None:
        return replace(image, path=files[0].path, mask=masks[0])
    return replace(image, path="", dates=observed(files, masks))


def _masks(given: ImageOptions, files: Sequence[Listed]) -> list[MaskInput | None]:
    """Mask of every file of Sentinel-2, or none."""
    from overcast.plan import NO_MASK, MaskInput

    text, dilation = given["s2_hidden"], given["mask_dilation"]
    try:
        codes = None if text is None else tuple(map(int, text.split(",")))
    except ValueError:
        raise ValueError(f"--s2-hidden {text}: expected codes, such as 1,2") from None
    if NO_MASK in given["s2_mask"]:
        if len(given["s2_mask"]) > 1:
            raise ValueError("--s2-mask none: leaves all masks out; give it alone")
        return [MaskInput(path=NO_MASK, hidden=codes) for _ in files]
    if dilation is None:
        dilation = 0.0 if codes else DILATION
    paths = masks_of(files, listed("--s2-mask", given["s2_mask"], "mask"))
    return [
        None if path is None else MaskInput(path=path, hidden=codes, dilation=dilation)
        for path in paths
    ]


def listed(option: str, texts: Sequence[str], kind: str) -> list[Listed]:
    """Every file that an option gives, in order.

    Parameters
    ----------
    option
        As it is written, for messages.
    texts
        Its values: ``FILE``, ``DATE=FILE``, a folder or a pattern.
    kind
        ``s1``, ``s2`` or ``mask``: what is looked for in folders.

    Raises
    ------
    ValueError
        If a date is none, a pattern or folder holds nothing, or a file is given twice.
    """
    files: list[Listed] = []
    for text in texts:
        day, path = _divided(option, text)
        files += [Listed(one, day) for one in _files(option, path, kind)]
    for one in files:
        if [other.path for other in files].count(one.path) > 1:
            raise ValueError(f"{option} {hide(one.path)}: given twice, expected once")
    return files


def expanded(option: str, text: str) -> list[str]:
    """Files of a folder or pattern; any other text as it was written."""
    files = _files(option, text, "any")
    return [text] if len(files) == 1 else files


def observed(
    images: Sequence[Listed], masks: Sequence[MaskInput | None]
) -> tuple[ObservationInput, ...]:
    """Observations of several files with their masks."""
    from overcast.plan import ObservationInput

    return tuple(
        ObservationInput(path=image.path, day=image.day, mask=mask)
        for image, mask in zip(images, masks, strict=True)
    )


def masks_of(images: Sequence[Listed], masks: Sequence[Listed]) -> list[str | None]:
    """Path of the mask of every image: the only one, or that of its day.

    Without any, the scene classes beside a file: ``s2_DATE_scl.tif`` or ``scl_DATE.tif``
    beside ``s2_DATE.tif``.

    Raises
    ------
    ValueError
        If masks and images can't be paired.
    """
    if not masks:
        return [_beside(image.path) for image in images]
    if len(images) == len(masks) == 1:
        return [masks[0].path]
    left = list(masks)
    paths: list[str | None] = []
    for image in images:
        day = _day(image)
        own = [mask for mask in left if _day(mask) == day]
        if len(own) > 1:
            own = [mask for mask in own if _alike(image.path, mask.path)]
        if day is None or len(own) > 1:
            raise ValueError(
                f"--s2-mask: which of {len(masks)} masks is that of "
                f"{hide(image.path)}? give both their date, as --s2-mask "
                "2024-05-03=FILE"
            )
        paths.append(own[0].path if own else None)
        left = [mask for mask in left if mask not in own]
    if left:
        raise ValueError(
            f"--s2-mask {hide(left[0].path)}: of no --s2 that is given; leave it out, or "
            "say its date, as --s2-mask 2024-05-03=FILE"
        )
    return paths


def _divided(option: str, text: str) -> tuple[date | None, str]:
    """Day and file of ``DATE=FILE``."""
    match = _DATED.fullmatch(text)
    if match is None or Path(text).exists():
        return None, text
    from overcast.geo.times import day_of

    if (day := day_of(match[1])) is None:
        raise ValueError(f"{option} {hide(text)}: {match[1]} is no date, as 2024-05-03")
    return day, match[2]


def _files(option: str, text: str, kind: str) -> list[str]:
    """Files of a pattern or folder, whole; anything else as it is."""
    whole = Location.of(text)
    local = whole.local
    if local is None or local.is_file():
        return [whole.text]
    if local.is_dir():
        return [str(p) for p in _members(option, local, kind)] or [whole.text]
    if glob.has_magic(text):
        matched = sorted(glob.glob(text))
        if not matched:
            raise ValueError(f"{option} {text}: no file has such a name")
        chosen = [Path(p) for p in matched if kind == "mask" or not _is_mask(Path(p))]
        return [Location.of(p).text for p in chosen or map(Path, matched)]
    return [whole.text]


def _members(option: str, folder: Path, kind: str) -> list[Path]:
    """Files of a folder of several images; none if the folder is one product."""
    if folder.suffix.upper() == ".SAFE" or (folder / "GRANULE").is_dir():
        return []
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    products = [p for p in entries if p.suffix.upper() in (".SAFE", ".ZIP")]
    rasters = [p for p in entries if p.is_file() and p.suffix.lower() in _RASTERS]
    if any(_BANDS.search(p.stem) for p in rasters) or len(products) == 1 > len(rasters):
        return []
    if kind == "mask":
        chosen = [p for p in rasters if _is_mask(p)]
    else:
        every = [*products, *(p for p in rasters if not _is_mask(p))]
        word = _WORDS.get(kind)
        chosen = [p for p in every if word is None or word.search(p.name)]
    if not chosen and (products or rasters):
        sought = "SCL" if kind == "mask" else kind
        raise ValueError(
            f"{option} {folder}: a folder, and no file in it has {sought} in its name; "
            "name the files so, or give them one by one"
        )
    return chosen


def _beside(path: str) -> str | None:
    from overcast.geo.masks import scene_classes_beside

    local = Location(path).local
    beside = None if local is None else scene_classes_beside(local)
    return None if beside is None else str(beside)


def _is_mask(path: Path) -> bool:
    from overcast.geo.masks import is_scene_classes

    return is_scene_classes(path.name)


def _day(one: Listed) -> date | None:
    from overcast.geo.times import seen_of

    return one.day or seen_of(Location.of(one.path)).day


def _alike(image: str, mask: str) -> bool:
    """Return whether a mask has the name of an image, but for the word of each."""
    names = [Path(image).stem, Path(mask).stem]
    for word in (_WORDS["s2"], _SCENE_CLASSES):
        names = [word.sub("", name.replace("_", " ")) for name in names]
    return names[0].split() == names[1].split()


def _other(text: str) -> tuple[str, str, str]:
    """Name, sensor and file of ``NAME=SENSOR:FILE``.

    Both paths may have colons, as those of Windows and addresses have: a sensor ends
    with .toml, or is the name of one.
    """
    name, _, rest = text.partition("=")
    parts = rest.split(":")
    ways = [(":".join(parts[:i]), ":".join(parts[i:])) for i in range(1, len(parts))]
    for sensor, path in ways:
        if name and path and sensor in _SENSORS:
            return name, sensor, path
        if name and path and sensor.lower().endswith(".toml"):
            return name, absolute(sensor), path
    for sensor, path in ways:
        if name and path and Path(sensor).is_file():
            return name, absolute(sensor), path
    raise ValueError(
        f"--image {hide(text)}: expected NAME=SENSOR:FILE, with a sensor that is a .toml "
        f"file or one of {', '.join(_SENSORS)}"
    )
