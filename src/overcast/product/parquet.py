"""Polygons as GeoParquet 1.1, some thousand at a time.

GDAL as pyogrio brings it writes no Parquet, so pyarrow does (extra ``parquet``). What
makes a Parquet file a GeoParquet one is the text ``geo`` in its metadata
(https://geoparquet.org/releases/v1.1.0/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

_GEOMETRY = "geometry"


def require(path: Path) -> None:
    """Refuse a name that ends in .parquet before any work, if nothing can write it.

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        import pyarrow.parquet  # noqa: F401


class ParquetLayer:
    """A file of polygons that grows row group by row group.

    Parameters
    ----------
    path
        File to write.
    crs
        Coordinate reference system as WKT.

    Raises
    ------
    ModuleNotFoundError
        If pyarrow is not installed.
    """

    def __init__(self, path: Path, crs: str) -> None:
        import pyarrow.parquet  # an extra

        self._path, self._crs = path, pyproj.CRS.from_wkt(crs).to_json_dict()
        self._arrow, self._writer = pyarrow, None
        self._bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])

    def add(self, shapes: NDArray[Any], columns: Mapping[str, NDArray[Any]]) -> None:
        """Write polygons ``[N]`` and their columns ``[N]``; shells run anticlockwise."""
        arrow = self._arrow
        table = arrow.table(
            {
                **columns,
                _GEOMETRY: arrow.array(shapely.to_wkb(shapes), arrow.binary()),
            }
        )
        if self._writer is None:
            self._writer = arrow.parquet.ParquetWriter(
                self._path, table.schema, compression="zstd"
            )
        assert self._writer is not None
        self._writer.write_table(table)
        west, south, east, north = shapely.total_bounds(shapes)
        low, high = self._bounds[:2], self._bounds[2:]
        self._bounds = np.concatenate(
            [np.minimum(low, (west, south)), np.maximum(high, (east, north))]
        )

    def close(self) -> None:
        """Finish the file, with what GeoParquet says of its geometry."""
        if self._writer is None:
            return
        column = {
            "encoding": "WKB",
            "geometry_types": ["Polygon"],
            "crs": self._crs,
            "orientation": "counterclockwise",
            "bbox": self._bounds.tolist(),
        }
        geo = {
            "version": "1.1.0",
            "primary_column": _GEOMETRY,
            "columns": {_GEOMETRY: column},
        }
        self._writer.add_key_value_metadata({"geo": json.dumps(geo)})
        self._writer.close()
