"""Whether a reference can judge a map, or knows what the map was learned from."""

from __future__ import annotations

import numpy as np
from odc.geo.geobox import GeoBox

from overcast.accuracy.confusion import Confusion
from overcast.geo.extent import areas_ha

_SAME = 0.9
"""Agreement from which a reference is taken to know the labels: maps of one place that
were made independently seldom agree so well."""
_FINE = 4
"""Cells of labels up to so many pixels large are pixels, not neighbourhoods."""


def are_fine(labels: GeoBox, mapped: GeoBox) -> bool:
    """Return whether cells of labels are about as small as the pixels of a map."""
    one = np.ones(1, np.int64)
    return areas_ha(one, labels)[0] <= _FINE * areas_ha(one, mapped)[0]


def remark(confusion: Confusion, fine: bool) -> str | None:
    """Describe how a reference that was compared with training labels depends on them.

    `confusion` has the labels in the place of the map; `fine` says whether they label
    single pixels. That there are labels where the reference is means little: both may
    be everywhere. That they agree too well tells that one comes from the other.
    """
    both, alone = int(confusion.counts.sum()), int(confusion.unmapped.sum())
    if not both or confusion.overall_accuracy < _SAME:
        return None
    share, agreement = both / (both + alone), confusion.overall_accuracy
    if fine and share < _SAME:
        return (
            f"{share:.2%} of the reference ({both} pixels) are labels that the map was "
            f"learned from: there they agree in {agreement:.1%}; scores are too good by "
            "that much, so give a reference that was kept apart"
        )
    return (
        "the reference is the labels that the map was learned from, or as good as: they "
        f"agree in {agreement:.1%} of {both} pixels. These scores say how well the map "
        "copies its labels, not how right it is"
    )
