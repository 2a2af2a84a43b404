"""What kind of source labels are: a map of everything, or places that somebody drew."""

from __future__ import annotations

import numpy as np
from odc.geo.geobox import GeoBox

from overcast.accuracy.independence import are_fine
from overcast.geo.overlay import PointLabels, PolygonLabels
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import LabelSource
from overcast.report.quicklook import look_at_classes, overview

_MOST_DRAWN, _MOST_CUT = 0.5, 0.2
"""Share of a scene that labels cover, at most, to be drawn ones: polygons or points, and
a raster. A map that ends somewhere in the scene covers more of it."""
_LONGEST_PX = 1000


def are_drawn(labels: LabelSource, grid: GeoBox) -> bool:
    """Return whether labels are places that somebody drew or looked at, and so right.

    They are points or polygons on less than half of the scene, or a raster as fine as
    the images with labels on less than a fifth of it. Points and polygons that cover
    the scene are a map.
    """
    if isinstance(labels, PointLabels):
        return True
    shapes = isinstance(labels, PolygonLabels)
    if not shapes and not are_fine(labels.grid, grid):
        return False
    classes = look_at_classes(labels, overview(grid, _LONGEST_PX)).values
    known = float(np.mean(classes != UNKNOWN))
    return known < (_MOST_DRAWN if shapes else _MOST_CUT)
