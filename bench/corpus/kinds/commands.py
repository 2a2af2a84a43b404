"""Every command but map and predict: impossible options, wrong files, and small work."""

# ruff: noqa: E501
from __future__ import annotations

from functools import partial

from bench.corpus.case import Answer, add, case, refused
from bench.corpus.runner import Words
from bench.corpus.scene import Scene, map_of

ALL = map_of(s1="s1.tif")


def _after(words: Words, made: str | None, s: Scene) -> Words:
    if made:
        s.take(made, "o2")
        s.take("sample", "s.gpkg")
    return words


_S = ("sample", "o2/map.tif", "--out", "x.gpkg")
_P = ("polygons", "o2/map.tif", "--out", "x.gpkg")
_G = ("labels", "suggest", "--s2", "s2.tif", "--out", "x.gpkg")
_W = ("simulate", "--size", "64", "--out", "w")
MADE = Answer()
for words, ends in (
    ((*_S, "--size", "0"), (refused("--size", "points"),)),
    ((*_S, "--size", "-5"), (refused("--size", "points"),)),
    ((*_S, "--size", "10"), (refused("--size", "points"),)),
    ((*_S, "--size", "100000"), (refused("--size"), MADE)),
    ((*_S, "--size", "1e3"), (refused("--size"),)),
    ((*_S, "--standard-error", "0"), (refused("--standard-error", "standard error"),)),
    ((*_S, "--standard-error", "-1"), (refused("--standard-error", "standard error"),)),
    ((*_S, "--standard-error", "nan"), (refused("--standard-error", "standard error"),)),
    ((*_S, "--standard-error", "inf"), (refused("--standard-error", "standard error"), MADE)),
    ((*_S, "--standard-error", "1e-300"), (MADE, refused("--standard-error"))),
    ((*_S, "--expected", "2"), (refused("--expected", "expected"),)),
    ((*_S, "--expected", "nan"), (refused("--expected", "expected"),)),
    ((*_S, "--expected", "Moor=0.5"), (refused("--expected", "Moor"),)),
    ((*_S, "--expected", "Water=0.5", "--expected", "Water=0.9"), (refused("--expected", "Water"),)),
    ((*_S, "--expected", "Water=", ), (refused("--expected"),)),
    ((*_S, "--expected", "=0.5"), (refused("--expected"), MADE)),
    ((*_S, "--minimum", "1"), (refused("--minimum"),)),
    ((*_S, "--minimum", "1000000"), (refused("--minimum", "--size"), MADE)),
    ((*_S, "--allocation", "random"), (refused("--allocation"),)),
    ((*_S, "--seed", "-1"), (refused("--seed"),)),
    ((*_S, "--seed", "9" * 30), (refused("--seed"), MADE)),
    ((*_S, "--legend", "igbp"), (refused("igbp", "--legend", "legend"),)),
    (("sample", "o2/map.tif", "--out", "x.shp"), (refused("x.shp"),)),
    (("sample", "o2/map.tif", "--out", "x"), (refused("x"),)),
    (("sample", "o2/map.tif", "--out", "x.geojson"), (refused("x.geojson"), MADE)),
    (("sample", "s2.tif", "--out", "x.gpkg"), (refused("s2.tif"),)),
    (("sample", "labels.tif", "--out", "x.gpkg"), (refused("labels.tif"),)),
    (("sample", "labels.tif", "--legend", "legend.csv", "--size", "300", "--out", "x.gpkg"), (MADE,)),
    (("sample", "o2/confidence.tif", "--out", "x.gpkg"), (refused("confidence.tif"),)),
    (("sample", "gone.tif", "--out", "x.gpkg"), (refused("gone.tif"),)),
    (("sample", "o2", "--out", "x.gpkg"), (refused("o2"), MADE)),
    ((*_P, "--mmu", "-1"), (refused("--mmu"),)),
    ((*_P, "--mmu", "nan"), (refused("--mmu"),)),
    ((*_P, "--mmu", "inf"), (refused("--mmu"), MADE)),
    ((*_P, "--mmu", "100000"), (refused("--mmu"), MADE)),
    ((*_P, "--mmu", "1e308"), (refused("--mmu"), MADE)),
    ((*_P, "--mmu", "0,5"), (refused("--mmu"),)),
    ((*_P, "--mmu", "0.5"), (MADE,)),
    (("polygons", "o2/map.tif", "--out", "x.shp"), (refused("x.shp"), MADE)),
    (("polygons", "labels.tif", "--out", "x.gpkg"), (refused("labels.tif"),)),
    (("polygons", "s2.tif", "--out", "x.gpkg"), (refused("s2.tif"),)),
    ((*_G, "--count", "0"), (refused("--count"),)),
    ((*_G, "--count", "100000"), (refused("--count", "patches"), MADE)),
    ((*_G, "--side", "0"), (refused("--side"),)),
    ((*_G, "--side", "97"), (refused("--side", "patch"),)),
    ((*_G, "--side", "1000000000"), (refused("--side", "patch"),)),
    ((*_G, "--side", "1", "--count", "3"), (MADE, refused("--side"))),
    ((*_G, "--seed", "-1"), (refused("--seed"),)),
    (("labels", "suggest", "--out", "x.gpkg"), (refused("--s1", "image"),)),
    (("labels", "suggest", "--s2", "gone.tif", "--out", "x.gpkg"), (refused("gone.tif"),)),
    (("labels", "suggest", "--s2", "s2.tif", "--out", "x.csv"), (refused("x.csv"), MADE)),
    ((*_W, "--seed", "-1"), (refused("--seed", "seed"), MADE)),
    ((*_W, "--seed", "9" * 40), (refused("--seed", "seed"), MADE)),
    ((*_W, "--cloud", "2"), (refused("--cloud", "cloud"),)),
    ((*_W, "--cloud", "-1"), (refused("--cloud", "cloud"),)),
    ((*_W, "--cloud", "nan"), (refused("--cloud", "cloud"),)),
    ((*_W, "--labels", "lidar"), (refused("--labels", "lidar"),)),
    ((*_W, "--labels", "modis", "--labels", "modis"), (refused("--labels", "modis"), MADE)),
    (("simulate", "--size", "0", "--out", "w"), (refused("--size", "size"),)),
    (("simulate", "--size", "-4", "--out", "w"), (refused("--size", "size"),)),
    (("simulate", "--size", "1", "--out", "w"), (refused("--size", "size"), MADE)),
    (("simulate", "--size", "1000000000", "--out", "w"), (refused("--size", "size"),)),
    (("simulate", "--size", "99999999999999999999", "--out", "w"), (refused("--size", "size"),)),
    (("demo", "--size", "0", "--out", "w"), (refused("--size", "size"),)),
    (("demo", "--size", "1000000000", "--out", "w"), (refused("--size", "size"),)),
    (("demo", "--method", "svm", "--size", "64", "--out", "w"), (refused("svm", "--method"),)),
    (("demo", "--seed", "-1", "--size", "64", "--out", "w"), (refused("--seed", "seed"), MADE)),
    (("inspect", "gone.tif"), (refused("gone.tif"),)),
    (("inspect", "legend.csv"), (refused("legend.csv"), MADE)),
    (("inspect", "o2"), (refused("o2"), MADE)),
    (("inspect", "s2.tif", "s2.tif"), (MADE,)),
    (("inspect", "--json", "s2.tif", "labels.tif", "s.gpkg", "o2/map.tif"), (MADE,)),
    (("inspect", "o2/confidence.tif", "o2/report.html"), (refused("report.html"), MADE)),
    (("assess", "o2/map.tif", "gone.tif"), (refused("gone.tif"),)),
    (("assess", "gone.tif", "labels.tif"), (refused("gone.tif"),)),
    (("assess", "o2/map.tif", "s2.tif"), (refused("s2.tif"),)),
    (("assess", "o2/map.tif", "labels.tif"), (MADE,)),
    (("assess", "o2/map.tif", "o2/map.tif"), (refused("map.tif"), Answer(says=("labels", "map", "itself", "same")))),
    (("assess", "o2/map.tif", "labels.tif", "--reference-legend", "igbp"), (refused("igbp", "legend", "labels.tif"),)),
    (("assess", "o2/map.tif", "labels.tif", "--legend", "igbp"), (refused("igbp", "legend", "map.tif"),)),
    (("assess", "labels.tif", "o2/map.tif"), (refused("labels.tif", "--legend"),)),
    (("assess", "o2/map.tif", "s.gpkg", "--reference-column", "gone"), (refused("gone", "--reference-column"),)),
    (("assess", "o2/map.tif", "s.gpkg", "--reference-column", "stratum_name"), (refused("stratum_name", "s.gpkg"), Answer(says=("stratum", "map", "column")))),
    (("assess", "o2/map.tif", "s.gpkg", "--reference-nodata", "1"), (refused("--reference-nodata", "s.gpkg"), Answer(says=("Water", "nodata")))),
    (("assess", "o2/map.tif", "s.gpkg", "--out", "legend.csv"), (refused("legend.csv"),)),
    (("assess", "o2/map.tif", "s.gpkg", "--out", "gone/x.json"), (refused("gone"), MADE)),
    (("assess", "o2/map.tif", "s.gpkg", "--out", "o2"), (refused("o2"),)),
    (("assess", "labels.tif", "s.gpkg", "--legend", "legend.csv", "--report"), (refused("run", "labels.tif"), MADE)),
    (("export", "o2/run", "--out", "x.onnx"), (refused("o2/run", "weak"),)),
    (("export", "gone", "--out", "x.onnx"), (refused("gone"),)),
    (("view", "gone", "--no-browser"), (refused("gone"),)),
    (("view", "legend.csv", "--no-browser"), (refused("legend.csv"),)),
    (("view", ".", "--no-browser"), (refused("map", "folder", "."),)),
    (("view", "o2", "--no-browser", "--port", "99999"), (refused("--port"),)),
    (("view", "o2", "--no-browser", "--port", "-1"), (refused("--port"),)),
    (("pseudo", "o2/run", "--s2", "s2.tif", "--out", "x"), (refused("s1"),)),
    (("pseudo", "o2/run", "--s2", "s2.tif", "--s1", "s1.tif", "--views", "5", "--out", "x"), (refused("--views", "views"),)),
    (("pseudo", "o2/run", "--s2", "s2.tif", "--s1", "s1.tif", "--views", "1", "--official", "gone.tif", "--out", "x"), (refused("gone.tif"),)),
    (("pseudo", "o2/run", "--s2", "s2.tif", "--s1", "s1.tif", "--views", "1", "--official", "s2.tif", "--out", "x"), (refused("s2.tif"),)),
    (("pseudo", "o2/run", "--s2", "s2.tif", "--s1", "s1.tif", "--views", "1", "--official-nodata", "0", "--out", "x"), (refused("--official"),)),
    (("pseudo", "gone", "--s2", "s2.tif", "--out", "x"), (refused("gone"),)),
    (("chain", "gone.yaml", "gone.yaml", "--out", "x"), (refused("gone.yaml"),)),
    (("chain", "s2.tif", "s1.tif", "--out", "x"), (refused("s2.tif"),)),
    (("chain", "o2/run/plan.yaml", "o2/run/plan.yaml", "--networks", "0", "--out", "x"), (refused("--networks", "networks"),)),
    (("chain", "o2/run/plan.yaml", "o2/run/plan.yaml", "--refits", "-1", "--out", "x"), (refused("--refits", "refits"),)),
    (("chain", "o2/run/plan.yaml", "o2/run/plan.yaml", "--views", "2", "--out", "x"), (refused("--views", "views", "pair"),)),
    (("pretrain", "gone", "--steps", "2", "--out", "x"), (refused("gone"),)),
    (("pretrain", "legend.csv", "--steps", "2", "--out", "x"), (refused("legend.csv"),)),
    (("pretrain", "o2/run/plan.yaml", "--steps", "0", "--out", "x"), (refused("--steps"),)),
    (("pretrain", ".", "--steps", "2", "--set", "window=0", "--out", "x"), (refused("window", "--set"),)),
    (("pretrain", ".", "--steps", "2", "--set", "schedule=5", "--out", "x"), (refused("schedule", "--set"),)),
    (("pretrain", ".", "--steps", "2", "--set", "schedule={steps: 9}", "--out", "x"), (refused("schedule", "--steps"), MADE)),
    (("pretrain", ".", "--steps", "2", "--set", "recipe={name: supervised}", "--out", "x"), (refused("supervised", "recipe"),)),
    (("pretrain", ".", "--steps", "2", "--set", "labels=x", "--out", "x"), (refused("labels", "--set"),)),
    (("pretrain", "labels.tif", "--steps", "2", "--out", "x"), (refused("labels.tif"),)),
    (("pretrain", "o2", "--steps", "2", "--out", "x"), (refused("o2"),)),
    (("train", "o2/run/plan.yaml", "--frozen", "--out", "x"), (refused("--frozen"),)),
):  # fmt: skip
    made = "weak" if any("o2" in str(w) or "s.gpkg" in str(w) for w in words) else None
    shown = " ".join(map(str, words))
    add("commands", shown, partial(_after, words, made), *ends)


@case("commands", "labels audit of swapped codes", Answer())
def _(s: Scene) -> Words:
    return ("labels", "audit", *ALL[1:])


@case(
    "commands",
    "labels audit of one class",
    refused("labels.tif"),
    Answer(says=("Forest", "class")),
)
def _(s: Scene) -> Words:
    s.save_labels(s.truth * 0 + 1)
    return ("labels", "audit", *ALL[1:])


@case("commands", "labels audit of foreign codes", refused("labels.tif"))
def _(s: Scene) -> Words:
    s.save_labels(s.truth + 40)
    return ("labels", "audit", *ALL[1:])


@case("commands", "labels suggest where all is nodata", refused("s2.tif"))
def _(s: Scene) -> Words:
    s.save_s2(s.s2 * 0)
    return _G


@case("commands", "pretrain with two steps", Answer())
def _(s: Scene) -> Words:
    more = ("--set", "window=32", "--set", "batch=2", "--out", "x")
    return ("pretrain", "s2.tif", "s1.tif", "--steps", "2", *more)


@case("commands", "pretrain on an image of NaN", refused("s1.tif"))
def _(s: Scene) -> Words:
    s.save_s1(s.s1 * float("nan"))
    more = ("--set", "window=32", "--set", "batch=2", "--out", "x")
    return ("pretrain", "s1.tif", "--steps", "2", *more)


@case(
    "commands",
    "pretrain on an image in percent",
    refused("s2.tif"),
    Answer(says=("s2",)),
)
def _(s: Scene) -> Words:
    s.save_s2((s.s2 / 100).astype("float32"))
    more = ("--set", "window=32", "--set", "batch=2", "--out", "x")
    return ("pretrain", "s2.tif", "--steps", "2", *more)


@case(
    "commands",
    "map that starts from a run of another sensor",
    refused("o2/run", "--start"),
    Answer(says=("start", "s1")),
)
def _(s: Scene) -> Words:
    s.take("network", "o2")
    net = ("--method", "network", "--set", "window=32", "--set", "batch=2")
    net += ("--set", "schedule={steps: 2}", "--start", "o2/run")
    return map_of(s2=None, s1="s1.tif", more=net)


@case("commands", "export of a network", Answer())
def _(s: Scene) -> Words:
    s.take("network", "o2")
    return ("export", "o2/run", "--size", "64", "--out", "x.onnx")


for words, ends in (
    (("--size", "7"), (refused("--size"),)),
    (("--size", "33"), (refused("--size", "size"), Answer())),
    (("--pixel", "0"), (refused("--pixel"),)),
    (("--pixel", "nan"), (refused("--pixel"),)),
    (("--pixel", "-10"), (refused("--pixel"),)),
    (("--out", "o2/run/interface.json"), (refused("interface.json"),)),
    (("--out", "o2"), (refused("o2"),)),
):

    def _export(s: Scene, words: Words = words) -> Words:
        s.take("network", "o2")
        target = () if "--out" in words else ("--out", "x.onnx")
        return ("export", "o2/run", *words, *target)

    add("commands", f"export {' '.join(words)}", _export, *ends)
