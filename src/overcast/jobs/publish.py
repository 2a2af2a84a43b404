"""What a catalogue is told of a run and of a map: their STAC items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import rasterio

from overcast import __version__, map_folder
from overcast.acquire.origins import (
    NONE,
    Origins,
    origins_in,
    origins_of,
    origins_of_items,
)
from overcast.geo.derived import files_in
from overcast.geo.location import FilePath, Location
from overcast.inputs import Inputs
from overcast.maps.predictor import Predictor
from overcast.methods.method import method_of
from overcast.plan import Data, Plan, fingerprint
from overcast.product.stac import Origin, map_item, model_item, write_item
from overcast.run import load_run, model_hash
from overcast.trees import to_tree


def publish_run(run: Path, plan: Plan, inputs: Inputs, final: Path) -> None:
    """Write the item of a finished run into it; `final` is where it will lie.

    Its sources are all files that were learned from, its place is that of `inputs`.
    """
    predictor = load_run(run)
    settings = to_tree(method_of(plan))
    name, data = str(plan.method["name"]), (plan.data, *plan.scenes)
    network = settings.get("model")
    origin = Origin(
        name=f"overcast-{name}-{model_hash(run)}",
        grid=inputs.stack.grid,
        legend=predictor.legend,
        sources=_hrefs((path for d in data for path in _files(d)), final),
        method=name,
        version=__version__,
    )
    architecture = str(network["name"]) if network else name
    item = model_item(run, origin, architecture, predictor.sensors, settings)
    write_item(item, run)


def publish_map(
    mapped: Path,
    predictor: Predictor,
    inputs: Inputs,
    final: Path,
    runs: Sequence[Path],
    acquired: Origins = NONE,
) -> None:
    """Write the item of a map beside it.

    `final` is the folder where the map will lie, `runs` those of the runs that made it,
    and `acquired` what was read from catalogues without files.
    """
    with rasterio.open(mapped) as dataset:
        tags = dataset.tags()
    key = fingerprint([tags["OVERCAST_MODEL"], inputs.fingerprint])
    origins = origins_of(read_files(inputs)) + acquired
    origins += origins_in(inputs.stack.images.values())
    origins += origins_of_items(map(Location.of, _read(inputs)))
    origin = Origin(
        name=f"overcast-map-{key}",
        grid=inputs.stack.grid,
        legend=predictor.legend,
        sources=_hrefs(_read(inputs), final),
        method=f"model {tags['OVERCAST_MODEL']} of plan {tags['OVERCAST_PLAN']}",
        version=tags["OVERCAST_VERSION"],
        items=origins.items,
        times=origins.times,
    )
    models = _hrefs((run / map_folder.ITEM for run in runs), final)
    write_item(map_item(mapped.parent, origin, models), mapped.parent)


def read_files(inputs: Inputs) -> list[Path]:
    """Files of this machine that a stack reads."""
    on_disk = (Location.of(path).local for path in _read(inputs))
    return [local for local in on_disk if local is not None]


def _read(inputs: Inputs) -> Iterator[FilePath]:
    """All that a stack reads."""
    stack = inputs.stack
    for source in (*stack.images.values(), stack.labels, *stack.others):
        yield from files_in(source)


def _files(data: Data) -> list[str]:
    labels = [entry.path for entry in data.every_labels]
    masks = [path for i in data.images.values() for path in i.paths[len(i.files) :]]
    return [*(p for i in data.images.values() for p in i.files), *masks, *labels]


def _hrefs(paths: Iterable[str | FilePath], folder: Path) -> tuple[str, ...]:
    """Addresses from `folder`; an archive once, however many of its files are read."""
    hrefs: list[str] = []
    for where in map(Location.of, paths):
        href = where.href(folder)
        if where.local is not None or href not in hrefs:
            hrefs.append(href)
    return tuple(hrefs)
