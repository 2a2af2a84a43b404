"""From what QGIS holds as parameters to plain values, and parameters from the table."""

from __future__ import annotations

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
    QgsProcessingParameterVectorLayer,
    QgsProcessingUtils,
    QgsRasterLayer,
    QgsVectorFileWriter,
)

from .arguments import EXTRA, NO, YES, file_of_source, lines_of

_ADVANCED = QgsProcessingParameterDefinition.FlagAdvanced
_FILTERS = {
    "to_table": "CSV (*.csv);;Markdown (*.md)",
    "to_json": "JSON (*.json)",
    "to_pdf": "PDF (*.pdf)",
}
_READERS = {
    "whole": "parameterAsInt",
    "number": "parameterAsDouble",
    "flag": "parameterAsBool",
    "choice": "parameterAsEnumString",
    "switch": "parameterAsEnumString",
    "to_raster": "parameterAsOutputLayer",
    "to_vector": "parameterAsOutputLayer",
    "to_table": "parameterAsFileOutput",
    "to_json": "parameterAsFileOutput",
    "to_pdf": "parameterAsFileOutput",
}
"""Method of an algorithm that reads a kind; others are texts."""


def parameter_of(entry):
    """Parameter of QGIS from an entry of the table."""
    name, label, kind = entry["name"], entry["label"], entry["kind"]
    optional, default = not entry["required"], entry.get("default")
    if kind in ("raster", "vector", "layer", "rasters", "layers"):
        made = _layers(name, label, kind, optional)
    elif kind in ("whole", "number"):
        made = _number(entry, optional)
    elif kind == "flag":
        made = QgsProcessingParameterBoolean(name, label, False)
    elif kind in ("choice", "switch"):
        options = entry.get("choices") or [YES, NO]
        made = QgsProcessingParameterEnum(
            name, label, options, False, default, optional, True
        )
    elif kind == "extent":
        made = QgsProcessingParameterExtent(name, label, None, optional)
    elif kind in ("folder", "file"):
        behaviour = QgsProcessingParameterFile.Folder
        if kind == "file":
            behaviour = QgsProcessingParameterFile.File
        made = QgsProcessingParameterFile(name, label, behaviour, optional=optional)
    elif kind.startswith("to_"):
        made = _destination(name, label, kind, optional)
    else:
        many = kind == "many"
        shown = f"{label}, one a line" if many else label
        made = QgsProcessingParameterString(name, shown, default, many, optional)
    made.setHelp(entry["help"])
    if entry["advanced"]:
        made.setFlags(made.flags() | _ADVANCED)
    return made


def extra_parameter():
    """Parameter for options as on a command line."""
    made = QgsProcessingParameterString(
        EXTRA, "Further options, as on a command line", None, False, True
    )
    made.setHelp("Such as: --s2 /data/S2A_MSIL2A_20240503.SAFE --set trees=300")
    made.setFlags(made.flags() | _ADVANCED)
    return made


def _layers(name, label, kind, optional):
    if kind == "raster":
        return QgsProcessingParameterRasterLayer(name, label, None, optional)
    if kind == "vector":
        return QgsProcessingParameterVectorLayer(
            name, label, [QgsProcessing.TypeVector], None, optional
        )
    if kind == "layer":
        return QgsProcessingParameterMapLayer(name, label, None, optional)
    of = QgsProcessing.TypeRaster if kind == "rasters" else QgsProcessing.TypeMapLayer
    return QgsProcessingParameterMultipleLayers(name, label, of, None, optional)


def _number(entry, optional):
    whole = entry["kind"] == "whole"
    of = QgsProcessingParameterNumber.Integer if whole else None
    made = QgsProcessingParameterNumber(
        entry["name"],
        entry["label"],
        QgsProcessingParameterNumber.Double if of is None else of,
        entry.get("default"),
        optional,
    )
    if "min" in entry:
        made.setMinimum(entry["min"])
    if "max" in entry:
        made.setMaximum(entry["max"])
    return made


def _destination(name, label, kind, optional):
    if kind == "to_folder":
        return QgsProcessingParameterFolderDestination(name, label, None, optional)
    if kind == "to_raster":
        return QgsProcessingParameterRasterDestination(name, label, None, optional)
    if kind == "to_vector":
        of = QgsProcessing.TypeVectorAnyGeometry
        return QgsProcessingParameterVectorDestination(name, label, of, None, optional)
    return QgsProcessingParameterFileDestination(
        name, label, _FILTERS[kind], None, optional, not optional
    )


class Reader:
    """Plain values of the parameters of one call.

    Parameters
    ----------
    algorithm
        The algorithm of QGIS that was called.
    parameters, context, feedback
        What QGIS calls it with.
    """

    def __init__(self, algorithm, parameters, context, feedback):
        self._algorithm = algorithm
        self._parameters = parameters
        self._context = context
        self._feedback = feedback

    def all_of(self, entries):
        """Value of every entry by name, and of the further options."""
        made = {entry["name"]: self._value(entry) for entry in entries}
        made[EXTRA] = self._read("parameterAsString", EXTRA)
        return made

    def _read(self, how, name):
        return getattr(self._algorithm, how)(self._parameters, name, self._context)

    def _value(self, entry):
        name, kind = entry["name"], entry["kind"]
        if self._parameters.get(name) is None and kind != "flag":
            # Defaults are overcast's own; QGIS gives destinations theirs.
            return None
        if kind in ("raster", "vector", "layer"):
            return self._file(self._layer(name, kind), name)
        if kind in ("rasters", "layers"):
            layers = self._read("parameterAsLayerList", name)
            return [self._file(layer, name) for layer in layers]
        if kind == "extent":
            return self._degrees(name)
        value = self._read(_READERS.get(kind, "parameterAsString"), name)
        return lines_of(value) if kind == "many" else value

    def _layer(self, name, kind):
        how = {"raster": "parameterAsRasterLayer", "vector": "parameterAsVectorLayer"}
        return self._read(how.get(kind, "parameterAsLayer"), name)

    def _degrees(self, name):
        degrees = QgsCoordinateReferenceSystem("EPSG:4326")
        box = self._algorithm.parameterAsExtent(
            self._parameters, name, self._context, degrees
        )
        if box.isEmpty():
            return None
        sides = box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()
        return ",".join(f"{side:.6f}" for side in sides)

    def _file(self, layer, name):
        """Name of the file of a layer; other vectors are written to one."""
        if layer is None:
            raise QgsProcessingException(f"{name}: no such layer")
        provider = layer.dataProvider().name()
        if isinstance(layer, QgsRasterLayer):
            if provider != "gdal":
                raise QgsProcessingException(
                    f"{layer.name()}: a raster of the provider {provider}; save it as "
                    "GeoTIFF first (Export, Save As)"
                )
            return layer.source()
        if provider == "ogr" and not layer.subsetString() and not layer.isEditable():
            return file_of_source(layer.source())
        return self._written(layer)

    def _written(self, layer):
        """Write the features that a vector layer shows, also those being edited."""
        path = QgsProcessingUtils.generateTempFilename(f"{layer.name()}.gpkg")
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName = "GPKG"
        result = QgsVectorFileWriter.writeAsVectorFormatV3(
            layer, path, self._context.transformContext(), options
        )
        if result[0] != QgsVectorFileWriter.NoError:
            raise QgsProcessingException(f"{layer.name()}: {result[1]}")
        self._feedback.pushInfo(f"{layer.name()}: written to {path}")
        return path
