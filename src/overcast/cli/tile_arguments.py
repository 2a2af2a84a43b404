"""What the options of regions say, and regions carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overcast.cli.arguments import absolute
from overcast.cli.showing import bar, say, show

if TYPE_CHECKING:
    from overcast.cli.option_values import MapOptions, TileOptions
    from overcast.plan import Plan
    from overcast.region.description import Region
    from overcast.region.engine import Engine
    from overcast.region.events import Events
    from overcast.region.from_catalogues import Acquire
    from overcast.region.job import RegionOutput
    from overcast.run import Runs

_OF_REGIONS = frozenset(
    ("tiles", "workers", "address", "memory", "retries", "dry_run", "log")
)
_ALWAYS = _OF_REGIONS | {
    *("region_file", "out", "overwrite", "probabilities", "threads", "runtime"),
    *("run", "also", "weights", "views", "without"),
}
"""Options that go with every kind of region."""
_NEVER = frozenset(
    (
        *("reference", "reference_legend", "reference_nodata", "reference_column"),
        *("grid", "small_overlap", "register"),
    )
)
"""Options that no region takes."""


def region_file_of(given: TileOptions) -> Path | None:
    """The file of a region that a command is given, to be mapped in tiles.

    Raises
    ------
    ValueError
        If an option of regions is given without one.
    """
    if given["region_file"] is not None:
        return given["region_file"]
    for name, option in _written():
        if name in _OF_REGIONS:
            raise ValueError(f"{option} is for regions; give --region as well")
    return None


def tiled_place_of(given: MapOptions) -> str | Path | None:
    """The place that a command maps in tiles: a file, a box, or a tile of Sentinel-2.

    Raises
    ------
    ValueError
        If it is given twice, or an option of regions without one.
    """
    names = {"--bbox": given["bbox"], "--area": given["where"]}
    places = {option: place for option, place in names.items() if place is not None}
    if given["region_file"] is not None:
        if places:
            option, *_ = places
            raise ValueError(f"{option}: --region says the place; leave one out")
        return given["region_file"]
    if not places or given["tiles"] is None:
        return region_file_of(given)
    if len(places) > 1:
        raise ValueError("--bbox and --area: both say the place; leave one out")
    (place,) = places.values()
    return place.replace(" ", "") if given["bbox"] else place


def _written() -> list[tuple[str, str]]:
    """Names of the options that were written on the command line, and how they look."""
    context = click.get_current_context()
    written = click.core.ParameterSource.COMMANDLINE
    return [
        (option.name, max(option.opts, key=len))
        for option in context.command.params
        if option.name and context.get_parameter_source(option.name) is written
    ]


def region_of(
    place: str | Path,
    given: TileOptions,
    plan: Callable[[], Plan],
    resolution: float | None = None,
    acquire: Acquire | None = None,
) -> Region:
    """The `Region` that a file or a place and the options describe.

    `plan` makes the plan of the options, and `acquire` says which images are no files.
    """
    from overcast.acquire.place import is_named
    from overcast.region.description import (
        Cut,
        Region,
        is_region_file,
        parts_of_one,
        read_region,
    )

    path = Path(place)
    alone = is_region_file(path)
    for name, option in _written():
        if name in _NEVER:
            raise ValueError(f"{option}: not for --region; leave it out")
        if alone and name not in _ALWAYS:
            raise ValueError(f"{option}: {path} says it; leave one out")
    if alone:
        region = read_region(path)
    else:
        said = plan()
        said = replace(said, data=parts_of_one(said.data))
        written = {name for name, _ in _written()}
        finer = resolution if "resolution" in written else None
        outline = str(place) if is_named(str(place)) else absolute(path)
        region = Region(said, Cut(outline=outline, resolution=finer), acquire)
    if given["tiles"]:
        region = replace(region, cut=replace(region.cut, tiles=given["tiles"]))
    return region


def carry_out(
    given: TileOptions,
    job: Callable[[Engine, Events], Mapping[str, object]],
    region: Region,
    runs: Runs | None,
) -> None:
    """Do a job of a region with the engine and the log that the options ask for.

    A dry run says what `region` costs with `runs`, or with its own, and ends.
    """
    from overcast.region.engine import RETRIES, engine_of
    from overcast.region.events import Events

    if given["address"] is not None and given["workers"] is not None:
        raise click.UsageError("--dask and --workers: give one of them")
    if given["memory"] is not None and given["workers"] is None:
        raise ValueError(
            "--memory is for processes of --workers; give --workers as well"
        )
    if given["dry_run"]:
        from overcast.region.estimate import estimate

        show(estimate(region, wanted_of(given), given["workers"] or 1, runs))
        return
    retries = RETRIES if given["retries"] is None else given["retries"]
    with ExitStack() as stack:
        if given["log"] == "json":
            events = Events(say=say)
        else:
            events = Events(progress=stack.enter_context(bar()))
        engine = stack.enter_context(
            engine_of(given["address"], given["workers"], given["memory"], retries)
        )
        summary = job(engine, events)
    if summary.get("nothing_to_do"):
        say(f"nothing to do: all {summary['tiles']} tiles are finished")
    show(summary)


def wanted_of(given: TileOptions) -> RegionOutput:
    """The `RegionOutput` that the options describe."""
    from overcast.region.job import RegionOutput

    return RegionOutput(given["out"], given["overwrite"], given["probabilities"])
