"""How a sample is judged point by point: order, progress, classes; no QGIS here."""

from __future__ import annotations

import csv
import hashlib
import io

REFERENCE = "reference"
"""Field that takes the class of a point."""
HIDDEN = (
    *("stratum", "stratum_name", "stratum_pixels", "stratum_share", "stratum_points"),
)
"""Fields that tell what the map says; who sees them judges less honestly."""
FREE = ("certainty", "interpreter", "date", "comment")
"""Further fields of a sample, for whoever judges it."""


def order_of(ids):
    """Ids of points in an order that tells nothing of their strata.

    overcast writes a sample stratum by stratum. The order here depends on the ids
    alone, so that work goes on tomorrow where it ended.
    """
    return sorted(ids, key=lambda one: hashlib.sha256(str(one).encode()).digest())


def next_open(order, judged, at):
    """Position of the next point that is not judged, after `at` and around; or None."""
    for ahead in range(1, len(order) + 1):
        place = (at + ahead) % len(order)
        if order[place] not in judged:
            return place
    return None


def classes_of(legend_csv):
    """Code, name and colour of classes, from the legend that a sample carries."""
    rows = list(csv.DictReader(io.StringIO(legend_csv)))
    made = []
    for row in rows:
        keys = {(key or "").strip().lower(): value for key, value in row.items()}
        colour = (keys.get("colour") or keys.get("color") or "808080").lstrip("#")
        made.append((int(keys["code"]), keys["name"].strip(), f"#{colour}"))
    return made


def is_sample(names):
    """Return whether fields are those of a sample that overcast drew."""
    return REFERENCE in names and {"stratum", "stratum_pixels"} <= set(names)
