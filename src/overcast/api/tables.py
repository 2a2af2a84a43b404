"""Tables that come out as pandas frames where pandas is installed, and go in as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely
from numpy.typing import ArrayLike

from overcast.geo.vectors import Features, text_of

if TYPE_CHECKING:
    import pandas

Records: TypeAlias = Sequence[Mapping[str, object]]
Table: TypeAlias = "pandas.DataFrame | Records"
"""A frame of pandas or geopandas, or a sequence of rows."""


def table_of(columns: Mapping[str, ArrayLike | Sequence[object]]) -> Table:
    """Return columns of one length as a frame, or as rows where pandas is missing."""
    values = {name: np.asarray(column) for name, column in columns.items()}
    try:
        import pandas
    except ImportError:
        rows = zip(*(column.tolist() for column in values.values()), strict=True)
        return [dict(zip(values, row, strict=True)) for row in rows]
    return pandas.DataFrame(values)


def features_of(table: Table, crs: str) -> Features:
    """Points of a table: its geometry, or its columns ``x`` and ``y`` in `crs`.

    Raises
    ------
    ValueError
        If it has neither, or no row.
    """
    columns = columns_of(table)
    if not columns or not len(next(iter(columns.values()))):
        raise ValueError("table: no rows; expected a point in every row")
    shapes = columns.pop("geometry", None)
    if shapes is not None:
        own = getattr(table, "crs", None)
        points = np.asarray(shapes, object)
        crs = crs if own is None else own.to_wkt()
    elif {"x", "y"} <= columns.keys():
        places = [np.asarray(columns[name], np.float64) for name in ("x", "y")]
        points = shapely.points(*places)
    else:
        raise ValueError(
            f"table: has columns {', '.join(columns)}; expected x and y, in the "
            "coordinates of the map, or a geometry"
        )
    texts = {
        name: [_text(value) for value in values] for name, values in columns.items()
    }
    return Features(Path("table"), points, texts, crs)


def columns_of(table: Table) -> dict[str, Sequence[object]]:
    """Columns of a frame or of rows by name."""
    if isinstance(table, Sequence):
        names = list(dict.fromkeys(name for row in table for name in row))
        return {name: [row.get(name) for row in table] for name in names}
    return {str(name): table[name].tolist() for name in table.columns}


def _text(value: object) -> str:
    if isinstance(value, float):
        return text_of(np.float64(value))
    return text_of(value)
