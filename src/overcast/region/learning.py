"""What a region teaches, learned once for all its tiles.

Sampling and counting are sums over windows, which the engine's workers make. The windows
lie at multiples of a fixed side of the lattice, whatever the size of tiles is.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from odc.geo.geobox import GeoBox

from overcast.errors import INPUT, MachineError
from overcast.geo.mosaic import union_of
from overcast.inputs import Inputs
from overcast.jobs.after import describe_run
from overcast.methods.method import method_of
from overcast.methods.over import Chosen, Each, Where, takes_over
from overcast.region.census import choose_windows, take_census
from overcast.region.description import Region
from overcast.region.engine import Engine, Failed
from overcast.region.events import Events
from overcast.region.ground import Ground
from overcast.region.strata import ZONES, strata_of
from overcast.run import is_trained, learn


def learn_region(
    region: Region, ground: Ground, run: Path, engine: Engine, events: Events
) -> None:
    """Learn from all zones of a region, leaving a run in the folder `run`.

    Raises
    ------
    ValueError
        If there are no labels, or none of two classes.
    """
    draft = run.with_name(".run.part")
    stacks = [zone.stack for zone in ground.zones]
    inputs = Inputs(stacks[0], ground.notes, region.ground, ground.accuracies)
    if not is_trained(draft):
        shutil.rmtree(draft, ignore_errors=True)
        where = Where(_chosen(region, ground, each_of(engine, events)), _place(ground))
        learn(region.plan, inputs, stacks[1:], draft, events.step, where)
    describe_run(draft, region.plan, inputs, run)
    shutil.rmtree(run, ignore_errors=True)
    draft.rename(run)


def each_of(engine: Engine, events: Events) -> Each:
    """Work on many windows by an engine, as learning asks for it."""

    def each(do: Callable[[Any], Any], items: Sequence[Any], stage: str) -> list[Any]:
        results: list[Any] = [None] * len(items)
        word = stage.replace(" ", "-")
        names = [f"{word}-{number}" for number in range(len(items))]
        for done, (number, result) in enumerate(engine.each(do, items, names), 1):
            if isinstance(result, Failed):
                kind = ValueError if result.code == INPUT else MachineError
                raise kind(result.line)
            results[number] = result
            events.step(stage, done, len(items))
        return results

    return each


def _chosen(region: Region, ground: Ground, each: Each) -> Chosen | None:
    """Windows to learn from; None for methods that find their own.

    Raises
    ------
    ValueError
        If such a method is given strata.
    """
    stacks, cut = [zone.stack for zone in ground.zones], region.cut
    if not takes_over(method_of(region.plan)) or stacks[0].labels is None:
        if cut.strata != ZONES:
            raise ValueError(
                f"strata: {region.plan.method['name']} chooses windows itself; leave "
                "strata out, or learn with weak, forest or kmeans"
            )
        return None
    census = take_census(stacks, [zone.outline for zone in ground.zones], each)
    strata = strata_of(cut.strata, cut.strata_column, stacks, census.windows)
    return choose_windows(census, region.plan.seed, each, strata)


def _place(ground: Ground) -> GeoBox:
    """The grid of the first zone, as far as all zones go."""
    return union_of([zone.stack.grid for zone in ground.zones])
