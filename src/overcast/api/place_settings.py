"""What is asked of a place, in words that import nothing: most scenes are of files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class PlaceSettings(TypedDict, total=False):
    """The images that are wanted of a place.

    Attributes
    ----------
    year
        A whole year; or `first` and `last`, days such as 2024-04-01.
    season
        Only spring, summer, autumn or winter of it.
    source
        planetary-computer (default), earth-search, copernicus, a TOML file, or several
        of them: the first that has a product is asked for it.
    products
        sentinel-2, sentinel-1, elevation, and names of labels such as worldcover. By
        default the first two. A scene has none but these, and by default leaves
        Sentinel-1 out where no source has it.
    dates
        Days of Sentinel-2, and as many of Sentinel-1 (4).
    clear
        Least share of the place that is clear on a day (0.5).
    resolution
        Metres of a pixel (10).
    skip
        Items of the catalogue to leave out.
    """

    year: int
    first: str
    last: str
    season: str
    source: str | Sequence[str]
    products: Sequence[str]
    dates: int
    clear: float
    resolution: float
    skip: Sequence[str]
