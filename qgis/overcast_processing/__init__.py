"""overcast in QGIS: its commands as algorithms of the Processing toolbox.

overcast itself runs as a program of its own, in its own environment. The modules
`arguments`, `executable`, `judging`, `process` and `results` know nothing of QGIS.
"""


def classFactory(iface):  # noqa: N802 - QGIS calls it by this name
    """Return the plugin; QGIS calls this once."""
    from .plugin import OvercastPlugin

    return OvercastPlugin(iface)
