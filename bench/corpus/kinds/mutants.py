"""Files with bytes flipped or cut, and trees with parts changed; where, the seed says."""

# ruff: noqa: E501
from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml
from bench.corpus.case import Answer, Verdict, add, refused, right
from bench.corpus.kinds.samples import SCORED, assess_of, estimated
from bench.corpus.kinds.vectors import in_degrees, save, squares
from bench.corpus.runner import Outcome, Words
from bench.corpus.scene import Scene, map_of, measured, predict_of, save_raster

KIND = "mutants"
_SAME = 0.98
"""Share of the pixels that are as they were, for a file to count as the same."""


def _flip(path: Path, count: int, s: Scene, end: int | None = None) -> None:
    data = bytearray(path.read_bytes())
    places = s.random.integers(0, min(end or len(data), len(data)), count)
    for place in places:
        data[place] ^= 1 << int(s.random.integers(8))
    path.write_bytes(bytes(data))


def _cut(path: Path, s: Scene) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(s.random.integers(1, len(data)))])


def _zero(path: Path, s: Scene) -> None:
    """A hole, as a copy that broke off leaves it."""
    data = bytearray(path.read_bytes())
    start = int(s.random.integers(0, len(data)))
    data[start : start + 4096] = bytes(len(data[start : start + 4096]))
    path.write_bytes(bytes(data))


def another(name: str, original: Any, s: Scene) -> bool:
    """Whether a changed raster is a valid file that says something else."""
    reference = s.folder.parent / "original.tif"
    if not reference.exists():
        original(reference)
    try:
        with rasterio.open(s / name) as new, rasterio.open(reference) as old:
            facts = ("crs", "transform", "shape", "count", "dtypes", "nodatavals")
            facts += ("descriptions", "scales", "offsets", "colorinterp")
            if any(str(getattr(new, f)) != str(getattr(old, f)) for f in facts):
                return True
            a, b = new.read(), old.read()
            same = (
                (a == b) | (np.isnan(a) & np.isnan(b))
                if a.dtype.kind == "f"
                else a == b
            )
            masks = (new.dataset_mask() == old.dataset_mask()).mean()
            return bool(same.mean() < _SAME or masks < _SAME)
    except (rasterio.errors.RasterioError, ValueError, OverflowError, MemoryError):
        return False


def _undecidable(
    name: str, original: Any, s: Scene, outcome: Outcome
) -> Verdict | None:
    """Exit 0 with a valid file that says something else: nobody can tell."""
    if outcome.code != 0 or not another(name, original, s):
        return None
    mapped = s.mapped()
    share = float((mapped == s.truth).mean())
    return (
        None if share >= 0.9 else Verdict("another", f"{share:.0%} of the map is right")
    )


_NAMES = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
_HOW = {
    "s2": lambda path, **p: save_raster(path, measured()[1], _NAMES, nodata=0, **p),
    "s1": lambda path, **p: save_raster(path, measured()[2], ("VV", "VH"), nodata=float("nan"), **p),
    "labels": lambda path, **p: save_raster(path, measured()[0], nodata=255, **p),
}  # fmt: skip
_PROFILES: dict[str, dict[str, Any]] = {
    "plain": {},
    "deflate": {"compress": "deflate"},
    "tiled": {"compress": "lzw", "tiled": True, "blockxsize": 32, "blockysize": 32},
}


def _raster(file: str, profile: str, how: str, s: Scene) -> Words:
    path = s / f"{file}.tif"
    path.unlink()
    _HOW[file](path, **_PROFILES[profile])
    if how == "cut":
        _cut(path, s)
    elif how == "hole":
        _zero(path, s)
    elif how == "flips in the head":
        _flip(path, 4, s, 500)
    else:
        _flip(path, 12, s)
    return map_of(s1="s1.tif")


for file, write in _HOW.items():
    for profile, more in _PROFILES.items():
        for how in ("cut", "hole", "flips in the head", "flips"):
            for number in range(2):
                original = partial(write, **more)
                add(
                    KIND,
                    f"{file}, {profile}, {how}, {number + 1}",
                    partial(_raster, file, profile, how),
                    right(),
                    refused(f"{file}.tif"),
                    judged=partial(_undecidable, f"{file}.tif", original),
                )


def _vector(driver: str, name: str, how: str, s: Scene) -> Words:
    shapes, codes = squares(s)
    if driver == "GeoJSON":
        save(s, name, in_degrees(shapes), codes, driver=driver, crs="EPSG:4326")
    else:
        save(s, name, shapes, codes, driver=driver)
    if how == "cut":
        _cut(s / name, s)
    elif how == "hole":
        _zero(s / name, s)
    else:
        _flip(s / name, 6, s)
    return map_of(labels=name)


def _labels_left(name: str, s: Scene, outcome: Outcome) -> Verdict | None:
    """A vector file that is still one may say something else."""
    if outcome.code != 0 or right().problem(s, outcome) is None:
        return None
    import pyogrio

    try:
        info = pyogrio.read_info(s / name)
    except Exception:
        return None
    share = float((s.mapped() == s.truth).mean())
    said = f"{info['features']} features, {share:.0%} of the map is right"
    return Verdict("another", said)


for driver, name in (
    ("GPKG", "l.gpkg"),
    ("GeoJSON", "l.geojson"),
    ("ESRI Shapefile", "l.shp"),
    ("FlatGeobuf", "l.fgb"),
):
    for how in ("cut", "hole", "flips"):
        for number in range(2):
            add(
                KIND,
                f"{name}, {how}, {number + 1}",
                partial(_vector, driver, name, how),
                right(),
                refused(name),
                judged=partial(_labels_left, name),
            )


def _run_file(method: str, name: str, how: str, s: Scene) -> Words:
    run = s.take(method, "o2") / "run"
    if how == "cut":
        _cut(run / name, s)
    elif how == "flips in the head":
        _flip(run / name, 3, s, 400)
    else:
        _flip(run / name, 3, s)
    return predict_of("o2/run", s2="s2.tif", s1="s1.tif")


for method, name in (
    ("weak", "weak.safetensors"),
    ("forest", "forest.safetensors"),
    ("weak", "interface.json"),
    ("forest", "plan.yaml"),
):
    for how in ("cut", "flips in the head", "flips"):
        for number in range(2):
            add(
                KIND,
                f"{name} of {method}, {how}, {number + 1}",
                partial(_run_file, method, name, how),
                right(),
                refused("o2/run"),
            )

_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 10**12, 1e300, float("nan"), "", "x", [], {}, [None], {"a": 1},
    "\u202e", "a" * 5000, [[[[[]]]]], -0.5, "1",
)  # fmt: skip


def _leaves(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values of a tree, inner ones too."""
    items: Any = ()
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    inner = [leaf for key, value in items for leaf in _leaves(value, (*path, key))]
    return [path, *inner] if path else inner


def _changed(tree: Any, s: Scene) -> None:
    leaves = _leaves(tree)
    path = leaves[s.random.integers(len(leaves))]
    for key in path[:-1]:
        tree = tree[key]
    if s.random.random() < 0.25:
        del tree[path[-1]]
    else:
        tree[path[-1]] = _VALUES[s.random.integers(len(_VALUES))]


def _interface(s: Scene) -> Words:
    path = s.take("weak", "o2") / "run/interface.json"
    tree = json.loads(path.read_text())
    _changed(tree, s)
    path.write_text(json.dumps(tree))
    return predict_of("o2/run", s2="s2.tif", s1="s1.tif")


def _plan(s: Scene) -> Words:
    path = s.take("forest", "o2") / "run/plan.yaml"
    tree = yaml.safe_load(path.read_text())
    _changed(tree, s)
    path.write_text(yaml.safe_dump(tree))
    return predict_of("o2/run", s2="s2.tif", s1="s1.tif")


for number in range(8):
    ends = right(), refused("o2/run", "no name")
    add(KIND, f"interface.json, a value changed, {number + 1}", _interface, *ends)
    add(KIND, f"plan.yaml of a run, a value changed, {number + 1}", _plan, *ends)


def _text(name: str, how: str, s: Scene) -> Words:
    lines = (s / name).read_text().splitlines()
    row = int(s.random.integers(len(lines)))
    if how == "a line twice":
        lines.insert(row, lines[row])
    elif how == "a line less":
        del lines[row]
    elif how == "a letter changed":
        column = int(s.random.integers(len(lines[row])))
        letter = chr(int(s.random.integers(1, 0x300)))
        lines[row] = lines[row][:column] + letter + lines[row][column + 1 :]
    (s / name).write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")
    return map_of()


for how in ("a line twice", "a line less", "a letter changed"):
    for number in range(3):
        add(
            KIND,
            f"legend.csv, {how}, {number + 1}",
            partial(_text, "legend.csv", how),
            right(),
            refused("legend.csv", "labels.tif"),
        )


def _sample(how: str, s: Scene) -> Words:
    s.take("weak", "o")
    path = s.take("sample-csv", "s.csv")
    if how == "cut":
        _cut(path, s)
    elif how == "flips":
        _flip(path, 4, s)
    else:
        lines = path.read_text().splitlines()
        row = int(s.random.integers(1, len(lines)))
        fields = lines[row].split(",")
        fields[s.random.integers(6)] = ["", "-1", "nan", "1e300", "x", "0"][
            s.random.integers(6)
        ]
        lines[row] = ",".join(fields)
        path.write_text("\n".join(lines) + "\n")
    return assess_of("s.csv")


for how in ("cut", "flips", "a field changed"):
    for number in range(3):
        add(
            KIND,
            f"a filled sample, {how}, {number + 1}",
            partial(_sample, how),
            Answer(estimated),
            SCORED,
            refused("s.csv"),
        )
