"""What a class raster's values mean, as GDAL reads it."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from overcast.geo.legend import LandClass, Legend
from overcast.product.attributes import auxiliary, histogram, statistics

LEGEND = Legend(
    "mine", (LandClass(80, "water & <ice>", "0000ff"), LandClass(0, "Wald", "00ff00"))
)


@given(arrays(np.uint8, (7, 9)))
def test_statistics_are_those_of_the_known_pixels(values: np.ndarray) -> None:
    known = values[values != 255].astype(np.float64)
    got = statistics(histogram(values, 1), 1, values.size)
    if known.size == 0:
        assert got == {}
        return
    assert float(got["STATISTICS_MINIMUM"]) == known.min()
    assert float(got["STATISTICS_MAXIMUM"]) == known.max()
    assert float(got["STATISTICS_MEAN"]) == pytest.approx(known.mean())
    assert float(got["STATISTICS_STDDEV"]) == pytest.approx(known.std(), abs=1e-9)
    percent = float(got["STATISTICS_VALID_PERCENT"])
    assert percent == pytest.approx(100 * known.size / values.size, rel=1e-3)


@given(arrays(np.int16, (40,), elements=st.integers(-1, 256)))
def test_confidence_in_steps_is_counted_exactly(steps: np.ndarray) -> None:
    values = np.where(steps < 0, np.nan, steps / 256).astype(np.float32)
    counts = histogram(values, 1 / 256)
    assert np.array_equal(counts, np.bincount(steps[steps >= 0], minlength=257))


def test_table_has_a_row_a_class_in_the_order_of_codes() -> None:
    counts = np.zeros(257, np.int64)
    counts[[0, 80]] = 5_000_000_000, 3
    root = Xml.fromstring(auxiliary(LEGEND, counts, 0.01))
    (table,) = root.iter("GDALRasterAttributeTable")
    assert table.attrib == {"tableType": "thematic"}
    names = [e.text for e in table.iter("Name")]
    assert names == [
        "Value",
        "Count",
        "Class",
        "Area_ha",
        "Red",
        "Green",
        "Blue",
        "Alpha",
    ]
    # GDAL's GDALRATFieldUsage: MinMax, PixelCount, Name, Generic, red to alpha.
    assert [e.text for e in table.iter("Usage")] == list("51206789")
    rows = [[f.text for f in row] for row in table.iter("Row")]
    assert rows == [
        ["0", "5000000000", "Wald", "50000000.0000", "0", "255", "0", "255"],
        ["80", "3", "water & <ice>", "0.0300", "0", "0", "255", "255"],
    ]
    categories = [e.text or "" for e in root.iter("Category")]
    assert len(categories) == 81
    assert (categories[0], categories[80], set(categories[1:80])) == (
        "Wald",
        "water & <ice>",
        {""},
    )
