"""Formats of files that come from elsewhere, and a command that reads each."""

# ruff: noqa: E501
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from bench.corpus.runner import Command, Words, run
from bench.corpus.scene import BANDS, Scene, map_of, predict_of
from bench.faults.commands import job_of

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
    job_of("train").before(scene)


def _own_sensor(scene: Scene) -> None:
    _planned(scene)
    plan = (scene.folder / "plan.yaml").read_text(encoding="utf-8")
    scene.write("plan.yaml", plan.replace("sensor: sentinel-2\n", "sensor: own.toml\n"))
    bands = "".join(
        f'[[bands]]\nname = "{name}"\nunit = "reflectance"\nlow = 0.0\nhigh = 0.4\n'
        for name in BANDS
    )
    scene.write("own.toml", f'name = "own"\nkind = "optical"\nscale = 1e-4\n{bands}')


def _as_item(scene: Scene) -> None:
    scene.write("item.json", json.dumps(ITEM))


ITEM = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": "a",
    "bbox": None,
    "geometry": None,
    "links": [],
    "properties": {"datetime": "2024-05-01T10:00:00Z"},
    "assets": {"image": {"href": "./s2.tif", "type": "image/tiff"}},
}
_NAMED = ("s1", "s2", "labels", "legend", "sensor", "method")
_WITH = predict_of("m/run", "s2.tif", "s1.tif")
_ASSESS = ("assess", "m/map.tif")
FORMATS: tuple[Format, ...] = (
    Format("image", "s2.tif", map_of(s1="s1.tif"), pixels=True),
    Format("labels", "labels.tif", map_of(s1="s1.tif"), pixels=True),
    Format("legend", "legend.csv", map_of(s1="s1.tif"), pixels=True, names=("legend",)),
    Format("plan", "plan.yaml", ("train", "plan.yaml", *_OUT), _planned, None, names=_NAMED),
    Format("sensor", "own.toml", ("train", "plan.yaml", *_OUT), _own_sensor, None, names=("own",)),
    Format("region", "region.yaml", job_of("map --region").words, job_of("map --region").before, None, True, _NAMED),
    Format("STAC item", "item.json", map_of(s2="item.json", s1="s1.tif"), _as_item, names=("s2.tif",)),
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
