"""The commands whose output is files, each on a small scene of `bench.corpus.scene`.

A new command whose output is files gets a `Job` here; a test compares with the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import yaml
from bench.corpus import scene as corpus
from bench.corpus.runner import Words
from bench.corpus.scene import Scene, new_scene, predict_of
from bench.faults import served

SIDE = 48
"""Pixels along a side of the scene: what is long for commands is not their pixels."""


@dataclass(frozen=True, slots=True)
class Job:
    """A command, what must be in the folder before, and what it writes.

    Attributes
    ----------
    name
        What reports call it.
    words
        Words of its command line.
    out
        The folder that it writes to, or that its file is in.
    before
        Makes what the command starts from.
    service
        What must run meanwhile, given the folder of what several commands start from.
    """

    name: str
    words: Words
    out: str
    before: Callable[[Scene], None] = lambda scene: None
    service: Callable[[Path], AbstractContextManager[None]] = lambda cache: (
        nullcontext()
    )


def small_scenes() -> None:
    """Let scenes be as small as commands can do with."""
    corpus.N = SIDE
    corpus.MADE.update(weak=_map_of(IMAGES), forest=_map_of(IMAGES, FOREST))
    corpus.MADE.update(network=_map_of(IMAGES, NETWORK))


def prepare(job: Job, folder: Path, cache: Path) -> None:
    """Make the files that a command starts from, in a new `folder`."""
    job.before(new_scene(folder, cache))


def _map(scene: Scene) -> None:
    scene.take("weak", "m")


def _here(scene: Scene) -> None:
    scene.take("weak", "o")


def _judged(scene: Scene) -> None:
    """A map, and a sample of it that is filled."""
    scene.take("weak", "m")
    scene.take("sample", "s.gpkg")


def _mapped_here(scene: Scene) -> None:
    scene.take("weak", "o")
    scene.take("sample", "s.gpkg")


def _two(scene: Scene) -> None:
    scene.take("weak", "m")
    scene.take("forest", "n")


def _network(scene: Scene) -> None:
    scene.take("network", "m")


def _learned(scene: Scene) -> None:
    scene.take("weak", "m")
    plan = scene.folder / "m" / "run" / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    source = str(scene.cache / "weak")
    scene.write("plan.yaml", text.replace(source, str(scene.folder)))


def _dates(scene: Scene) -> None:
    for day in ("2024-05-01", "2024-06-01", "2024-07-01"):
        scene.save_s2().rename(scene.folder / f"S2_{day}.tif")
    scene.save_s2()


def _region(scene: Scene) -> None:
    scene.write("region.yaml", REGION)


def _region_and_run(scene: Scene) -> None:
    scene.take("forest", "m")
    keep = [part for part in REGION.split("\n") if "labels" not in part]
    scene.write("region.yaml", "\n".join(keep))


def _served(scene: Scene) -> None:
    scene.write("bed.toml", served.source_text_of(scene.cache))


def _chained(scene: Scene) -> None:
    _learned(scene)
    text = (scene.folder / "plan.yaml").read_text(encoding="utf-8")
    tree = yaml.safe_load(text)
    for name, images in (("optical", ("s2",)), ("sar", ("s1", "s2"))):
        own = {**tree, "data": {**tree["data"]}}
        own["data"]["images"] = {k: tree["data"]["images"][k] for k in images}
        if name == "sar":
            own["data"].pop("labels", None)
        scene.write(f"{name}.yaml", yaml.safe_dump(own, sort_keys=False))


REGION = """\
tiles: 32
data:
  images:
    s2: {path: s2.tif, sensor: sentinel-2}
    s1: {path: s1.tif, sensor: sentinel-1}
  labels: {path: labels.tif, legend: legend.csv}
method: {name: forest, trees: 6}
"""
IMAGES: Words = ("--s2", "s2.tif", "--s1", "s1.tif")
FOREST: Words = ("--method", "forest", "--set", "trees=6")
WEAK: Words = ("--set", "clusters=[16]")
FEW: Words = ("--set", "window=32", "--set", "batch=2")
STEPS: Words = ("--set", "schedule={steps: 3}")
NETWORK: Words = ("--method", "network", *FEW, *STEPS)
PLACE: Words = ("--bbox", served.BOX, "--year", "2024", "--source", "bed.toml")
GENERALISE: Words = ("generalise", "m/map.tif", "--mmu", "0.5")
SAMPLE: Words = ("sample", "m/map.tif", "--size", "60", "--minimum", "10")


def _map_of(images: Words, more: Words = WEAK) -> Words:
    labels = ("--labels", "labels.tif", "--legend", "legend.csv")
    return ("map", *images, *labels, *more, "--out", "o")


JOBS: tuple[Job, ...] = (
    Job("map", _map_of(IMAGES), "o"),
    Job("map --method forest", _map_of(IMAGES, FOREST), "o"),
    Job(
        "map --overwrite",
        _map_of(IMAGES[:2], (*WEAK, "--overwrite")),
        "o",
        _mapped_here,
    ),
    Job("map --method network", _map_of(IMAGES, NETWORK), "o"),
    Job("map --region", ("map", "--region", "region.yaml", "--out", "o"), "o", _region),
    Job(
        "map --bbox",
        (
            "map",
            *PLACE,
            "--dates",
            "1",
            "--labels",
            "worldcover",
            *FOREST,
            "--out",
            "o",
        ),
        "o",
        _served,
        served.catalogue,
    ),
    Job(
        "map --bbox --tiles",
        (
            *("map", *PLACE, "--dates", "1", "--labels", "worldcover"),
            *("--tiles", "64", *FOREST, "--out", "o"),
        ),
        "o",
        _served,
        served.catalogue,
    ),
    Job(
        "fetch",
        ("fetch", *PLACE, "--dates", "1", "--labels", "worldcover", "--out", "o"),
        "o",
        _served,
        served.catalogue,
    ),
    Job("train", ("train", "plan.yaml", "--out", "o"), "o", _learned),
    Job("predict", predict_of("m/run", "s2.tif", "s1.tif"), "o", _map),
    Job(
        "predict --region",
        ("predict", "m/run", "--region", "region.yaml", "--out", "o"),
        "o",
        _region_and_run,
    ),
    Job("calibrate", ("calibrate", "o", "s.gpkg"), "o", _mapped_here),
    Job(
        "labels audit",
        (
            *("labels", "audit", *IMAGES, "--labels", "labels.tif"),
            *("--legend", "legend.csv", "--out", "o"),
        ),
        "o",
    ),
    Job(
        "labels suggest",
        ("labels", "suggest", *IMAGES, "--count", "1", "--out", "f/p.gpkg"),
        "f",
    ),
    Job(
        "pretrain",
        ("pretrain", "s2.tif", "s1.tif", "--steps", "3", *FEW, "--out", "o"),
        "o",
    ),
    Job(
        "pseudo", ("pseudo", "m/run", *IMAGES, "--views", "1", "--out", "o"), "o", _map
    ),
    Job(
        "chain",
        (
            *("chain", "optical.yaml", "sar.yaml", "--networks", "1"),
            *("--refits", "0", "--views", "1", "--out", "o"),
        ),
        "o",
        _chained,
    ),
    Job("composite", ("composite", "--s2", "S2_*.tif", "--out", "o"), "o", _dates),
    Job("change", ("change", "m", "n", "--table", "o/c.csv", "--out", "o"), "o", _two),
    Job("publish", ("publish", "m", "--out", "o"), "o", _map),
    Job("report", ("report", "o", "--title", "Ohrid", "--period", "2024"), "o", _here),
    Job("simulate", ("simulate", "--size", "64", "--seed", "3", "--out", "o"), "o"),
    Job("demo", ("demo", "--size", "64", "--seed", "3", "--out", "o"), "o"),
    Job("sample", (*SAMPLE, "--out", "f/s.gpkg"), "f", _map),
    Job("sample to CSV", (*SAMPLE, "--out", "f/s.csv"), "f", _map),
    Job("polygons", ("polygons", "m/map.tif", "--out", "f/p.gpkg"), "f", _map),
    Job(
        "polygons to FlatGeobuf",
        ("polygons", "m/map.tif", "--smooth", "20", "--out", "f/p.fgb"),
        "f",
        _map,
    ),
    Job("generalise", (*GENERALISE, "--out", "f/g.tif"), "f", _map),
    Job("generalise to polygons", (*GENERALISE, "--out", "f/g.gpkg"), "f", _map),
    Job(
        "areas",
        (
            *("areas", "m/map.tif", "--sample", "s.gpkg", "--out", "f/a.json"),
            *("--table", "f/a.csv"),
        ),
        "f",
        _judged,
    ),
    Job("assess", ("assess", "m/map.tif", "s.gpkg", "--out", "f/a.json"), "f", _judged),
    Job(
        "assess --report",
        ("assess", "o/map.tif", "s.gpkg", "--out", "o/a.json", "--report"),
        "o",
        _mapped_here,
    ),
    Job("palette", ("palette", "worldcover", "--out", "f/l.csv"), "f"),
    Job(
        "export",
        ("export", "m/run", "--size", "32", "--out", "f/x.onnx"),
        "f",
        _network,
    ),
)


def job_of(name: str) -> Job:
    """A job by its name."""
    return next(job for job in JOBS if job.name == name)
