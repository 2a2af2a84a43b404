"""The panel that goes through a sample point by point.

It shows each point with its pixel and a circle, writes the class that is chosen, and
keeps from view what the map says. Layers that would tell are off while it is open.
"""

from __future__ import annotations

from datetime import date

from qgis.core import QgsMapLayerProxyModel, QgsProject, QgsRasterLayer
from qgis.gui import QgsMapLayerComboBox
from qgis.PyQt.QtCore import QSettings, Qt
from qgis.PyQt.QtGui import QColor, QIcon, QKeySequence, QPixmap
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDockWidget,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QShortcut,
    QVBoxLayout,
    QWidget,
)

from .judging import FREE, REFERENCE, is_sample, next_open, order_of
from .layers import classes_of_layer, set_form
from .outlines import Outlines

_CERTAINTIES = ("", "high", "medium", "low")
_INTERPRETER = "overcast/interpreter"
_SWATCH = 14


class JudgePanel(QDockWidget):
    """A dock with the points of a sample.

    Parameters
    ----------
    canvas
        Map canvas that shows the points.
    parent
        Window that it belongs to.
    """

    def __init__(self, canvas, parent=None):
        super().__init__("Judge a sample", parent)
        self.setObjectName("overcastJudge")
        self.canvas = canvas
        self.layer, self.order, self.at = None, [], 0
        self.listed = []
        self._judged = {}
        self._outlines = Outlines(canvas)
        self._shortcuts = []
        self._hidden = set()
        self._build()

    def _build(self):
        """Lay out the fields; the buttons of classes come with a sample."""
        self.layers = QgsMapLayerComboBox()
        self.layers.setFilters(QgsMapLayerProxyModel.PointLayer)
        self.base = QgsMapLayerComboBox()
        self.base.setFilters(QgsMapLayerProxyModel.RasterLayer)
        self.base.setAllowEmptyLayer(True)
        add = QPushButton("Add address …")
        add.setToolTip("An XYZ address such as https://server/{z}/{x}/{y}.png")
        add.clicked.connect(self._ask_address)
        self.alone = QCheckBox("Hide all other layers")
        self.alone.setToolTip("A map in view would tell what to answer")
        self.alone.setChecked(True)
        self.pixel, self.radius = _metres(10), _metres(50)
        form = QFormLayout()
        form.addRow("Sample", self.layers)
        form.addRow("Base imagery", self.base)
        form.addRow("", add)
        form.addRow(self.alone)
        form.addRow("Pixel (m)", self.pixel)
        form.addRow("Circle (m)", self.radius)
        self.progress = QLabel("Choose a sample of overcast")
        self.progress.setWordWrap(True)
        self.classes = QVBoxLayout()
        self.certainty = QComboBox()
        self.certainty.addItems(_CERTAINTIES)
        self.interpreter = QLineEdit(QSettings().value(_INTERPRETER, ""))
        self.comment = QLineEdit()
        notes = QFormLayout()
        notes.addRow("Certainty", self.certainty)
        notes.addRow("Interpreter", self.interpreter)
        notes.addRow("Comment", self.comment)
        inside = QWidget()
        column = QVBoxLayout(inside)
        for part in (form, self.progress, self._steps(), self.classes, notes):
            _add(column, part)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        bar = scroll.verticalScrollBar().sizeHint().width()
        scroll.setMinimumWidth(inside.minimumSizeHint().width() + bar + 4)
        self.setWidget(scroll)
        self.layers.layerChanged.connect(self.begin)
        self.base.layerChanged.connect(lambda layer: self.show_point())
        self.alone.toggled.connect(lambda on: self.show_point())
        self.pixel.valueChanged.connect(lambda value: self.show_point())
        self.radius.valueChanged.connect(lambda value: self.show_point())

    def _steps(self):
        row = QHBoxLayout()
        for text, key, move in (
            ("◀ Back", "Alt+Left", lambda: self.go(-1)),
            ("Next ▶", "Alt+Right", lambda: self.go(1)),
            ("Next open", "Alt+Down", self.go_on),
        ):
            button = QPushButton(text)
            button.setShortcut(QKeySequence(key))
            button.setToolTip(key)
            button.clicked.connect(lambda checked=False, move=move: move())
            row.addWidget(button)
        return row

    def begin(self, layer):
        """Show the first point of a sample that is not judged; other layers are refused."""
        names = layer.fields().names() if hasattr(layer, "fields") else []
        if not is_sample(names):
            if self.layer is None:
                self.progress.setText("Choose a sample that overcast drew")
            return
        if layer is self.layer:
            return
        self.layer = layer
        set_form(layer)
        number = "id" if "id" in names else None
        rows = {f.id(): f for f in layer.getFeatures()}
        by = {(f[number] if number else fid): fid for fid, f in rows.items()}
        self.order = [by[key] for key in order_of(by)]
        self._judged = {fid: str(f[REFERENCE] or "") for fid, f in rows.items()}
        self._judged = {k: v for k, v in self._judged.items() if v not in ("", "NULL")}
        self.layers.setLayer(layer)
        self.listed = classes_of_layer(layer)
        self._show_classes(self.listed)
        self.at = next_open(self.order, self._judged, -1) or 0
        self.show_point()

    def _show_classes(self, classes):
        """Give every class a button in its colour and a key."""
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
        self._shortcuts = []
        _empty(self.classes)
        for number, (_, name, colour) in enumerate(classes, 1):
            key = str(number) if number < 10 else ""
            self._button(f"{key}  {name}".strip(), colour, key, name)
        self._button("0  Can't be judged", None, "0", "")

    def _button(self, text, colour, key, name):
        button = QPushButton(text)
        button.setStyleSheet("text-align: left; padding: 3px 8px")
        if colour is not None:
            square = QPixmap(_SWATCH, _SWATCH)
            square.fill(QColor(colour))
            button.setIcon(QIcon(square))
        button.clicked.connect(lambda checked=False: self.judge(name))
        self.classes.addWidget(button)
        if key:
            shortcut = QShortcut(QKeySequence(key), self)
            # Where a field has the keyboard, a digit is text.
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda: self.judge(name))
            self._shortcuts.append(shortcut)

    def judge(self, name):
        """Write the class of the point, and go on to the next."""
        if self.layer is None:
            return
        values = {REFERENCE: name, **self._notes()}
        fields = self.layer.fields()
        changes = {fields.indexOf(k): v for k, v in values.items()}
        changes = {index: value for index, value in changes.items() if index >= 0}
        fid = self.order[self.at]
        if not self._write(fid, changes):
            self.progress.setText(
                "The point could not be written. Is the file read-only, or not a "
                "GeoPackage?"
            )
            return
        self._judged.pop(fid, None)
        if name:
            self._judged[fid] = name
        QSettings().setValue(_INTERPRETER, self.interpreter.text())
        self.go_on()

    def _write(self, fid, changes):
        """Write to the file, or to the edits of a layer that is being edited."""
        if self.layer.isEditable():
            done = [
                self.layer.changeAttributeValue(fid, *one) for one in changes.items()
            ]
            return all(done)
        return self.layer.dataProvider().changeAttributeValues({fid: changes})

    def _notes(self):
        said = (
            self.certainty.currentText(),
            self.interpreter.text().strip(),
            date.today().isoformat(),
            self.comment.text().strip(),
        )
        return dict(zip(FREE, said))

    def go(self, steps):
        """Go so many points ahead."""
        if self.order:
            self.at = (self.at + steps) % len(self.order)
            self.show_point()

    def go_on(self):
        """Go to the next point that is not judged."""
        if self.order:
            following = next_open(self.order, self._judged, self.at)
            self.at = self.at if following is None else following
            self.show_point()

    def show_point(self):
        """Show where the point is, and how far the work is."""
        if self.layer is None or not self.order:
            return
        feature = self.layer.getFeature(self.order[self.at])
        self._show_base()
        crs = self.layer.crs()
        self._outlines.show(
            feature.geometry(), crs, self.pixel.value(), self.radius.value()
        )
        said = self._judged.get(feature.id())
        self.progress.setText(
            f"<b>Point {self.at + 1} of {len(self.order)}</b>, "
            f"{len(self._judged)} judged. "
            + (f"This one: <b>{said}</b>" if said else "This one is open.")
        )
        names = self.layer.fields().names()
        comment = feature["comment"] if "comment" in names else ""
        self.comment.setText(str(comment) if comment and str(comment) != "NULL" else "")
        self.certainty.setCurrentIndex(0)

    def _show_base(self):
        """Switch all layers off but the base imagery, or those on again that were on.

        By the tree of layers, since QGIS draws what the tree says.
        """
        base = self.base.currentLayer()
        if not self.alone.isChecked() or base is None:
            self._show_project()
            return
        for node in QgsProject.instance().layerTreeRoot().findLayers():
            if node.layerId() == base.id():
                node.setItemVisibilityCheckedParentRecursive(True)
            elif node.itemVisibilityChecked():
                self._hidden.add(node.layerId())
                node.setItemVisibilityChecked(False)

    def _show_project(self):
        root = QgsProject.instance().layerTreeRoot()
        for node in map(root.findLayer, self._hidden):
            if node is not None:
                node.setItemVisibilityChecked(True)
        self._hidden.clear()

    def _ask_address(self):
        text, given = QInputDialog.getText(
            self, "Base imagery", "XYZ address, with {x}, {y} and {z}:"
        )
        if given and text.strip():
            self.add_address(text.strip())

    def add_address(self, address):
        """Add tiles of an address as a layer, and look at points over them."""
        for word, code in (("%", "%25"), ("&", "%26"), ("=", "%3D")):
            address = address.replace(word, code)
        source = f"type=xyz&url={address}&zmin=0&zmax=19"
        layer = QgsRasterLayer(source, "Base imagery", "wms")
        if not layer.isValid():
            self.progress.setText("QGIS does not take this address.")
            return
        QgsProject.instance().addMapLayer(layer)
        self.base.setLayer(layer)

    def closeEvent(self, event):  # noqa: N802
        """Show the layers of the project again."""
        self._outlines.clear()
        self._show_project()
        super().closeEvent(event)


def _metres(value):
    box = QDoubleSpinBox()
    box.setRange(0.1, 10_000)
    box.setDecimals(1)
    box.setValue(value)
    return box


def _add(column, part):
    if isinstance(part, QWidget):
        column.addWidget(part)
    else:
        column.addLayout(part)


def _empty(layout):
    while layout.count():
        widget = layout.takeAt(0).widget()
        if widget is not None:
            widget.setParent(None)
