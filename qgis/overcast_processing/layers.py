"""How results look when they open: overcast's styles, and the form of a sample."""

from __future__ import annotations

from pathlib import Path

from osgeo import gdal
from qgis.core import (
    QgsAttributeTableConfig,
    QgsEditorWidgetSetup,
    QgsProcessingContext,
    QgsProcessingLayerPostProcessorInterface,
    QgsVectorLayer,
)

from .judging import HIDDEN, REFERENCE, classes_of, is_sample

_KEPT = []
"""Post-processors that QGIS has yet to call; it does not keep them alive itself."""


class Styled(QgsProcessingLayerPostProcessorInterface):
    """Gives a layer the style that lies beside its file, and a sample its form."""

    def postProcessLayer(self, layer, context, feedback):  # noqa: N802
        """Style a layer that was loaded."""
        dress(layer)
        if self in _KEPT:
            _KEPT.remove(self)


def dress(layer):
    """Give a layer the style beside its file, and a sample its form.

    QGIS loads results of Processing without the default style of their file.
    """
    style = Path(layer.source().split("|")[0]).with_suffix(".qml")
    if style.is_file():
        layer.loadNamedStyle(str(style))
    else:
        layer.loadDefaultStyle()
    if isinstance(layer, QgsVectorLayer) and is_sample(layer.fields().names()):
        set_form(layer)
    layer.triggerRepaint()


def set_form(layer):
    """Hide what the map says from the form of a sample, and list the classes.

    Fields of the strata show in neither form nor table, so that nobody judges by them.
    """
    config = layer.attributeTableConfig()
    config.update(layer.fields())
    columns = []
    for column in config.columns():
        column.hidden = column.name in HIDDEN
        columns.append(column)
    config.setColumns(columns)
    assert isinstance(config, QgsAttributeTableConfig)
    layer.setAttributeTableConfig(config)
    for index, field in enumerate(layer.fields()):
        if field.name() in HIDDEN:
            layer.setEditorWidgetSetup(index, QgsEditorWidgetSetup("Hidden", {}))
    classes = classes_of_layer(layer)
    if classes:
        choices = [{"": ""}, *({name: name} for _, name, _ in classes)]
        setup = QgsEditorWidgetSetup("ValueMap", {"map": choices})
        layer.setEditorWidgetSetup(layer.fields().indexOf(REFERENCE), setup)


def classes_of_layer(layer):
    """Code, name and colour of the classes of a sample, from its GeoPackage.

    Of a sample without a legend, names of the strata in grey.
    """
    source = layer.source().split("|")[0]
    dataset = gdal.OpenEx(source, gdal.OF_VECTOR) if Path(source).is_file() else None
    if dataset is not None:
        held = [dataset, *(dataset.GetLayer(i) for i in range(dataset.GetLayerCount()))]
        for one in held:
            text = (one.GetMetadata() or {}).get("legend")
            if text:
                return classes_of(text)
    names = layer.fields().names()
    if not {"stratum", "stratum_name"} <= set(names):
        return []
    pairs = {(f["stratum"], f["stratum_name"]) for f in layer.getFeatures()}
    return [(code, str(name), "#808080") for code, name in sorted(pairs)]


def load_later(path, title, output, context):
    """Let QGIS open a file, styled, when the algorithm has ended."""
    details = QgsProcessingContext.LayerDetails(title, context.project(), output)
    context.addLayerToLoadOnCompletion(str(path), details)
    style_later(str(path), context)


def style_later(path, context):
    """Let QGIS style a file that it opens when the algorithm has ended."""
    if not context.willLoadLayerOnCompletion(path):
        return
    styled = Styled()
    _KEPT.append(styled)
    context.layerToLoadOnCompletionDetails(path).setPostProcessor(styled)
