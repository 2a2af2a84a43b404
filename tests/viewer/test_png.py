from __future__ import annotations

import numpy as np
import pytest
import rasterio

from overcast.viewer.png import encode


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (256, 256)])
def test_what_is_encoded_is_read_by_others(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (*shape, 4), dtype=np.uint8)
    with rasterio.MemoryFile(encode(picture)) as memory, memory.open() as dataset:
        assert dataset.driver == "PNG"
        np.testing.assert_array_equal(np.moveaxis(dataset.read(), 0, -1), picture)
