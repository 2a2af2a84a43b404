"""Draw map, confidence and polygons as QGIS opens them, each with its own style.

Run by the Python that QGIS brings, not by that of overcast:

    QT_QPA_PLATFORM=offscreen python3 bench/open_in_qgis.py OUT PICTURE.png

OUT holds map.tif, confidence.tif and maybe map.gpkg. Prints JSON: the renderer of
every layer, and the legend that QGIS shows for it.
"""

import json
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage, QPainter

_SIDE, _GAP, _LEGEND, _ROW = 384, 12, 150, 30


def opened(folder):
    """Layers, as dropping the files on QGIS opens them."""
    layers = [
        QgsRasterLayer(str(folder / f"{name}.tif"), name)
        for name in ("map", "confidence")
    ]
    polygons = folder / "map.gpkg"
    if polygons.exists():
        path = f"{polygons}|layername=land_cover"
        layers.append(QgsVectorLayer(path, "polygons", "ogr"))
    for layer in layers:
        assert layer.isValid(), layer.name()
        layer.loadDefaultStyle()
    return layers


def said(layer):
    """Renderer of a layer, and its legend as pairs of label and colour."""
    renderer = layer.renderer()
    if isinstance(layer, QgsVectorLayer):
        items = [(i.label(), i.symbol().color()) for i in renderer.legendSymbolItems()]
    else:
        items = renderer.legendSymbologyItems()
    return {
        "renderer": renderer.type(),
        "legend": [[label, colour.name()] for label, colour in items],
    }


def panel(layer):
    """Picture of a whole layer."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(_SIDE, _SIDE))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def drawn(layers):
    """A panel a layer side by side, and the legend that QGIS has for the first."""
    width = len(layers) * (_SIDE + _GAP) + _GAP + _LEGEND
    picture = QImage(width, _SIDE + 2 * _GAP, QImage.Format_RGB32)
    picture.fill(QColor("white"))
    painter = QPainter(picture)
    for place, layer in enumerate(layers):
        painter.drawImage(_GAP + place * (_SIDE + _GAP), _GAP, panel(layer))
    left = width - _LEGEND
    for row, (label, colour) in enumerate(said(layers[0])["legend"]):
        top = _GAP + row * _ROW
        painter.fillRect(left, top, 2 * _ROW // 3, _ROW // 2, QColor(colour))
        painter.drawText(left + _ROW, top + _ROW // 2, label)
    painter.end()
    return picture


def main():
    """Open, draw, and say what was seen."""
    application = QgsApplication([], False)
    application.initQgis()
    layers = opened(Path(sys.argv[1]))
    print(json.dumps({layer.name(): said(layer) for layer in layers}))
    drawn(layers).save(sys.argv[2])


if __name__ == "__main__":
    main()
