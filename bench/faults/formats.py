"""Formats of files that come from elsewhere, and a command that reads each."""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from bench.corpus.runner import Command, Words, run
from bench.corpus.scene import Scene, map_of, predict_of

_OUT = ("--out", "o")


@dataclass(frozen=True, slots=True)
class Format:
    """A file that is damaged, and a command that reads it.

    Attributes
    ----------
    name
        What reports call the format.
    file
        The file, in the scene's folder.
    words
        The command; a map it makes is ``o/map.tif``.
    before
        Makes what the command starts from.
    result
        File that is compared; none where the command only prints.
    pixels
        Whether the file holds values without a checksum, of which any are valid.
    names
        Names that a refusal may also begin with: of what the file itself names.
    """

    name: str
    file: str
    words: Words
    before: Callable[[Scene], None] = lambda scene: None
    result: str | None = "o/map.tif"
    pixels: bool = False
    names: tuple[str, ...] = ()


def _run(made: str, *without: str) -> Callable[[Scene], None]:
    def before(scene: Scene) -> None:
        scene.take(made, "m")
        for name in without:
            (scene.folder / "m" / "run" / name).unlink(missing_ok=True)

    return before


def _sampled(scene: Scene) -> None:
    scene.take("weak", "m")
    scene.take("sample", "s.gpkg")
    scene.take("sample-csv", "s.csv")


def _calibrated(scene: Scene) -> None:
    _sampled(scene)
    outcome = run(Command(("calibrate", "m", "s.gpkg")), scene.folder)
    if outcome.code != 0:
        raise RuntimeError(outcome.err)


def _drawn(driver: str, name: str) -> Callable[[Scene], None]:
    def before(scene: Scene) -> None:
        import shapely
        from bench.corpus.scene import BLOCK, EAST, NORTH, PIXEL
        from pyogrio.raw import write

        codes = scene.truth[::BLOCK, ::BLOCK]
        side = BLOCK * PIXEL
        boxes, values = [], []
        for (row, column), code in np.ndenumerate(codes):
            x, y = EAST + column * side, NORTH - row * side
            boxes.append(shapely.box(x, y - side, x + side, y))
            values.append(int(code))
        write(
            scene.folder / name,
            shapely.to_wkb(boxes),
            [np.array(values)],
            np.array(["class"], object),
            crs="EPSG:32632",
            geometry_type="Polygon",
            driver=driver,
        )

    return before


def _planned(scene: Scene) -> None:
    from bench.faults.commands import job_of

    job_of("train").before(scene)


_NAMED = ("s1", "s2", "labels", "legend", "sensor", "method")
_WITH = predict_of("m/run", "s2.tif", "s1.tif")
_ASSESS = ("assess", "m/map.tif")
FORMATS: tuple[Format, ...] = (
    Format("image", "s2.tif", map_of(s1="s1.tif"), pixels=True),
    Format("labels", "labels.tif", map_of(s1="s1.tif"), pixels=True),
    Format("legend", "legend.csv", map_of(s1="s1.tif"), pixels=True, names=("legend",)),
    Format("plan", "plan.yaml", ("train", "plan.yaml", *_OUT), _planned, None, names=_NAMED),
    Format("plan of a run", "m/run/plan.yaml", _WITH, _run("forest")),
    Format("interface of a run", "m/run/interface.json", _WITH, _run("forest")),
    Format("record of a run", "m/run/learned.json", _WITH, _run("forest")),
    Format("forest", "m/run/forest.safetensors", _WITH, _run("forest")),
    Format(
        "forest without a record",
        "m/run/forest.safetensors",
        _WITH,
        _run("forest", "learned.json"),
        pixels=True,
    ),
    Format(
        "k-means without a record",
        "m/run/kmeans.safetensors",
        _WITH,
        _run("kmeans", "learned.json"),
        pixels=True,
    ),
    Format(
        "weak run without a record",
        "m/run/weak.safetensors",
        _WITH,
        _run("weak", "learned.json"),
        pixels=True,
    ),
    Format("labels of a run", "m/run/place.json", _WITH, _run("weak"), pixels=True),
    Format("calibration", "m/run/calibration.json", _WITH, _calibrated, pixels=True),
    Format("map", "m/map.tif", ("sample", "m/map.tif", "--out", "o.gpkg"), _run("weak"), "o.gpkg", True),
    Format("sample", "s.gpkg", (*_ASSESS, "s.gpkg"), _sampled, None, True),
    Format("sample as CSV", "s.csv", (*_ASSESS, "s.csv"), _sampled, None, True),
    Format("GeoPackage", "d.gpkg", map_of(labels="d.gpkg"), _drawn("GPKG", "d.gpkg"), pixels=True),
    Format("GeoJSON", "d.geojson", map_of(labels="d.geojson"), _drawn("GeoJSON", "d.geojson"), pixels=True),
    Format("FlatGeobuf", "d.fgb", map_of(labels="d.fgb"), _drawn("FlatGeobuf", "d.fgb"), pixels=True),
)  # fmt: skip
"""Every format that a command reads, and that comes from elsewhere."""
