"""A session of QGIS with the plugin: a map is made, a sample judged, and assessed.

Run by the Python that QGIS brings, as tests/qgis/test_in_qgis.py does:

    QT_QPA_PLATFORM=offscreen python3 bench/qgis_session.py PLUGINS WORLD OUT

PLUGINS holds the unpacked zip, WORLD what `overcast simulate` wrote. Pictures and what
was seen (JSON, on standard output) tell what a user would see.
"""

import json
import os
import sys
from pathlib import Path

sys.path += [sys.argv[1], "/usr/share/qgis/python/plugins"]

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
)
from qgis.gui import (
    QgsAttributeForm,
    QgsGui,
    QgsLayerTreeMapCanvasBridge,
    QgsMapCanvas,
)
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMainWindow

from overcast_processing import classFactory
from overcast_processing.panel import JudgePanel

WORLD, OUT = Path(sys.argv[2]), Path(sys.argv[3])


def begin():
    """QGIS with Processing and the plugin."""
    application = QgsApplication([], True)
    application.initQgis()
    from processing.core.Processing import Processing

    Processing.initialize()
    plugin = classFactory(None)
    plugin.initProcessing()
    return application, plugin


def layer_named(name):
    """Layer of the project, which a result was opened as."""
    (layer,) = QgsProject.instance().mapLayersByName(name)
    return layer


def make_map(processing):
    """Make a map as the toolbox does, and say how its layers are drawn."""
    images = {k.upper(): [str(WORLD / f"{k}.tif")] for k in ("s1", "s2")}
    results = processing.runAndLoadResults(
        "overcast:map",
        {
            **images,
            "LABELS": [str(WORLD / "labels.tif")],
            "LEGEND": "simplified-igbp",
            "OUT": str(OUT / "map"),
        },
    )
    layer = layer_named("Map")
    legend = layer.renderer().legendSymbologyItems()
    return results, {
        "renderer": layer.renderer().type(),
        "legend": [[label, colour.name()] for label, colour in legend],
        "confidence": layer_named("Confidence").renderer().type(),
        "page": results["PAGE"],
    }


def judge(layer, canvas, window):
    """Judge every point by the truth, with keys and buttons; say what the form shows."""
    truth = QgsRasterLayer(str(WORLD / "truth.tif"), "truth")
    panel = JudgePanel(canvas, window)
    window.addDockWidget(panel_side(), panel)
    window.resize(1100, 760)
    window.show()
    image = QgsRasterLayer(str(WORLD / "s2.tif"), "Imagery")
    QgsProject.instance().addMapLayer(image)
    panel.begin(layer)
    panel.base.setLayer(image)
    QTest.qWait(1500)
    window.grab().save(str(OUT / "panel.png"))
    QgsGui.editorWidgetRegistry().initEditors()
    form = QgsAttributeForm(layer, next(layer.getFeatures()))
    form.resize(500, 500)
    form.grab().save(str(OUT / "form.png"))
    names = {code: name for code, name, _ in panel.listed}
    hidden = [c.name for c in layer.attributeTableConfig().columns() if c.hidden]
    visited = []
    for _ in range(layer.featureCount()):
        fid = panel.order[panel.at]
        visited.append(fid)
        at = layer.getFeature(fid).geometry().asPoint()
        value, valid = truth.dataProvider().sample(QgsPointXY(at), 1)
        panel.judge(names[int(value)] if valid else "")
    QTest.qWait(300)
    window.grab().save(str(OUT / "judged.png"))
    filled = [str(f["reference"]) for f in layer.getFeatures()]
    named = [one.name() for one in canvas.layers()]
    panel.close()
    QTest.qWait(300)
    return {
        "hidden": hidden,
        "visited": len(set(visited)),
        "filled": sum(bool(one) for one in filled),
        "progress": panel.progress.text(),
        "layers_while_judging": named,
    }


def panel_side():
    """Right side of the window."""
    from qgis.PyQt.QtCore import Qt

    return Qt.DockWidgetArea.RightDockWidgetArea


def refused(processing):
    """Message of a run that overcast refuses."""
    from qgis.core import QgsProcessingException

    try:
        processing.run(
            "overcast:sample",
            {"MAPPED": str(WORLD / "s2.tif"), "OUT": str(OUT / "x.gpkg")},
        )
    except QgsProcessingException as error:
        return str(error)
    return None


def main():
    """Do all of it, and print what was seen."""
    _application, plugin = begin()
    import processing

    seen = {}
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:32631"))
    results, seen["map"] = make_map(processing)
    processing.runAndLoadResults(
        "overcast:sample",
        {
            "MAPPED": results["MAP"],
            "SIZE": 60,
            "MINIMUM": 2,
            "OUT": str(OUT / "s.gpkg"),
        },
    )
    sample = layer_named("Sample")
    canvas, window = QgsMapCanvas(), QMainWindow()
    window.setCentralWidget(canvas)
    root = QgsProject.instance().layerTreeRoot()
    bridge = QgsLayerTreeMapCanvasBridge(root, canvas)  # as in the window of QGIS
    bridge.setAutoSetupOnFirstLayer(False)
    canvas.setDestinationCrs(layer_named("Map").crs())
    seen["judged"] = judge(sample, canvas, window)
    seen["layers_after"] = sorted(one.name() for one in canvas.layers())
    scores = processing.run(
        "overcast:assess", {"MAPPED": results["MAP"], "REFERENCE": sample}
    )
    seen["scores"] = json.loads(scores["RESULT"])
    seen["words"] = Path(scores["PAGE"]).read_text(encoding="utf-8")
    smaller = processing.runAndLoadResults(
        "overcast:generalise",
        {"MAPPED": results["MAP"], "MMU": 0.5, "OUT": str(OUT / "small.tif")},
    )
    seen["generalised"] = layer_named("Map without small patches").renderer().type()
    seen["file"] = smaller["OUT"]
    seen["refused"] = refused(processing)
    print(json.dumps(seen))
    sys.stdout.flush()
    plugin.unload()
    os._exit(0)  # Python and QGIS free windows in no agreed order


if __name__ == "__main__":
    main()
