"""Pictures of a result: drawn by matplotlib, or on a map that can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from overcast.api.result import CONFIDENCE, Map
from overcast.geo.raster import UNKNOWN
from overcast.report.quicklook import class_picture, confidence_picture, overview

if TYPE_CHECKING:
    import folium
    from matplotlib.figure import Figure

_LONGEST_PX = 1024
_WEB = "EPSG:3857"
"""What web maps are drawn in."""
_SIZE_IN = (11, 5)


def draw(mapped: Map) -> Figure:
    """Draw classes with their legend, and confidence beside them.

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is not installed.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    grid = overview(mapped.grid, _LONGEST_PX)
    labels = mapped.read(grid)
    figure = Figure(figsize=_SIZE_IN, layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(class_picture(labels))
    left.set_title("Land cover")
    present = sorted(set(np.unique(labels.values).tolist()) - {UNKNOWN})
    classes = [mapped.legend.classes[k] for k in present]
    handles = [Patch(color=f"#{c.colour}", label=c.name) for c in classes]
    left.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 0), ncols=3)
    step = -(-max(mapped.shape) // _LONGEST_PX)
    confidence = mapped.result[CONFIDENCE][::step, ::step].values
    shown = right.imshow(confidence, vmin=0, vmax=1, cmap="viridis")
    right.set_title("Confidence")
    figure.colorbar(shown, ax=right)
    for axes in (left, right):
        axes.set_axis_off()
    return figure


def on_web_map(mapped: Map) -> folium.Map:
    """Lay classes and confidence over a web map, each a layer of its own.

    Raises
    ------
    ModuleNotFoundError
        If folium is not installed.
    ValueError
        If the result has no coordinate reference system.
    """
    import folium

    if mapped.grid.crs is None:
        raise ValueError("result has no CRS, so it can't be laid over a map")
    web = overview(mapped.grid.to_crs(_WEB), _LONGEST_PX)
    box = web.extent.to_crs("EPSG:4326").boundingbox
    bounds = [[box.bottom, box.left], [box.top, box.right]]
    drawn = folium.Map()
    classes = class_picture(mapped.read(web))
    pictures = {
        "Land cover": classes,
        "Confidence": confidence_picture(mapped.confidence_on(web)),
    }
    for name, picture in pictures.items():
        layer = folium.raster_layers.ImageOverlay(
            picture, bounds, name=name, show=name == "Land cover"
        )
        layer.add_to(drawn)
    folium.LayerControl(collapsed=False).add_to(drawn)
    drawn.fit_bounds(bounds)
    return drawn
