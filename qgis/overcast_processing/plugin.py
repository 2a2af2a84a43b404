"""What QGIS loads: the provider, and the panel for judging samples."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QAction

from . import settings
from .provider import Provider


class OvercastPlugin:
    """The plugin.

    Parameters
    ----------
    iface
        The window of QGIS, or None for qgis_process.
    """

    def __init__(self, iface):
        self.iface = iface
        self.provider = None
        self.action = None
        self.panel = None

    def initProcessing(self):  # noqa: N802
        """Add the algorithms; all that qgis_process needs."""
        self.provider = Provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):  # noqa: N802
        """Add the algorithms and the panel."""
        self.initProcessing()
        self.action = QAction(
            settings.icon(), "Judge a sample", self.iface.mainWindow()
        )
        self.action.triggered.connect(self.judge)
        self.iface.addPluginToMenu("overcast", self.action)
        self.iface.addToolBarIcon(self.action)

    def unload(self):
        """Take all of it away again."""
        from .viewing import end_all

        end_all()
        QgsApplication.processingRegistry().removeProvider(self.provider)
        if self.action is not None:
            self.iface.removePluginMenu("overcast", self.action)
            self.iface.removeToolBarIcon(self.action)
        if self.panel is not None:
            self.panel.close()
            self.iface.removeDockWidget(self.panel)

    def judge(self):
        """Show the panel that goes through a sample point by point."""
        from .panel import JudgePanel

        if self.panel is None:
            self.panel = JudgePanel(self.iface.mapCanvas(), self.iface.mainWindow())
            self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.panel)
        self.panel.show()
        self.panel.begin(self.iface.activeLayer())
