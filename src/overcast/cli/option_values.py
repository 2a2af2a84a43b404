"""What the options hold that commands share, a group of `overcast.cli.options` each."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypedDict


class GridOption(TypedDict):
    """Value of ``--grid``: a raster whose grid is used."""

    grid: str | None


class ImageOptions(GridOption):
    """Values of `overcast.cli.options.images`."""

    s1: tuple[str, ...]
    s2: tuple[str, ...]
    others: tuple[str, ...]
    s1_units: Literal["auto", "db", "linear", "amplitude"]
    s2_offset: int | None
    s2_bands: str | None
    s2_mask: tuple[str, ...]
    mask_dilation: float | None
    s2_hidden: str | None
    trust: bool
    small_overlap: bool
    register: bool


class LabelOptions(TypedDict):
    """Values of `overcast.cli.options.labels`."""

    labels: tuple[str, ...]
    legend: str | None
    labels_nodata: tuple[str, ...]
    labels_column: str | None
    prior: str | None
    method: str | None
    settings: tuple[str, ...]
    seed: int


class PlanOptions(ImageOptions, LabelOptions):
    """Values of the options that describe a plan."""


class PlaceOptions(TypedDict):
    """Values of `overcast.cli.options.place`."""

    labels_accuracy: str | None
    anchors: Path | None
    anchors_column: str | None
    place: bool | None


class StartOptions(TypedDict):
    """Values of `overcast.cli.options.start`."""

    start: str | None
    frozen: bool


class ReadingOptions(TypedDict):
    """Values of `overcast.cli.options.reading`."""

    reference_legend: str | None
    reference_nodata: tuple[str, ...]
    reference_column: str | None


class ReferenceOptions(ReadingOptions):
    """Values of `overcast.cli.options.reference`."""

    reference: str | None


class EnsembleOptions(TypedDict):
    """Values of `overcast.cli.options.ensemble` and `overcast.cli.options.views`."""

    also: tuple[Path, ...]
    weights: str | None
    views: int


class TableOptions(TypedDict):
    """Values of `overcast.cli.options.tables`."""

    table: Path | None
    json: bool


class WritingOptions(TypedDict):
    """Values of `overcast.cli.options.writing`."""

    out: Path
    overwrite: bool


class RegionOptions(GridOption):
    """Values of `overcast.cli.region_options.region`, and the place by another name."""

    bbox: str | None
    resolution: float
    year: int | None
    first: str | None
    last: str | None
    season: str | None
    sources: tuple[str, ...]
    dates: int
    clear: float
    skip: tuple[str, ...]
    where: str | None


class TileOptions(WritingOptions):
    """Values of `overcast.cli.tile_options.tiles`, with what tiles leave where."""

    region_file: Path | None
    tiles: int | None
    workers: int | None
    address: str | None
    memory: str | None
    retries: int | None
    dry_run: bool
    log: Literal["text", "json"]
    probabilities: bool


class MapOptions(
    PlanOptions,
    PlaceOptions,
    StartOptions,
    ReferenceOptions,
    RegionOptions,
    TileOptions,
):
    """Values of all options of `overcast map`."""
