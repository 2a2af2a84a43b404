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

_NEEDS = ("tiles", "workers", "address", "memory", "retries", "dry_run")
_IN_FILE = ("s1", "s2", "others", "labels", "prior", "settings", "method", "legend")
_OPTIONS = {"others": "--image", "settings": "--set", "address": "--dask"}


def is_tiled(given: Mapping[str, Any]) -> bool:
    """Return whether a command is given a region, to be mapped in tiles.

    Raises
    ------
    ValueError
        If an option of regions is given without one.
    """
    if given["region_file"] is not None:
        return True
    for name in _NEEDS:
        if given[name]:
            raise ValueError(f"{_option(name)}: of what? give --region as well")
    if given["log"] != "text":
        raise ValueError("--log: of what? give --region as well")
    return False


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
    for name in ("reference", "grid"):
        if given.get(name):
            raise ValueError(f"{_option(name)}: not for --region; leave it out")
    if is_region_file(path):
        for name in _IN_FILE:
            if given.get(name):
                raise ValueError(f"{_option(name)}: {path} says it; leave one out")
        region = read_region(path)
    else:
        plan = plan_of(given)
        plan = replace(plan, data=parts_of_one(plan.data))
        region = Region(plan, Cut(outline=absolute(path)))
    if given["tiles"]:
        region = replace(region, cut=replace(region.cut, tiles=given["tiles"]))
    return region


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
        raise ValueError("--memory: of whom? give --workers as well")
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


def _option(name: str) -> str:
    return _OPTIONS.get(name, f"--{name.replace('_', '-')}")
