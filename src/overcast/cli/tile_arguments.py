"""What the options of regions say, and regions carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from overcast.cli.arguments import absolute
from overcast.cli.options import bar, say, show

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
        *("grid", "small_overlap"),
    )
)
"""Options that no region takes."""
_ACQUIRED = ("year", "first", "last", "season", "sources", "dates", "clear", "skip")
"""Options of images that catalogues have."""


def is_tiled(given: Mapping[str, Any]) -> bool:
    """Return whether a command is given a region, to be mapped in tiles.

    Raises
    ------
    ValueError
        If an option of regions is given without one.
    """
    if given["region_file"] is not None:
        return True
    if given["tiles"] and (given.get("bbox") or given.get("where")):
        return True
    for name, option in _written():
        if name in _OF_REGIONS:
            raise ValueError(f"{option} is for regions; give --region as well")
    return False


def _written() -> list[tuple[str, str]]:
    """Names of the options that were written on the command line, and how they look."""
    context = click.get_current_context()
    written = click.core.ParameterSource.COMMANDLINE
    return [
        (option.name, max(option.opts, key=len))
        for option in context.command.params
        if option.name and context.get_parameter_source(option.name) is written
    ]


def region_of(given: dict[str, Any], plan_of: Callable[[dict[str, Any]], Any]) -> Any:
    """The `Region` that the options describe; `plan_of` makes a plan of them."""
    from overcast.region.description import (
        Cut,
        Region,
        is_region_file,
        parts_of_one,
        read_region,
    )

    path = given["region_file"]
    alone = path is not None and is_region_file(path)
    for name, option in _written():
        if name in _NEVER:
            raise ValueError(f"{option}: not for --region; leave it out")
        if alone and name not in _ALWAYS:
            raise ValueError(f"{option}: {path} says it; leave one out")
    if alone:
        region = read_region(path)
    else:
        written = {name for name, _ in _written()}
        finer = given["resolution"] if "resolution" in written else None
        cut, acquire = Cut(outline=_outline(given), resolution=finer), _acquire(given)
        plan = plan_of(given)
        plan = replace(plan, data=parts_of_one(plan.data))
        region = Region(plan, cut, acquire)
    if given["tiles"]:
        region = replace(region, cut=replace(region.cut, tiles=given["tiles"]))
    return region


def _outline(given: Mapping[str, Any]) -> str:
    """The outline of a region that is given by options, once.

    Raises
    ------
    ValueError
        If there are two.
    """
    from overcast.acquire.place import is_named

    names = {"--region": "region_file", "--bbox": "bbox", "--area": "where"}
    said = {o: given[n] for o, n in names.items() if given.get(n) is not None}
    if len(said) > 1:
        raise ValueError(f"{' and '.join(said)}: both say the place; give one of them")
    (place,) = map(str, said.values())
    return place.replace(" ", "") if is_named(place) else absolute(place)


def _acquire(given: Mapping[str, Any]) -> Any:
    """The `Acquire` that options of a time describe; None for files of images.

    Raises
    ------
    ValueError
        If there is a place without a time and without files.
    """
    from overcast.region.from_catalogues import Acquire

    written = dict(_written())
    said = [written[name] for name in _ACQUIRED if name in written]
    if all(given.get(n) is None for n in ("year", "first", "last")):
        if said:
            raise ValueError(
                f"{said[0]}: of which time? give --year, or --from and --to"
            )
        return None
    for name in ("s1", "s2", "others"):
        if given[name]:
            raise ValueError(
                f"{written[name]}: a time is given, and images are acquired; leave one out"
            )
    dilation = given["mask_dilation"]
    more = {} if dilation is None else {"dilation": dilation}
    sources = [absolute(n) if Path(n).is_file() else n for n in given["sources"]]
    return Acquire(
        year=given["year"],
        first=given["first"],
        last=given["last"],
        season=given["season"],
        source=tuple(sources) or ("planetary-computer",),
        dates=given["dates"],
        clear=given["clear"],
        skip=tuple(given["skip"]),
        **more,
    )


def carry_out(
    given: Mapping[str, Any], job: Callable[[Any, Any], Any], region: Any, runs: Any
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


def wanted_of(given: Mapping[str, Any]) -> Any:
    """The `Wanted` that the options describe."""
    from overcast.region.job import Wanted

    return Wanted(Path(given["out"]), given["overwrite"], given["probabilities"])
