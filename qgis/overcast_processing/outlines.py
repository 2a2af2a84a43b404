"""What is drawn around the point that is judged: its pixel, and a circle."""

from __future__ import annotations

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsUnitTypes,
    QgsWkbTypes,
)
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtGui import QColor

_AROUND = 4
"""Half a canvas shows this many radii of the circle."""


class Outlines:
    """A square of a pixel and a circle around a point, on a canvas."""

    def __init__(self, canvas):
        self._canvas = canvas
        self._bands = []

    def clear(self):
        """Take the outlines away."""
        for band in self._bands:
            self._canvas.scene().removeItem(band)
        self._bands = []

    def show(self, point, crs, pixel, radius):
        """Draw a square and a circle, metres on the ground, and show the place.

        The square lies along the axes of `crs`, which is the grid of the map.
        """
        self.clear()
        local, there = _around(point, crs)
        circle = local.buffer(radius, 32)
        half = pixel / 2
        if crs.isGeographic():
            square = self._of(
                QgsGeometry.fromRect(QgsRectangle(-half, -half, half, half)), there
            )
        else:
            scale = half * _per_metre(crs)
            at = point.asPoint()
            box = QgsRectangle(
                at.x() - scale, at.y() - scale, at.x() + scale, at.y() + scale
            )
            square = self._of(QgsGeometry.fromRect(box), crs)
        self._draw(square, QColor(255, 255, 0))
        self._draw(self._of(circle, there), QColor(255, 255, 255))
        seen = self._of(local.buffer(_AROUND * radius, 8), there)
        self._canvas.setExtent(seen.boundingBox())
        self._canvas.refresh()

    def _of(self, geometry, crs):
        """Geometry in the system of the canvas."""
        to = QgsCoordinateTransform(crs, self._system(), QgsProject.instance())
        moved = QgsGeometry(geometry)
        moved.transform(to)
        return moved

    def _system(self):
        return self._canvas.mapSettings().destinationCrs()

    def _draw(self, geometry, colour):
        # A dark line below a bright one is seen on any imagery.
        for width, ink in ((4, QColor(0, 0, 0, 160)), (2, colour)):
            band = QgsRubberBand(self._canvas, QgsWkbTypes.PolygonGeometry)
            band.setToGeometry(geometry, self._system())
            band.setFillColor(QColor(0, 0, 0, 0))
            band.setStrokeColor(ink)
            band.setWidth(width)
            self._bands.append(band)


def _around(point, crs):
    """Return a point at the origin of a system of metres around it, and that system."""
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    at = QgsGeometry(point)
    at.transform(QgsCoordinateTransform(crs, degrees, QgsProject.instance()))
    lon, lat = at.asPoint().x(), at.asPoint().y()
    there = QgsCoordinateReferenceSystem.fromProj(
        f"+proj=aeqd +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m"
    )
    return QgsGeometry.fromPointXY(QgsPointXY(0, 0)), there


def _per_metre(crs):
    """Units of a projected system in a metre."""
    # By a system in metres: the name of the unit is another one in newer QGIS.
    metres = QgsCoordinateReferenceSystem("EPSG:3857").mapUnits()
    return QgsUnitTypes.fromUnitToUnitFactor(metres, crs.mapUnits())
