"""Options: given twice, impossible, contradictory, of every command."""

# ruff: noqa: E501
from __future__ import annotations

from functools import partial
from typing import Any

from bench.corpus.case import Answer, add, case, noted, refused, right
from bench.corpus.runner import Command, Words
from bench.corpus.scene import N, Scene, map_of, shifted

KIND = "options"


def _after(words: Words, made: str | None, s: Scene) -> Words:
    if made:
        s.take(made, "o2")
        s.take("sample", "s.gpkg")
    return words


ALL = map_of(s1="s1.tif")
_TWICE = (
    ("--s2", "s2.tif"),
    ("--s1", "s1.tif"),
    ("--labels", "labels.tif"),
    ("--legend", "legend.csv"),
    ("--s1-units", "db"),
    ("--seed", "0"),
    ("--method", "weak"),
    ("--grid", "s2.tif"),
    ("--reference", "labels.tif"),
    ("--labels-nodata", "9"),
    ("--out", "o"),
)
_OTHER = {
    "--s2": "other.tif",
    "--s1": "other.tif",
    "--labels": "other.tif",
    "--legend": "igbp",
    "--s1-units": "auto",
    "--seed": "1",
    "--method": "forest",
    "--grid": "s1.tif",
    "--reference": "other.tif",
    "--labels-nodata": "8",
    "--out": "q",
}
for option, value in _TWICE:

    def _two(s: Scene, option: str = option, value: str = value) -> Words:
        first = () if option in ALL else (option, value)
        s.save("other.tif", s.truth)
        return (*ALL, *first, option, _OTHER[option])

    add(KIND, f"{option} twice", _two, refused(option))

for option, value in (
    *((option, "") for option in ("--s2", "--labels", "--legend", "--method", "--out")),
    ("--labels-nodata", "none"),
    ("--labels-nodata", "1.0"),
    ("--labels-column", ""),
    ("--grid", ""),
    ("--reference", "gone.tif"),
    ("--reference", ""),
    ("--reference-legend", "gone"),
    ("--reference-nodata", "x"),
    ("--lables", "labels.tif"),
    ("--s3", "s2.tif"),
    ("--", "s2.tif"),
):

    def _value(s: Scene, option: str = option, value: str = value) -> Words:
        words = list(ALL)
        if option in words:
            words[words.index(option) + 1] = value
            return tuple(words)
        return (*ALL, option, value)

    ends = [refused(option, value or option)]
    if option in {"--labels-column", "--reference-legend", "--reference-nodata"}:
        ends.append(noted("labels", "reference"))
    add(KIND, f"{option} {value!r}", _value, *ends)

for words in (
    ("map",),
    ("map", "--s2", "s2.tif"),
    ("map", "--labels", "labels.tif", "--legend", "legend.csv", "--out", "o"),
    ("predict",),
    ("predict", "o2/run", "--out", "o"),
    ("train",),
    ("inspect",),
    ("assess", "labels.tif"),
    ("calibrate", "o2"),
    ("sample", "o2/map.tif"),
    ("polygons", "o2/map.tif"),
    ("labels",),
    ("labels", "audit"),
    ("labels", "suggest"),
    ("labels", "nothing"),
    ("pseudo",),
    ("chain",),
    ("pretrain",),
    ("export",),
    ("simulate",),
    ("view",),
    ("demo",),
    ("bench",),
    ("nothing",),
    ("mapp",),
):

    def _bare(s: Scene, words: Words = words) -> Words:
        s.take("weak", "o2")
        return words

    add(
        KIND,
        f"overcast {' '.join(map(str, words))}",
        _bare,
        refused("--", "argument", "command", "missing", "images", "Usage"),
        judged=lambda s, o: None,
    )

_S = ("sample", "o2/map.tif", "--out", "x.gpkg")
_P = ("polygons", "o2/map.tif", "--out", "x.gpkg")
_G = ("labels", "suggest", "--s2", "s2.tif", "--out", "x.gpkg")
_W = ("simulate", "--size", "64", "--out", "w")
MADE = Answer()
for words, ends in (
    ((*_S, "--size", "0"), (refused("--size", "points"),)),
    ((*_S, "--size", "-5"), (refused("--size", "points"),)),
    ((*_S, "--size", "10"), (refused("--size", "points"),)),
    ((*_S, "--size", "100000"), (MADE,)),
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
    ((*_W, "--seed", "9" * 40), (refused("--seed", "seed"),)),
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
    (("assess", "labels.tif", "s.gpkg", "--legend", "legend.csv", "--report"), (refused("report", "labels.tif"), MADE)),
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
    (("chain", "o2/run/plan.yaml", "o2/run/plan.yaml", "--views", "2", "--out", "x"), (refused("--views", "views"),)),
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


@case("options", "labels of half of the scene and a reference of the other", right())
def _(s: Scene) -> Words:
    s.save_labels(s.truth[:, : N // 2])
    s.save("ref.tif", s.truth[:, N // 2 :], nodata=255, transform=shifted(N // 2))
    return map_of(more=("--reference", "ref.tif"))


@case("options", "a reference elsewhere", refused("ref.tif", "--reference"))
def _(s: Scene) -> Words:
    s.save("ref.tif", s.truth, nodata=255, transform=shifted(500))
    return map_of(more=("--reference", "ref.tif"))


@case(
    "options",
    "a reference of another legend",
    refused("ref.tif", "reference", "legend"),
    noted("ref.tif", "legend"),
)
def _(s: Scene) -> Words:
    s.save("ref.tif", s.truth + 40, nodata=255)
    return map_of(more=("--reference", "ref.tif"))


@case("options", "the labels as reference", noted("labels", "reference"))
def _(s: Scene) -> Words:
    return map_of(more=("--reference", "labels.tif"))


@case("options", "an image as reference", refused("s2.tif"))
def _(s: Scene) -> Words:
    return map_of(more=("--reference", "s2.tif"))


for name, value, ends in (
    ("OMP_NUM_THREADS", "4,2", (right(),)),
    ("OMP_NUM_THREADS", "abc", (right(), refused("OMP_NUM_THREADS"))),
    ("OMP_NUM_THREADS", "0", (right(), refused("OMP_NUM_THREADS"))),
    ("OMP_NUM_THREADS", "-3", (right(), refused("OMP_NUM_THREADS"))),
    ("OMP_NUM_THREADS", "", (right(),)),
    ("GDAL_CACHEMAX", "nonsense", (right(),)),
    ("GDAL_DATA", "/nowhere", (right(), refused("GDAL_DATA", "s2.tif"))),
    ("PROJ_LIB", "/nowhere", (right(), refused("PROJ", "s2.tif"))),
    ("HOME", "/nowhere", (right(),)),
    ("TMPDIR", "/nowhere", (right(), refused("TMPDIR", "/nowhere"))),
    ("COLUMNS", "1", (right(),)),
    ("LC_ALL", "C", (right(),)),
    ("LC_ALL", "de_DE.UTF-8", (right(),)),
    ("TERM", "", (right(),)),
    ("OVERCAST_CACHE", "/nowhere", (right(),)),
):

    def _variable(s: Scene, name: str = name, value: str = value) -> Command:
        return Command(map_of(), environment={name: value})

    add("environment", f"{name}={value!r}", _variable, *ends)


@case(
    "environment",
    "OMP_NUM_THREADS=abc with a forest",
    right(),
    refused("OMP_NUM_THREADS"),
)
def _(s: Scene) -> Command:
    words = map_of(more=("--method", "forest", "--set", "trees=6"))
    return Command(words, environment={"OMP_NUM_THREADS": "abc"})


def _viewed(path: str, method: str = "GET", host: str | None = None) -> Any:
    def talk(out: Any) -> str:
        import http.client
        import re
        import time
        from urllib.parse import urlsplit

        for _ in range(600):
            if address := re.search(r"http://\S+", out.read_text()):
                break
            time.sleep(0.05)
        else:
            return "no address"
        server = http.client.HTTPConnection(
            urlsplit(address.group()).netloc, timeout=30
        )
        server.request(method, path, headers={"Host": host} if host else {})
        answer = server.getresponse()
        kind = answer.headers.get("Content-Type", "")
        policy = answer.headers.get("Content-Security-Policy", "")
        body = answer.read()
        return f"{answer.status} {kind} [{policy}] {len(body)} {body[:3000]!r}"

    return talk


def _view(change: Any, path: str, method: str, host: str | None, s: Scene) -> Command:
    s.take("weak", "o2")
    change(s)
    words = ("view", "o2", "--no-browser")
    return Command(words, talk=_viewed(path, method, host))


def _answers(*starts: str, without: str = "\0") -> Answer:
    def check(s: Scene, outcome: Any) -> str | None:
        if not outcome.answer.startswith(starts):
            return f"answered {outcome.answer[:200]}, expected {' or '.join(starts)}"
        return f"{without!r} is in it" if without in outcome.answer else None

    return Answer(check)


def _no_change(s: Scene) -> None:
    """Leave the folder as it is."""


_EVIL = "<script>alert(1)</script>"
for title, change, path, method, host, ends in (
    ("the page", _no_change, "/", "GET", None, (_answers("200"),)),
    ("a file of the folder", _no_change, "/files/map.qml", "GET", None, (_answers("200", "404"),)),
    ("a file over the folder", _no_change, "/files/../legend.csv", "GET", None, (_answers("4"),)),
    ("a file over the folder, encoded", _no_change, "/files/%2e%2e/legend.csv", "GET", None, (_answers("4"),)),
    ("another host", _no_change, "/", "GET", "evil.example", (_answers("403"),)),
    ("a tile beyond all", _no_change, "/tiles/map/99/1e9/-5.png", "GET", None, (_answers("4"),)),
    ("POST", _no_change, "/", "POST", None, (_answers("4", "501"),)),
    ("a script of the folder", lambda s: s.write("o2/evil.js", "alert(1)"), "/files/evil.js", "GET", None, (_answers("4", "200 text/plain", "200 application/octet-stream"),)),
    ("a page of the folder", lambda s: s.write("o2/x.html", _EVIL), "/files/x.html", "GET", None, (_answers("200", "4", without="script-src 'self'"),)),
    ("a page of the folder, its address encoded", lambda s: s.write("o2/x.html", _EVIL), "/%66iles/x.html", "GET", None, (_answers("200", "4", without="script-src 'self'"),)),
    ("a page in capitals", lambda s: s.write("o2/x.HTML", _EVIL), "/files/x.HTML", "GET", None, (_answers("200", "4", without="script-src 'self'"),)),
    ("a file whose name is a script", lambda s: s.write(f"o2/{_EVIL.replace('/', '')}.tif", "x"), "/", "GET", None, (_answers("200", without="<script>alert"),)),
    ("a plan that is broken", lambda s: s.write("o2/run/plan.yaml", "method: {"), "/", "GET", None, (_answers("200"), refused("plan.yaml"))),
    ("images that are gone", lambda s: s.write("o2/run/plan.yaml", (s / "o2/run/plan.yaml").read_text().replace("s2.tif", "gone.tif")), "/", "GET", None, (_answers("200"), refused("gone.tif"))),
    ("a map that is cut", lambda s: s.write("o2/map.tif", (s / "o2/map.tif").read_bytes()[:900]), "/", "GET", None, (_answers("200"), refused("map.tif"))),
    ("a legend that is broken", lambda s: s.write("o2/legend.csv", "\0"), "/", "GET", None, (_answers("200"), refused("legend.csv"))),
    ("no confidence", lambda s: (s / "o2/confidence.tif").unlink(), "/", "GET", None, (_answers("200"), refused("confidence.tif"))),
):  # fmt: skip
    add("view", title, partial(_view, change, path, method, host), *ends)
