"""overcast's place in the Processing toolbox."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider

from . import settings
from .algorithm import CommandAlgorithm
from .arguments import read_table
from .viewing import ViewAlgorithm


class Provider(QgsProcessingProvider):
    """All algorithms of the table."""

    def id(self):
        return "overcast"

    def name(self):
        return "overcast"

    def longName(self):  # noqa: N802
        return "overcast: land cover from SAR and optical imagery"

    def icon(self):
        return settings.icon()

    def load(self):
        settings.add()
        self.refreshAlgorithms()
        return True

    def unload(self):
        settings.remove()

    def loadAlgorithms(self):  # noqa: N802
        for entry in read_table():
            kind = ViewAlgorithm if entry["id"] == "view" else CommandAlgorithm
            self.addAlgorithm(kind(entry))

    def supportedOutputRasterLayerExtensions(self):  # noqa: N802
        return ["tif"]

    def supportedOutputVectorLayerExtensions(self):  # noqa: N802
        return ["gpkg", "fgb"]

    def defaultVectorFileExtension(self, hasGeometry=True):  # noqa: N802, N803
        return "gpkg"

    def supportsNonFileBasedOutput(self):  # noqa: N802
        return False
