"""Styles that QGIS reads."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from overcast.geo.legend import Legend, built_in_legends, load_legend
from overcast.product.style import (
    class_style,
    confidence_style,
    polygon_style,
    set_sizes_style,
)
from overcast.report.quicklook import confidence_picture

LEGENDS = [load_legend(name) for name in built_in_legends()]


@pytest.mark.parametrize("legend", LEGENDS, ids=lambda legend: legend.name)
def test_classes_have_the_legend_s_colours_and_names(legend: Legend) -> None:
    root = Xml.fromstring(class_style(legend))
    (renderer,) = root.iter("rasterrenderer")
    assert (renderer.get("type"), renderer.get("band")) == ("paletted", "1")
    found = [
        (int(e.get("value", "")), e.get("label"), e.get("color"))
        for e in root.iter("paletteEntry")
    ]
    assert found == [(c.code, c.name, f"#{c.colour.lower()}") for c in legend.classes]


@pytest.mark.parametrize("legend", LEGENDS, ids=lambda legend: legend.name)
def test_polygons_have_them_too(legend: Legend) -> None:
    root = Xml.fromstring(polygon_style(legend))
    (renderer,) = root.iter("renderer-v2")
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "code")
    fills = {
        symbol.get("name"): {p.get("k"): p.get("v") for p in symbol.iter("prop")}
        for symbol in root.iter("symbol")
    }
    found = [
        (e.get("value"), e.get("label"), fills[e.get("symbol")]["color"])
        for e in root.iter("category")
    ]
    assert found == [
        (str(c.code), c.name, "{},{},{},255".format(*c.rgb)) for c in legend.classes
    ]


def test_confidence_is_on_the_ramp_of_the_report() -> None:
    items = list(Xml.fromstring(confidence_style()).iter("item"))
    stops = np.array([[float(e.get("value", "")) for e in items]], np.float32)
    colours = [bytes.fromhex(e.get("color", "")[1:]) for e in items]
    assert (stops[0, 0], stops[0, -1]) == (0, 1)
    picture = confidence_picture(stops)[0, :, :3]
    assert [bytes(c) for c in picture] == colours


def test_small_sets_are_as_bright_as_sure_pixels() -> None:
    (renderer,) = Xml.fromstring(set_sizes_style(4)).iter("rasterrenderer")
    ends = renderer.get("classificationMin"), renderer.get("classificationMax")
    assert ends == ("1", "4")
    items = [(e.get("value"), e.get("color")) for e in renderer.iter("item")]
    assert [value for value, _ in items] == ["1.0", "2.0", "3.0", "4.0"]
    assert items[0][1] == "#fde725"
    assert items[-1][1] == "#440154"
