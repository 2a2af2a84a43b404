"""What a region teaches, learned once for all its tiles."""

from __future__ import annotations

import shutil
from pathlib import Path

from overcast.inputs import Inputs
from overcast.jobs.after import describe_run
from overcast.region.description import Region
from overcast.region.engine import Engine
from overcast.region.events import Events
from overcast.region.ground import Ground
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
    if not is_trained(draft):
        shutil.rmtree(draft, ignore_errors=True)
        first, *more = (zone.stack for zone in ground.zones)
        inputs = Inputs(first, ground.notes, region.ground, ground.accuracies)
        learn(region.plan, inputs, more, draft, events.step)
        describe_run(draft, region.plan, inputs, run)
    shutil.rmtree(run, ignore_errors=True)
    draft.rename(run)
