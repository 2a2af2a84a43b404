"""Plans in YAML, given to `overcast train`; the run that it leaves is then judged."""

# ruff: noqa: E501
from __future__ import annotations

import copy
from functools import partial
from typing import Any

import yaml
from bench.corpus.case import Answer, add, case, refused, right
from bench.corpus.runner import Command, Outcome, Words, run
from bench.corpus.scene import Scene, predict_of

KIND = "plans"
PLAN: dict[str, Any] = {
    "data": {
        "images": {"s2": {"path": "s2.tif", "sensor": "sentinel-2"}},
        "labels": {"path": "labels.tif", "legend": "legend.csv"},
    },
    "method": {"name": "weak", "clusters": [64]},
    "seed": 0,
}
TRAIN: Words = ("train", "plan.yaml", "--out", "t")


def maps_right(s: Scene, outcome: Outcome) -> str | None:
    """Whether the run in ``t`` maps the scene right."""
    images = {
        name: f"{name}.tif"
        for name in ("s1", "s2")
        if f"\n    {name}:" in (s / "t/run/plan.yaml").read_text()
    }
    mapped = run(Command(predict_of("t/run", **images)), s.folder)
    if mapped.code != 0:
        return f"the run that was made does not map: {mapped.err.strip()[-200:]}"
    return right().problem(s, mapped)


GOOD = Answer(maps_right)
BAD = refused("plan.yaml")


def _edited(change: Any, s: Scene) -> Words:
    tree = copy.deepcopy(PLAN)
    new = change(tree)
    tree = tree if new is None else new
    s.write("plan.yaml", yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
    return TRAIN


def _set(*path: str, to: Any) -> Any:
    def change(tree: dict[str, Any]) -> None:
        for key in path[:-1]:
            tree = tree.setdefault(key, {})
        tree[path[-1]] = to

    return change


for path, value, ends in (
    (("seed",), -1, (BAD,)),
    (("seed",), True, (BAD,)),
    (("seed",), "1", (BAD,)),
    (("seed",), 1.5, (BAD,)),
    (("seed",), 2**70, (BAD,)),
    (("seed",), None, (BAD,)),
    (("seed",), float("nan"), (BAD,)),
    (("windows",), {"size": 0}, (BAD,)),
    (("windows",), {"size": -5}, (BAD,)),
    (("windows",), {"size": 512, "overlap": 600}, (BAD,)),
    (("windows",), {"size": 64, "overlap": -1}, (BAD,)),
    (("windows",), {"size": 10**12}, (BAD, GOOD)),
    (("windows",), [], (BAD,)),
    (("scenes",), {}, (BAD,)),
    (("scenes",), [[]], (BAD,)),
    (("scenes",), None, (BAD,)),
    (("method",), "weak", (BAD, GOOD)),
    (("method",), {}, (BAD,)),
    (("method",), {"name": "Weak"}, (BAD,)),
    (("method",), {"name": "../weak"}, (BAD,)),
    (("method",), {"name": ["weak"]}, (BAD,)),
    (("method", "tress"), 3, (BAD,)),
    (("method", "clusters"), 64, (BAD, GOOD)),
    (("method", "clusters"), [], (BAD,)),
    (("method", "clusters"), [0], (BAD,)),
    (("method", "clusters"), [-4], (BAD,)),
    (("method", "clusters"), [64.5], (BAD,)),
    (("method", "clusters"), [10**7], (BAD, GOOD)),
    (("method", "cell"), -1, (BAD,)),
    (("method", "cell"), 0, (BAD, GOOD)),
    (("method", "cell"), 10**9, (BAD,)),
    (("method", "balance"), -1, (BAD,)),
    (("method", "balance"), 2, (BAD,)),
    (("method", "balance"), float("nan"), (BAD,)),
    (("method", "wrong"), 1.5, (BAD,)),
    (("method", "wrong"), -0.1, (BAD,)),
    (("method", "power"), float("inf"), (BAD,)),
    (("method", "power"), -1, (BAD,)),
    (("method", "radius"), -1, (BAD,)),
    (("method", "radius"), 10**9, (BAD, GOOD)),
    (("method", "sharpness"), 0, (BAD, GOOD)),
    (("method", "sharpness"), float("nan"), (BAD,)),
    (("method", "samples"), 0, (BAD,)),
    (("method", "samples"), -10, (BAD,)),
    (("method", "samples"), 10**15, (BAD, GOOD)),
    (("method", "dimensions"), 0, (BAD,)),
    (("method", "dimensions"), 10**6, (BAD, GOOD)),
    (("method", "blur"), -1, (BAD,)),
    (("method", "blur"), 1e9, (BAD, GOOD)),
    (("method", "smoothness"), -1, (BAD,)),
    (("method", "prior"), "nothing", (BAD, refused("prior"))),
    (("method", "trust"), 7, (BAD, GOOD)),
    (("method", "filtered"), "no", (BAD,)),
    (("data", "images"), {}, (BAD, refused("image"))),
    (("data", "images"), None, (BAD,)),
    (("data", "images"), [{"path": "s2.tif", "sensor": "sentinel-2"}], (BAD,)),
    (("data", "images", "s2"), "s2.tif", (BAD,)),
    (("data", "images", "s2", "path"), "", (BAD, refused("s2", "folder", "no name"))),
    (("data", "images", "s2", "path"), "gone.tif", (refused("gone.tif"),)),
    (("data", "images", "s2", "path"), "s2\0.tif", (BAD, refused("no name"))),
    (("data", "images", "s2", "path"), 7, (BAD,)),
    (("data", "images", "s2", "path"), ["s2.tif"], (BAD,)),
    (("data", "images", "s2", "sensor"), "sentinel-3", (BAD, refused("sentinel-3"))),
    (("data", "images", "s2", "sensor"), "sentinel-1", (refused("s2.tif"),)),
    (("data", "images", "s2", "offset"), -0.1, (BAD,)),
    (("data", "images", "s2", "offset"), 10**12, (BAD, refused("s2.tif"))),
    (("data", "images", "s2", "offset"), True, (BAD,)),
    (("data", "images", "s2", "units"), "linear", (BAD, refused("s2.tif"))),
    (("data", "images", "s2", "units"), "dB", (BAD,)),
    (("data", "images", "s2", "bands"), "B02", (BAD, refused("s2.tif"))),
    (("data", "images", "s2", "bands"), [], (BAD, refused("s2.tif"))),
    (("data", "images", "s2", "target"), True, (BAD, refused("s2"))),
    (("data", "images", "s2", "target"), "false", (BAD,)),
    (("data", "images", "s2", "mask"), {"path": "gone.tif"}, (refused("gone.tif"),)),
    (("data", "images", "s2", "mask"), "s2.tif", (BAD,)),
    (("data", "images", "s3"), {"path": "s2.tif", "sensor": "sentinel-2"}, (BAD, Answer())),
    (("data", "labels"), None, (BAD, refused("labels"))),
    (("data", "labels", "legend"), "gone.csv", (refused("gone.csv"),)),
    (("data", "labels", "legend"), None, (BAD,)),
    (("data", "labels", "nodata"), "0", (BAD,)),
    (("data", "labels", "nodata"), True, (BAD,)),
    (("data", "labels", "column"), 3, (BAD,)),
    (("data", "labels", "column"), "class", (BAD, GOOD, refused("labels.tif"))),
    (("data", "grid"), "gone.tif", (refused("gone.tif"),)),
    (("data", "grid"), 5, (BAD,)),
    (("data", "trust"), "yes", (BAD,)),
    (("data", "trust"), 1, (BAD,)),
    (("dta",), {}, (BAD,)),
    (("data", "labls"), {}, (BAD,)),
    (("data", "images", "s2", "pth"), "s2.tif", (BAD,)),
    (("windws",), {"size": 64}, (BAD,)),
):  # fmt: skip
    # A setting is named by its key as well as by its file.
    expected = tuple(
        refused("plan.yaml", path[-1]) if end is BAD else end for end in ends
    )
    shown = str(value) if len(str(value)) < 60 else f"{str(value)[:50]} ..."
    add(
        KIND,
        f"{'.'.join(path)} is {shown!r} of {type(value).__name__}",
        partial(_edited, _set(*path, to=value)),
        *expected,
    )


def _text(text: str | bytes, s: Scene) -> Words:
    s.write("plan.yaml", text)
    return TRAIN


_GOOD_TEXT = yaml.safe_dump(PLAN, sort_keys=False)
_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n"
    for i in range(9)
)
_NESTED = "".join(
    f"  k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 9)}]\n" if i else "  k0: &k0 [x, x]\n"
    for i in range(10)
)
for title, text, ends in (
    ("nothing", "", (BAD,)),
    ("null", "null", (BAD,)),
    ("a list", "- 1\n- 2\n", (BAD,)),
    ("a word", "weak", (BAD,)),
    ("a number", "7", (BAD,)),
    ("bytes", bytes(range(256)), (BAD,)),
    ("Latin-1", _GOOD_TEXT.replace("s2.tif", "Äcker.tif").encode("latin-1"), (BAD,)),
    ("UTF-16", _GOOD_TEXT.encode("utf-16"), (BAD, GOOD)),
    ("a byte-order mark", b"\xef\xbb\xbf" + _GOOD_TEXT.encode(), (GOOD, BAD)),
    ("CRLF", _GOOD_TEXT.replace("\n", "\r\n"), (GOOD,)),
    ("tabs", _GOOD_TEXT.replace("  ", "\t"), (BAD,)),
    ("an open brace", _GOOD_TEXT + "windows: {size: 64\n", (BAD,)),
    ("a key twice", _GOOD_TEXT + "seed: 5\n", (BAD,)),
    ("an image twice", _GOOD_TEXT.replace("  labels:", "    s2: {path: s1.tif, sensor: sentinel-1}\n  labels:"), (BAD,)),
    ("two documents", _GOOD_TEXT + "---\n" + _GOOD_TEXT, (BAD,)),
    ("a Python object", _GOOD_TEXT + "windows: !!python/object/apply:os.system ['touch hit']\n", (BAD,)),
    ("a tag", _GOOD_TEXT + "windows: !thing {size: 64}\n", (BAD,)),
    ("an alias that is not there", _GOOD_TEXT + "windows: *a\n", (BAD,)),
    ("an alias to itself", "data: &a [*a]\n", (BAD,)),
    ("an anchor that is used", _GOOD_TEXT.replace("seed: 0", "seed: &n 0\nwindows: {size: 64, overlap: *n}"), (GOOD,)),
    ("aliases of aliases", _BOMB + _GOOD_TEXT, (BAD,)),
    ("aliases of aliases as images", "data:\n images:\n" + _NESTED, (BAD,)),
    ("aliases of aliases as a setting", _GOOD_TEXT.replace("clusters:\n  - 64", "clusters:\n" + "\n".join(f"  - &c{i} [{', '.join([f'*c{i - 1}'] * 9) if i else '1'}]" for i in range(9))), (BAD,)),
    ("a merge of keys", "base: &b {path: s2.tif, sensor: sentinel-2}\n" + _GOOD_TEXT, (BAD,)),
    ("10,000 brackets", "data: " + "[" * 10_000 + "]" * 10_000, (BAD,)),
    ("1000 nested keys", "data: " + "{a: " * 1000 + "1" + "}" * 1000, (BAD,)),
    ("a key of 1 MB", "x" * 1_000_000 + ": 1\n", (BAD,)),
    ("a date as a path", _GOOD_TEXT.replace("s2.tif", "2024-01-01"), (BAD,)),
    ("numbers in octal", _GOOD_TEXT.replace("seed: 0", "seed: 0o7"), (GOOD, BAD)),
    ("a number of 10,000 digits", _GOOD_TEXT.replace("seed: 0", "seed: " + "9" * 10_000), (BAD,)),
    ("yes and no", _GOOD_TEXT.replace("seed: 0", "seed: no"), (BAD,)),
    ("keys in capitals", _GOOD_TEXT.replace("seed:", "Seed:"), (BAD,)),
    ("a key that is a list", _GOOD_TEXT + "? [a]\n: 1\n", (BAD,)),
    ("a key that is a number", _GOOD_TEXT + "7: 1\n", (BAD,)),
    ("JSON", __import__("json").dumps(PLAN), (GOOD,)),
    ("NUL", _GOOD_TEXT.replace("weak", "we\0ak"), (BAD,)),
    ("an escape character", _GOOD_TEXT.replace("weak", "we\x1bak"), (BAD,)),
):  # fmt: skip
    add(KIND, title, partial(_text, text), *ends)


def _network(settings: dict[str, Any], s: Scene) -> Words:
    tree = copy.deepcopy(PLAN)
    schedule = {"steps": 2, **settings.pop("schedule", {})}
    tree["method"] = {"name": "network", "window": 32, "batch": 2, "schedule": schedule}
    tree["method"] |= settings
    s.write("plan.yaml", yaml.safe_dump(tree))
    return TRAIN


_MADE = Answer()
for settings, ends in (
    ({"schedule": {"seed": 5}}, (BAD,)),
    ({"schedule": {"steps": 0}}, (BAD,)),
    ({"schedule": {"steps": "many"}}, (BAD,)),
    ({"schedule": {"steps": 2.5}}, (BAD,)),
    ({"schedule": {"peak_rate": 1e30}}, (BAD, refused("peak_rate"))),
    ({"schedule": {"peak_rate": float("nan")}}, (BAD,)),
    ({"schedule": {"clip": float("nan")}}, (BAD,)),
    ({"schedule": {"warmup": 10**9}}, (BAD, _MADE)),
    ({"schedule": {"warmup": float("nan")}}, (BAD,)),
    ({"schedule": {"weight_decay": float("nan")}}, (BAD,)),
    ({"model": {"name": "unet", "encoder": "nothing"}}, (BAD, refused("nothing"))),
    ({"model": {"name": "transformer"}}, (BAD,)),
    ({"model": "unet"}, (BAD,)),
    ({"model": {}}, (BAD,)),
    ({"recipe": 5}, (BAD,)),
    ({"recipe": {"name": "supervised", "loss": "l2"}}, (BAD,)),
    ({"recipe": {"name": "supervised", "drop": 2}}, (BAD,)),
    ({"recipe": {"name": "supervised", "drop": float("nan")}}, (BAD,)),
    ({"recipe": {"name": "supervised", "augment": "no"}}, (BAD,)),
    ({"window": 0}, (BAD,)),
    ({"window": -32}, (BAD,)),
    ({"window": 10_000}, (BAD, _MADE)),
    ({"window": 7}, (BAD, _MADE)),
    ({"batch": 0}, (BAD,)),
    ({"batch": -1}, (BAD,)),
    ({"batch": 10**9}, (BAD,)),
    ({"balance": 7}, (BAD,)),
    ({"balance": float("nan")}, (BAD,)),
    ({"indices": ["NDVI", "NOPE"]}, (BAD, refused("NOPE"))),
    ({"indices": "NDVI"}, (BAD, _MADE)),
    ({"start": "gone"}, (BAD, refused("gone"))),
    ({"start": "s2.tif"}, (BAD, refused("s2.tif"))),
    ({"start": ""}, (BAD, refused("start", "run"))),
    ({"frozen": True}, (BAD,)),
    ({"frozen": True, "start": 5}, (BAD,)),
):  # fmt: skip
    expected = tuple(
        refused("plan.yaml", "supervised", *settings, *settings.get("schedule", ()))
        if end is BAD
        else end
        for end in ends
    )
    if settings == {"batch": 10**9}:
        continue  # a machine of enough memory may do it
    add(
        KIND, f"a network with {settings}", partial(_network, dict(settings)), *expected
    )


@case(KIND, "a plan that is a folder", refused("plan.yaml"))
def _(s: Scene) -> Words:
    (s / "plan.yaml").mkdir()
    return TRAIN


@case(KIND, "a plan that is not there", refused("gone.yaml"))
def _(s: Scene) -> Words:
    return ("train", "gone.yaml", "--out", "t")


@case(KIND, "an image as the plan", refused("s2.tif"))
def _(s: Scene) -> Words:
    return ("train", "s2.tif", "--out", "t")


@case(
    KIND,
    "a second scene without images of the first",
    refused("s1", "plan.yaml", "images"),
)
def _(s: Scene) -> Words:
    def change(tree: dict[str, Any]) -> None:
        other = copy.deepcopy(tree["data"])
        other["images"] = {"s1": {"path": "s1.tif", "sensor": "sentinel-1"}}
        tree["scenes"] = [other]

    return _edited(change, s)


@case(
    KIND,
    "a second scene of another legend",
    refused("other.csv", "plan.yaml", "legend"),
)
def _(s: Scene) -> Words:
    s.write(
        "other.csv",
        "code,name,colour\n1,A,000000\n2,B,111111\n3,C,222222\n4,D,333333\n",
    )

    def change(tree: dict[str, Any]) -> None:
        other = copy.deepcopy(tree["data"])
        other["labels"]["legend"] = "other.csv"
        tree["scenes"] = [other]

    return _edited(change, s)


@case(KIND, "the same scene twice", GOOD, BAD)
def _(s: Scene) -> Words:
    return _edited(lambda tree: tree.update(scenes=[copy.deepcopy(tree["data"])]), s)


@case(KIND, "--start for a method without weights", refused("--start"))
def _(s: Scene) -> Words:
    s.write("plan.yaml", _GOOD_TEXT)
    return (*TRAIN, "--start", "gone")
