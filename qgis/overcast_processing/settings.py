"""The one setting of the plugin: where overcast is."""

from __future__ import annotations

from pathlib import Path

from processing.core.ProcessingConfig import ProcessingConfig, Setting
from qgis.PyQt.QtGui import QIcon

from .executable import find

GROUP = "overcast"
EXECUTABLE = "OVERCAST_EXECUTABLE"


def icon():
    """Icon of the plugin."""
    return QIcon(str(Path(__file__).with_name("icon.svg")))


def add():
    """Show the setting in Settings, Options, Processing, Providers."""
    ProcessingConfig.settingIcons[GROUP] = icon()
    ProcessingConfig.addSetting(
        Setting(
            GROUP,
            EXECUTABLE,
            "Program overcast, or the folder of its environment (empty: look for it)",
            "",
            valuetype=Setting.FILE,
        )
    )
    ProcessingConfig.readSettings()


def remove():
    """Take the setting away."""
    ProcessingConfig.removeSetting(EXECUTABLE)


def program():
    """Path of overcast.

    Raises
    ------
    LookupError
        If it is not where the settings say, or nowhere.
    """
    return find(ProcessingConfig.getSetting(EXECUTABLE) or "")
