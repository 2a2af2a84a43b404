"""The part of a stack that a place needs: the files that reach it, and no others.

Work on a tile or a window carries its stack to other processes. Of thousands of files it
needs a few.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from odc.geo.geobox import GeoBox

from overcast.geo.derived import files_in
from overcast.geo.location import Location
from overcast.geo.mosaic import Mosaic
from overcast.geo.moved import Moved
from overcast.geo.stack import Stack
from overcast.geo.warp import overlap


def members_of(source: Any) -> tuple[Any, ...]:
    """Images that a mosaic is made of, moved or not; any other source is alone."""
    if isinstance(source, Moved):
        source = source.source
    return source.sources if isinstance(source, Mosaic) else (source,)


def near(stack: Stack, grid: GeoBox) -> Stack:
    """The same stack of fewer files: those that reach a grid.

    What it reads there is what the whole stack reads. An image of which no file reaches
    the grid keeps its first file, and sees nothing.
    """
    images = {name: _near(source, grid) for name, source in stack.images.items()}
    return replace(stack, images=images)


def _near(source: Any, grid: GeoBox) -> Any:
    if not isinstance(source, Mosaic):
        return source
    reaching = tuple(s for s in source.sources if overlap(s.grid, grid) is not None)
    return Mosaic(reaching or source.sources[:1], source.grid)


def files_of(stack: Stack) -> list[Path]:
    """Files of this machine that a stack reads."""
    every = (*stack.images.values(), stack.labels, *stack.others)
    paths = (path for source in every for path in files_in(source))
    local = (Location.of(path).local for path in paths)
    return list(dict.fromkeys(path for path in local if path is not None))
