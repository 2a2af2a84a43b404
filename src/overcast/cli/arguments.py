"""What the options of `overcast.cli.options` say, as what jobs take."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from overcast.geo.location import FilePath, Location

if TYPE_CHECKING:
    from overcast.accuracy.reference import ReferenceFile
    from overcast.cli.option_values import (
        EnsembleOptions,
        ImageOptions,
        PlaceOptions,
        PlanOptions,
        ReadingOptions,
        StartOptions,
    )
    from overcast.plan import Data, PlaceInput, Plan
    from overcast.run import Runs


def data_of(given: ImageOptions) -> Data:
    """The `Data` that the options of `images` describe."""
    from overcast.cli.image_arguments import images_of
    from overcast.plan import Data
    from overcast.plan_images import DILATION

    grid, dilation = given["grid"], given["mask_dilation"]
    return Data(
        images=images_of(given),
        grid=None if grid is None else absolute(grid),
        trust=given["trust"],
        small_overlap=given["small_overlap"],
        register=given["register"],
        mask_dilation=DILATION if dilation is None else dilation,
    )


def refuse_without(given: Mapping[str, object], name: str, needed: str) -> None:
    """Refuse an option that nothing reads, since another one is missing."""
    if given[name] not in (None, ()) and given[needed] in (None, ()):
        option, other = (f"--{n.replace('_', '-')}" for n in (name, needed))
        raise ValueError(f"{option} works with {other}; give {other} as well")


def plan_of(
    given: PlanOptions,
    place: PlaceOptions | None = None,
    start: StartOptions | None = None,
) -> Plan:
    """The `Plan` that options describe, of a command that has those of place and start."""
    from overcast.cli.label_arguments import with_labels
    from overcast.outside import located
    from overcast.plan import Plan, check_method, with_target

    accuracy = None if place is None else place["labels_accuracy"]
    data = with_labels(data_of(given), given, accuracy)
    name = given["method"]
    if name is None:
        name = "network" if start is not None and start["start"] else "weak"
    settings = settings_of(given["settings"])
    for key in ("name", "prior"):
        if key in settings and (key == "name" or given["prior"]):
            option = "--method" if key == "name" else "--prior"
            raise ValueError(f"--set {key}: {option} says it; leave one out")
    method = located({"name": name, **settings}, Path.cwd())
    if start is not None:
        method = started(method, start)
    if given["prior"]:
        if name != "weak":
            raise ValueError(f"--prior is for --method weak, not {name}")
        if "prior" in data.images:
            raise ValueError(
                "--prior: an --image is called prior; give it another name"
            )
        data = with_target(data, "prior", absolute(given["prior"]))
        method["prior"] = "prior"
    plan = Plan(data=data, method=method, seed=given["seed"])
    if place is not None:
        plan = replace(plan, place=_place_of(place, given["labels"]))
    check_method(plan)  # before anything is read: a setting that is wrong is named
    return plan


def codes_of(option: str, texts: Sequence[str]) -> int | tuple[int, ...] | None:
    """Codes that an option gives, repeated or between commas; one alone as it is."""
    try:
        codes = [int(code) for text in texts for code in text.split(",")]
    except ValueError:
        raise ValueError(
            f"{option} {','.join(texts)}: expected whole numbers, such as 0 or 0,255"
        ) from None
    if len(codes) == 1:
        return codes[0]
    return tuple(dict.fromkeys(codes)) or None


def _place_of(given: PlaceOptions, labels: Sequence[str]) -> PlaceInput:
    """The `PlaceInput` that the options of `place` describe."""
    from overcast.plan import PlaceInput

    accuracy, anchors = given["labels_accuracy"], given["anchors"]
    column, use = given["anchors_column"], given["place"]
    if accuracy is not None and anchors is not None:
        raise ValueError(
            "--labels-accuracy and --anchors: both say how far labels are trusted; "
            "give one"
        )
    if column is not None and anchors is None:
        raise ValueError(
            "--anchors-column works with --anchors; give --anchors as well"
        )
    said = [text for text in labels if "|accuracy=" in text]
    if said and anchors is not None:
        raise ValueError(
            "--anchors: --labels says accuracy=, and both say how far labels are "
            "trusted; leave one out"
        )
    if said and accuracy is not None:
        raise ValueError("--labels-accuracy: --labels says it already; leave one out")
    if use is False and ((accuracy, anchors) != (None, None) or said):
        option = "--labels-accuracy" if anchors is None else "--anchors"
        raise ValueError(f"--no-place: {option} is for place; give one of them")
    if accuracy is not None and Path(accuracy).is_file():
        accuracy = absolute(Path(accuracy))
    return PlaceInput(
        use="auto" if use is None else "yes" if use else "no",
        accuracy=accuracy,
        anchors=None if anchors is None else absolute(anchors),
        column=column,
    )


def started(method: Mapping[str, object], given: StartOptions) -> dict[str, object]:
    """The method of a plan with what the options of `start` say of it."""
    where, frozen = given["start"], given["frozen"]
    if where is None and frozen and method.get("start") is None:
        raise ValueError("--frozen: give --start, a run or published weights")
    if where is None:
        return {**method, "frozen": True} if frozen else dict(method)
    if method.get("start") is not None:
        raise ValueError(
            f"--start {where}: the method starts from {method['start']} already; "
            "leave one out"
        )
    if method["name"] != "network":
        raise ValueError(f"--start is for --method network, not {method['name']}")
    weights = absolute(where) if Path(where).exists() else where
    return {**method, "start": weights, "frozen": frozen or method.get("frozen", False)}


def settings_of(texts: Sequence[str]) -> dict[str, object]:
    """Read the settings that ``--set KEY=VALUE`` gives."""
    from overcast.strict_yaml import parse_yaml

    settings: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: expected KEY=VALUE")
        if key in settings:
            raise ValueError(f"--set {text}: {key} is given twice, expected once")
        settings[key] = parse_yaml(value, f"--set {shortened(text)}")
    return settings


def shortened(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= 60 else f"{text[:57]}..."


def absolute(path: str | Path) -> str:
    """A path or an address that holds from anywhere; links stay links."""
    return Location.of(path).text


def file_of(text: str) -> FilePath:
    """Return the file that an argument names: a path as it was written, or a location."""
    where = Location.of(text)
    return Path(text) if where.text == os.path.abspath(text) else where


def runs_of(run: Path, given: EnsembleOptions, without: tuple[str, ...] = ()) -> Runs:
    """The `Runs` that RUN, `ensemble`, `views` and ``--without`` describe."""
    from overcast.run import Runs

    also = [run, *given["also"]]
    for folder in also:
        if also.count(folder) > 1:
            raise ValueError(
                f"--with {folder}: given twice; --weights says how much a run counts"
            )
    text = given["weights"]
    try:
        weights = tuple(map(float, text.split(","))) if text else ()
    except ValueError:
        weights = (math.nan,)
    if not all(map(math.isfinite, weights)):
        raise ValueError(f"--weights {text}: expected numbers, such as 2,1")
    if text is not None and not given["also"]:
        raise ValueError(f"--weights {text} works with --with; give --with as well")
    return Runs((run, *given["also"]), weights, given["views"], without)


def reference_of(path: str | None, given: ReadingOptions) -> ReferenceFile | None:
    """The `ReferenceFile` that a path and the options of `reading` describe, or none."""
    if path is not None:
        return reference_file(path, given)
    for name in ("reference_legend", "reference_nodata", "reference_column"):
        refuse_without({**given, "reference": None}, name, "reference")
    return None


def reference_file(path: str, given: ReadingOptions) -> ReferenceFile:
    """The `ReferenceFile` that a path and the options of `reading` describe."""
    from overcast.accuracy.reference import ReferenceFile

    return ReferenceFile(
        file_of(path),
        given["reference_legend"],
        codes_of("--reference-nodata", given["reference_nodata"]),
        given["reference_column"],
    )
