"""The complete description of a run, as frozen dataclasses and as strict YAML.

A plan says which files are read and how, which method learns from them with which
settings, and how the map is cut into windows. Its fingerprint names the run: two plans
with one fingerprint make the same map.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_type_hints, overload

import yaml

from overcast.discover import find
from overcast.errors import building, reading, writing
from overcast.geo.location import Location
from overcast.limits import LARGEST_SEED, check_limits
from overcast.outside import canonical, located, of_run
from overcast.plan_images import LATER, NO_MASK, ImageInput, MaskInput, ObservationInput
from overcast.schema import check_value, from_tree, refuse_unknown
from overcast.strict_yaml import parse_yaml
from overcast.texts import read_text
from overcast.trees import to_tree

if TYPE_CHECKING:
    from overcast.models.segmenter import Segmenter
    from overcast.train.recipe import Recipe, State

__all__ = ("NO_MASK", "ImageInput", "MaskInput", "ObservationInput")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelInput:
    """A raster of class codes, or points or polygons with a `column` of them.

    `legend` is a built-in name or a CSV. Without `column`, it is ``class``. `nodata`
    is a code of a raster for not known, or several; they join that of the file's tag.
    `accuracy` is a share, a product or a CSV by class. `crosswalk` is a CSV that
    translates the classes to those of the map, where overcast has none.
    """

    path: str
    legend: str
    nodata: int | tuple[int, ...] | None = None
    column: str | None = None
    accuracy: str | None = field(default=None, metadata=LATER)
    crosswalk: str | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The inputs: images by name, labels, and the file whose grid is mapped.

    Without `grid`, that of the first optical image is, where all inputs overlap.
    `trust` takes units and offsets as said, whatever the values look like;
    `small_overlap` maps where inputs overlap even if that is hardly any of the image.
    In a plan's file `labels` may be a list; `other_labels` are all but the first.
    `legend` is that of the map, where it is not that of the first labels. Scene classes
    that a product comes with hide `mask_dilation` metres around what they hide.
    `register` moves images that lie beside the first optical one.
    """

    images: Mapping[str, ImageInput]
    labels: LabelInput | None = None
    grid: str | None = None
    trust: bool = False
    small_overlap: bool = field(default=False, metadata=LATER)
    other_labels: tuple[LabelInput, ...] = field(default=(), metadata=LATER)
    legend: str | None = field(default=None, metadata=LATER)
    mask_dilation: float = field(default=0.0, metadata=LATER)
    register: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        """Check that other labels are others."""
        if self.other_labels and self.labels is None:
            raise ValueError("other_labels: beside which? give labels as well")

    @property
    def every_labels(self) -> tuple[LabelInput, ...]:
        """All sources of labels."""
        return () if self.labels is None else (self.labels, *self.other_labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceInput:
    """What is known of the labels as evidence of place (`overcast.methods.place.strength`).

    `use` is auto (with method weak, or where something is known), yes or no. `accuracy`
    is a share, a product or a CSV by class; `anchors` a file of points with a class in
    `column`.
    """

    use: Literal["auto", "yes", "no"] = "auto"
    accuracy: str | None = None
    anchors: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How a map is cut: windows of up to `size` pixels that share `overlap` or more.

    They share at least twice the context that a method draws on around a pixel.
    """

    size: int = 512
    overlap: int = 0

    def __post_init__(self) -> None:
        """Check that windows have pixels, and go on."""
        check_limits(self, size=(1, 65_536))
        check_limits(self, overlap=(0, self.size - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides what a map looks like.

    `method` is a mapping of ``name`` (a file in `overcast.methods`) and that method's
    settings. `scenes` are further ones to learn from, with labels or without. `place`
    says how the labels of `data` count as evidence of place.
    """

    data: Data
    method: Mapping[str, object] = field(default_factory=lambda: {"name": "weak"})
    windows: Windows = field(default_factory=Windows)
    seed: int = 0
    scenes: tuple[Data, ...] = ()
    place: PlaceInput = field(default_factory=PlaceInput)

    def __post_init__(self) -> None:
        """Check the seed."""
        check_limits(self, seed=(0, LARGEST_SEED))

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with anything in the plan."""
        named = dataclasses.replace(self, method=canonical(self.method))
        tree = to_tree(unsigned(named))
        if self.place == PlaceInput():
            del tree["place"]  # as plans were before they had it
        return fingerprint(tree)


def fingerprint(tree: object) -> str:
    """SHA-256 of a tree of plain values, its first sixteen hexadecimal digits."""
    text = json.dumps(tree, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_method(plan: Plan) -> None:
    """Refuse a method or a setting that does not exist.

    Raises
    ------
    ValueError
        If there is no such method or setting.
    """
    choose("methods", plan.method)


@overload
def choose(
    package: Literal["recipes"], choice: Mapping[str, object]
) -> Recipe[State]: ...
@overload
def choose(
    package: Literal["models"], choice: Mapping[str, object], *arguments: object
) -> Segmenter: ...
@overload
def choose(package: Literal["methods"], choice: Mapping[str, object]) -> object: ...
def choose(package: str, choice: Mapping[str, object], *arguments: object) -> object:
    """Build what ``choice["name"]`` names in a package, with the rest as settings.

    Raises
    ------
    ValueError
        If the name or a setting is unknown, naming the nearest known one.
    """
    settings = dict(choice)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise ValueError(f"{package}: expected a name, got {reprlib.repr(choice)}")
    kind = find(package, name)
    if dataclasses.is_dataclass(kind):
        return from_tree(kind, settings, name)
    hints = get_type_hints(kind.__init__)
    refuse_unknown(settings, [k for k in hints if k != "return"], name)
    for key, value in settings.items():
        check_value(hints[key], value, f"{name}: {key}")
    with building(f"{name}: {reprlib.repr(settings)}"):
        return kind(*arguments, **settings)


def replace_labels(data: Data, labels: LabelInput | None) -> Data:
    """The same images with other labels."""
    return dataclasses.replace(data, labels=labels, other_labels=(), legend=None)


def files_of(*parts: Data) -> list[str]:
    """Every file that is read, as the plan names it."""
    names: list[str | None] = []
    for data in parts:
        for image in data.images.values():
            names += [*image.paths, image.sensor]
        for labels in data.every_labels:
            names += [labels.path, labels.legend, labels.accuracy, labels.crosswalk]
        names += [data.legend, data.grid]
    return [name for name in names if name is not None]


def with_target(data: Data, name: str, path: str) -> Data:
    """The same data with class probabilities as a target image."""
    target = ImageInput(path=path, sensor="class-probabilities", target=True)
    return dataclasses.replace(data, images={**data.images, name: target})


def read_plan(path: Path) -> Plan:
    """Read a plan; its relative paths are relative to its own folder.

    Raises
    ------
    ValueError
        If the file is not YAML, or a key is unknown, missing or of the wrong type.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such plan")
    with reading(path, "give a plan in YAML and UTF-8", "readable plan"):
        text = read_text(path)
    return plan_of_tree(parse_yaml(text, str(path)), path)


def plan_of_tree(tree: object, path: Path) -> Plan:
    """Plan of the plain values of a file, whose relative paths are relative to it.

    Raises
    ------
    ValueError
        If a key is unknown, missing or of the wrong type.
    """
    plan = from_tree(Plan, _first_apart(tree), path)
    try:
        return _from_anywhere(plan, path.parent)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _from_anywhere(plan: Plan, folder: Path) -> Plan:
    """The same plan with paths that hold from anywhere, if its method is one."""
    plan = dataclasses.replace(
        plan, method=of_run(located(plan.method, folder), folder)
    )
    check_method(plan)
    data, *scenes = (_located(d, folder) for d in (plan.data, *plan.scenes))
    return dataclasses.replace(
        plan,
        data=data,
        scenes=tuple(scenes),
        method=_started(plan.method, folder),
        place=_located_place(plan.place, folder),
    )


def _first_apart(tree: object) -> object:
    """A plan's tree in which a list of labels is the first one and the others."""
    if isinstance(tree, Mapping):
        tree = {key: _first_apart(value) for key, value in tree.items()}
        if isinstance(given := tree.get("labels"), list) and given:
            tree |= {"labels": given[0], "other_labels": given[1:]}
    elif isinstance(tree, list):
        tree = [_first_apart(part) for part in tree]
    return tree


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan as YAML; addresses that were signed lose their signature."""
    text = yaml.safe_dump(to_tree(unsigned(plan)), sort_keys=False, allow_unicode=True)
    with writing(path):
        path.write_text(text, encoding="utf-8")


def _started(method: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    """The same method; the run that it starts from, if it is one, from anywhere."""
    start = method.get("start")
    if not isinstance(start, str) or not start or not (folder / start).exists():
        return method
    return {**method, "start": os.path.abspath(folder / start)}


def unsigned(plan: Plan) -> Plan:
    """The same plan, without what may be secret in addresses (`Location.unsigned`)."""

    def plain(path: str) -> str:
        return Location(path).unsigned

    data, *scenes = (_moved(d, plain, str) for d in (plan.data, *plan.scenes))
    return dataclasses.replace(plan, data=data, scenes=tuple(scenes))


def _located_place(place: PlaceInput, folder: Path) -> PlaceInput:
    """The same with paths that hold from anywhere; an accuracy may be no path."""

    def located(text: str | None) -> str | None:
        if text is None or not (folder / text).is_file():
            return text
        return os.path.abspath(folder / text)

    return dataclasses.replace(
        place, accuracy=located(place.accuracy), anchors=located(place.anchors)
    )


def _located(data: Data, folder: Path) -> Data:
    """The same data with paths that hold from anywhere."""

    def whole(path: str) -> str:
        return Location.of(path, folder).text

    def file_or_name(name: str) -> str:
        return whole(name) if (folder / name).is_file() else name

    return _moved(data, whole, file_or_name)


def _moved(
    data: Data, whole: Callable[[str], str], file_or_name: Callable[[str], str]
) -> Data:
    """The same data with other paths, and other names of sensors and legends."""
    images = {
        name: image.moved(whole, file_or_name(image.sensor))
        for name, image in data.images.items()
    }

    def known(labels: LabelInput) -> LabelInput:
        accuracy, crosswalk = labels.accuracy, labels.crosswalk
        return dataclasses.replace(
            labels,
            path=whole(labels.path),
            legend=file_or_name(labels.legend),
            accuracy=None if accuracy is None else file_or_name(accuracy),
            crosswalk=None if crosswalk is None else file_or_name(crosswalk),
        )

    every = [known(labels) for labels in data.every_labels]
    return dataclasses.replace(
        data,
        images=images,
        labels=every[0] if every else None,
        other_labels=tuple(every[1:]),
        legend=None if data.legend is None else file_or_name(data.legend),
        grid=None if data.grid is None else whole(data.grid),
    )
