"""How a map looks in QGIS: styles that it reads from ``NAME.qml`` beside a layer.

A layer opened by double click is drawn with the style of its own name: classes in the
legend's colours with their names, confidence on the ramp of the report, polygons as
the classes they are.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
from numpy.typing import NDArray

from overcast import map_folder
from overcast.geo.legend import Legend
from overcast.report.quicklook import confidence_picture

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_STOPS = np.array([0, 0.25, 0.5, 0.75, 1], np.float32)


def class_style(legend: Legend) -> str:
    """Style of a raster of class codes: one colour and one name a class."""
    root, renderer = _raster("paletted")
    palette = Xml.SubElement(renderer, "colorPalette")
    for c in legend.classes:
        Xml.SubElement(
            palette,
            "paletteEntry",
            value=str(c.code),
            color=f"#{c.colour.lower()}",
            label=c.name,
            alpha="255",
        )
    return _text(root)


def confidence_style() -> str:
    """Style of a raster of confidence: a continuous ramp from 0 to 1."""
    colours = confidence_picture(_STOPS[None])[0, :, :3]
    return _ramp(_STOPS, colours)


def set_sizes_style(most: int) -> str:
    """Style of a raster of sizes of class sets: bright for 1 class, dark for `most`."""
    sizes = np.arange(1, most + 1, dtype=np.float32)
    sure = ((most - sizes) / max(most - 1, 1)).astype(np.float32)
    return _ramp(sizes, confidence_picture(sure[None])[0, :, :3])


def _ramp(stops: NDArray[np.float32], colours: NDArray[np.uint8]) -> str:
    """Style of numbers, with colours ``[N, 3]`` at stops ``[N]`` and between them."""
    ends = f"{stops[0]:g}", f"{stops[-1]:g}"
    root, renderer = _raster(
        "singlebandpseudocolor", classificationMin=ends[0], classificationMax=ends[1]
    )
    ramp = Xml.SubElement(
        Xml.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        minimumValue=ends[0],
        maximumValue=ends[1],
        clip="0",
    )
    for stop, (r, g, b) in zip(stops.tolist(), colours.tolist(), strict=True):
        Xml.SubElement(
            ramp,
            "item",
            value=str(stop),
            color=f"#{r:02x}{g:02x}{b:02x}",
            label=f"{stop:g}",
            alpha="255",
        )
    return _text(root)


def polygon_style(legend: Legend) -> str:
    """Style of polygons with the field ``code``: filled, without outlines."""
    root = Xml.Element("qgis", version="3.22", styleCategories="Symbology")
    renderer = Xml.SubElement(
        root, "renderer-v2", type="categorizedSymbol", attr="code", symbollevels="0"
    )
    categories = Xml.SubElement(renderer, "categories")
    symbols = Xml.SubElement(renderer, "symbols")
    for index, c in enumerate(legend.classes):
        name = str(index)
        Xml.SubElement(
            categories,
            "category",
            symbol=name,
            value=str(c.code),
            label=c.name,
            render="true",
        )
        symbol = Xml.SubElement(symbols, "symbol", name=name, type="fill", alpha="1")
        layer = Xml.SubElement(symbol, "layer", {"class": "SimpleFill"}, enabled="1")
        red, green, blue = c.rgb
        fill = {"color": f"{red},{green},{blue},255", "style": "solid"}
        for key, value in {**fill, "outline_style": "no"}.items():
            Xml.SubElement(layer, "prop", k=key, v=value)
    Xml.SubElement(root, "layerGeometryType").text = "2"
    return _text(root)


def _raster(kind: str, **attributes: str) -> tuple[Xml.Element, Xml.Element]:
    """Document, and its renderer of the first band."""
    root = Xml.Element("qgis", version="3.22")
    pipe = Xml.SubElement(root, "pipe")
    renderer = Xml.SubElement(
        pipe,
        "rasterrenderer",
        {"type": kind, "band": "1", "opacity": "1", "alphaBand": "-1", **attributes},
    )
    Xml.SubElement(renderer, "rasterTransparency")
    Xml.SubElement(root, "blendMode").text = "0"
    return root, renderer


def _text(root: Xml.Element) -> str:
    Xml.indent(root)
    return _DOCTYPE + Xml.tostring(root, encoding="unicode") + "\n"


def write_style(raster: Path, style: str) -> None:
    """Write a style beside a raster, where QGIS looks for it."""
    path = raster.with_name(map_folder.style_of(raster.name))
    path.write_text(style, encoding="utf-8")
