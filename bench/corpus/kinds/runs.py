"""Run folders from elsewhere: what was learned, its interface, its plan, its calibration."""

# ruff: noqa: E501, E731
from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import yaml
from bench.corpus.case import add, case, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import Array, Scene, predict_of
from safetensors.numpy import load_file, save_file

KIND = "run folders"
PREDICT = predict_of("o2/run", s2="s2.tif", s1="s1.tif")
BAD = refused("o2/run")
EITHER = (right(), BAD)
_FILES = {
    "forest": "forest.safetensors",
    "weak": "weak.safetensors",
    "kmeans": "kmeans.safetensors",
    "network": "model.safetensors",
}


def _learned(method: str, change: Any, s: Scene, recorded: bool = True) -> Words:
    run = s.take(method, "o2") / "run"
    if not recorded:
        (run / "learned.json").unlink(missing_ok=True)
    path = run / _FILES[method]
    arrays = dict(load_file(path))
    new = change(arrays)
    save_file(arrays if new is None else new, path)
    return predict_of("o2/run", s2="s2.tif", s1="s1.tif")


def _at(name: str, index: Any, value: Any) -> Any:
    def change(arrays: dict[str, Array]) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][index] = value

    return change


def _replaced(name: str, function: Any) -> Any:
    def change(arrays: dict[str, Array]) -> None:
        arrays[name] = np.ascontiguousarray(function(arrays[name]))

    return change


for title, change in (
    ("left_child 10^6", _at("nodes.left_child", 0, 10**6)),
    ("left_child 10^12", _at("nodes.left_child", 0, 10**12)),
    ("left_child -5", _at("nodes.left_child", 0, -5)),
    ("left_child 0, a cycle", _at("nodes.left_child", 0, 0)),
    ("right_child 10^9", _at("nodes.right_child", 0, 10**9)),
    ("right_child 0, a cycle", _at("nodes.right_child", 0, 0)),
    ("right_child the same as left_child", lambda a: a.update({"nodes.right_child": a["nodes.left_child"].copy()})),
    ("feature 10^6", _at("nodes.feature", 0, 10**6)),
    ("feature -9", _at("nodes.feature", 0, -9)),
    ("thresholds of NaN", _replaced("nodes.threshold", lambda v: v * np.nan)),
    ("sizes of 0", _replaced("sizes", lambda v: v * 0)),
    ("a size of 10^9", _at("sizes", 0, 10**9)),
    ("a size of -1", _at("sizes", 0, -1)),
    ("no trees", _replaced("sizes", lambda v: v[:0])),
    ("a tree less in sizes", _replaced("sizes", lambda v: v[:-1])),
    ("depths of -1", _replaced("depths", lambda v: v * 0 - 1)),
    ("values of infinity", _at("values", slice(None), np.inf)),
    ("values of NaN", _at("values", 0, np.nan)),
    ("values below 0", _replaced("values", lambda v: -v)),
    ("values cut", _replaced("values", lambda v: v[:-7])),
    ("values of three classes", _replaced("values", lambda v: v[:, :3])),
    ("a class twice", _replaced("classes", lambda v: v * 0 + 1)),
    ("class -1", _at("classes", 0, -1)),
    ("class 77", _at("classes", 0, 77)),
    ("classes in another order", _replaced("classes", lambda v: v[::-1])),
    ("classes as float", _replaced("classes", lambda v: v.astype("float32") + 0.5)),
    ("no classes", lambda a: a.pop("classes") is None or None),
    ("no thresholds", lambda a: a.pop("nodes.threshold") is None or None),
    ("thresholds as int8", _replaced("nodes.threshold", lambda v: v.astype("int8"))),
    ("children as float", _replaced("nodes.left_child", lambda v: v.astype("float64"))),
    ("nothing", lambda a: {"x": np.zeros(1)}),
    ("an array more", lambda a: a.update({"extra": np.zeros(4)})),
):  # fmt: skip
    ends = (BAD,)
    if title in {
        "an array more",
        "children as float",
        "depths of -1",
        "thresholds as int8",
        "right_child the same as left_child",
    }:
        ends = EITHER
    add(KIND, f"forest: {title}", partial(_learned, "forest", change), *ends)
    if title == "classes in another order":
        continue  # another forest, as far as anybody can tell
    bare = partial(_learned, "forest", change, recorded=False)
    add(KIND, f"forest, no record of it: {title}", bare, *ends)


def _some(method: str, kind: str, recorded: bool, s: Scene) -> Words:
    def change(arrays: dict[str, Array]) -> Any:
        names = sorted(n for n, v in arrays.items() if v.dtype.kind == "f" and v.ndim)
        name = names[s.random.integers(len(names))]
        value = arrays[name]
        if kind == "cut":
            arrays[name] = value[: len(value) // 2].copy()
        elif kind == "gone":
            del arrays[name]
        elif kind == "NaN":
            arrays[name] = np.full_like(value, np.nan)
        elif kind == "infinite":
            arrays[name] = np.full_like(value, np.inf)
        elif kind == "int32":
            arrays[name] = np.zeros(value.shape, "int32")
        elif kind == "empty":
            arrays[name] = value[:0].copy()
        elif kind == "a dimension more":
            arrays[name] = value[None].copy()
        return arrays

    return _learned(method, change, s, recorded)


for method in ("weak", "kmeans", "network"):
    for kind in (
        "cut",
        "gone",
        "NaN",
        "infinite",
        "int32",
        "empty",
        "a dimension more",
    ):
        ends = EITHER if kind in {"int32"} else (BAD,)
        add(
            KIND,
            f"{method}: an array {kind}",
            partial(_some, method, kind, True),
            *ends,
        )
        bare = partial(_some, method, kind, False)
        add(KIND, f"{method}, no record of it: an array {kind}", bare, *ends)

_WEAK_CLASSES = lambda a: next(n for n in sorted(a) if n.startswith("classes."))
for title, change in (
    ("class shares in another order", lambda a: a.update({n: np.ascontiguousarray(a[n][:, ::-1]) for n in a if n.startswith("classes.")})),
    ("class shares of 7", lambda a: a.update({_WEAK_CLASSES(a): a[_WEAK_CLASSES(a)] * 0 + 7})),
    ("class shares below 0", lambda a: a.update({_WEAK_CLASSES(a): -a[_WEAK_CLASSES(a)]})),
):  # fmt: skip
    add(KIND, f"weak: {title}", partial(_learned, "weak", change), BAD)
    if title == "class shares in another order":
        continue  # other clusters, as far as anybody can tell
    bare = partial(_learned, "weak", change, recorded=False)
    add(KIND, f"weak, no record of it: {title}", bare, BAD)


def _interface(method: str, change: Any, s: Scene) -> Words:
    path = s.take(method, "o2") / "run/interface.json"
    tree = json.loads(path.read_text())
    new = change(tree)
    text = new if isinstance(new, (str, bytes)) else json.dumps(new or tree)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return PREDICT


def _put(*path: Any, to: Any) -> Any:
    def change(tree: Any) -> None:
        for key in path[:-1]:
            tree = tree[key]
        tree[path[-1]] = to

    return change


def _drop(*path: Any) -> Any:
    def change(tree: Any) -> None:
        for key in path[:-1]:
            tree = tree[key]
        del tree[path[-1]]

    return change


_CLASSES = ("legend", "classes")
for title, change in (
    ("a list", lambda t: "[]"),
    ("null", lambda t: "null"),
    ("a number", lambda t: "7"),
    ("nothing", lambda t: ""),
    ("cut", lambda t: json.dumps(t)[:300]),
    ("NaN", lambda t: "NaN"),
    ("bytes", lambda t: bytes(range(128, 256))),
    ("nested 100,000 times", lambda t: "[" * 100_000),
    ("no legend", _drop("legend")),
    ("no sensors", _drop("sensors")),
    ("no version", _drop("version")),
    ("version 99.0.0", _put("version", to="99.0.0")),
    ("version null", _put("version", to=None)),
    ("legend null", _put("legend", to=None)),
    ("classes as text", _put(*_CLASSES, to="Water")),
    ("no classes", _put(*_CLASSES, to=[])),
    ("a class without a colour", _drop(*_CLASSES, 0, "colour")),
    ("a code as text", _put(*_CLASSES, 0, "code", to="1")),
    ("a code as float", _put(*_CLASSES, 0, "code", to=1.5)),
    ("a code of 300", _put(*_CLASSES, 0, "code", to=300)),
    ("a name null", _put(*_CLASSES, 0, "name", to=None)),
    ("a name that is a number", _put(*_CLASSES, 0, "name", to=7)),
    ("a key more in a class", _put(*_CLASSES, 0, "icon", to="x")),
    ("fewer classes", lambda t: t["legend"]["classes"].pop() and None),
    ("more classes", lambda t: t["legend"]["classes"].append({"code": 9, "name": "Ice", "colour": "ffffff"})),
    ("classes in another order", lambda t: t["legend"]["classes"].reverse()),
    ("a name of the legend that is a list", _put("legend", "name", to=[])),
    ("sensors null", _put("sensors", to=None)),
    ("no sensor", _put("sensors", to={})),
    ("a sensor null", _put("sensors", "s2", to=None)),
    ("a sensor less", _drop("sensors", "s1")),
    ("a sensor's kind changed", _put("sensors", "s2", "kind", to="sar")),
    ("a kind that is none", _put("sensors", "s2", "kind", to="lidar")),
    ("bands in another order", lambda t: t["sensors"]["s2"]["bands"].reverse()),
    ("a band less", lambda t: t["sensors"]["s2"]["bands"].pop() and None),
    ("bands null", _put("sensors", "s2", "bands", to=None)),
    ("low above high", _put("sensors", "s2", "bands", 0, "low", to=9)),
    ("low is NaN", _put("sensors", "s2", "bands", 0, "low", to=float("nan"))),
    ("another low", _put("sensors", "s2", "bands", 0, "low", to=-5.0)),
    ("low is text", _put("sensors", "s2", "bands", 0, "low", to="0")),
    ("layouts null", _put("sensors", "s2", "layouts", to=None)),
    ("a sensor of another name", lambda t: t["sensors"].update(s9=t["sensors"].pop("s2"))),
):  # fmt: skip
    ends = (BAD,)
    if title in {
        "a key more in a class",
        "another low",
        "low is text",
        "layouts null",
        "a name of the legend that is a list",
        "no version",
    }:
        ends = EITHER
    if title in {"bands in another order", "a band less"}:
        ends = (refused("o2/run", "s2:"),)
    if title == "a sensor of another name":
        ends = (refused("s9", "o2/run"),)
    add(KIND, f"interface.json: {title}", partial(_interface, "weak", change), *ends)


def _plan(method: str, change: Any, recorded: bool, s: Scene) -> Words:
    path = s.take(method, "o2") / "run/plan.yaml"
    if not recorded:
        path.with_name("learned.json").unlink(missing_ok=True)
    tree = yaml.safe_load(path.read_text())
    new = change(tree)
    path.write_text(new if isinstance(new, str) else yaml.safe_dump(new or tree))
    return PREDICT


for method, title, change, ends in (
    ("forest", "filtered: false", _put("method", "filtered", to=False), (BAD,)),
    ("weak", "filtered: false", _put("method", "filtered", to=False), (BAD,)),
    ("weak", "dimensions: 3", _put("method", "dimensions", to=3), EITHER),
    ("weak", "sharpness: -1", _put("method", "sharpness", to=-1), (BAD,)),
    ("weak", "another method", _put("method", "name", to="forest"), (BAD,)),
    ("kmeans", "filtered: true", _put("method", "filtered", to=True), EITHER),
    ("network", "another model", _put("method", "model", to={"name": "unet"}), (BAD,)),
    ("weak", "nothing", lambda t: "", (BAD,)),
    ("weak", "no method", _drop("method"), EITHER),
    ("weak", "an unknown key", _put("extra", to=1), (BAD,)),
    ("weak", "windows of 0", _put("windows", "size", to=0), (BAD,)),
    ("weak", "windows of -5", _put("windows", "size", to=-5), (BAD,)),
    ("weak", "windows of 7", _put("windows", "size", to=7), EITHER),
    ("weak", "overlap of 600", _put("windows", "overlap", to=600), EITHER),
    ("weak", "overlap of -64", _put("windows", "overlap", to=-64), (BAD,)),
    ("weak", "windows of 10^12", _put("windows", "size", to=10**12), EITHER),
    ("weak", "images that are gone", _put("data", "images", "s2", "path", to="/gone.tif"), (right(),)),
    ("weak", "an open brace", lambda t: "method: {name: weak", (BAD,)),
):  # fmt: skip
    add(
        KIND,
        f"plan.yaml of {method}: {title}",
        partial(_plan, method, change, True),
        *ends,
    )
    bare = partial(_plan, method, change, False)
    add(KIND, f"plan.yaml of {method}, no record of it: {title}", bare, *ends)


def _broken(method: str, name: str, content: Any, s: Scene) -> Words:
    run = s.take(method, "o2") / "run"
    path = run / name
    if content is None:
        path.unlink()
    elif content == "folder":
        path.unlink(missing_ok=True)
        path.mkdir()
    elif content == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif content == "swap":
        other = s.take("forest" if method != "forest" else "weak", "o3") / "run"
        path.write_bytes(
            (other / _FILES["forest" if method != "forest" else "weak"]).read_bytes()
        )
    else:
        path.write_bytes(content)
    return PREDICT


for method, file in _FILES.items():
    for title, content in (
        ("gone", None),
        ("empty", b""),
        ("cut", "half"),
        ("a folder", "folder"),
        ("text", b"not safetensors at all"),
        ("a header of 2^63 bytes", b"\xff" * 7 + b"\x7f" + b"{}"),
        ("a header that is no JSON", b"\x04\0\0\0\0\0\0\0{{{{"),
        ("another method's", "swap"),
    ):
        if method in {"weak", "forest"} or title in {"gone", "cut", "another method's"}:
            add(
                KIND, f"{file} is {title}", partial(_broken, method, file, content), BAD
            )

for title, content in (
    ("gone", None),
    ("empty", b""),
    ("a folder", "folder"),
    ("bytes", b"\xff\xfe\x00"),
):
    for name in ("plan.yaml", "interface.json"):
        add(KIND, f"{name} is {title}", partial(_broken, "weak", name, content), BAD)

for title, run, ends in (
    ("that is not there", "gone", refused("gone")),
    ("that is a file", "s2.tif", refused("s2.tif")),
    ("that is an empty folder", "empty", refused("empty")),
    ("of a name with NUL", "a\0b", refused("run", "a")),
    ("that is the folder over it", "o2", right()),
    ("with a slash at its end", "o2/run/", right()),
    ("with dots in its path", "o2/../o2/run/.", right()),
):

    def _run(s: Scene, run: str = run) -> Words:
        s.take("weak", "o2")
        (s / "empty").mkdir()
        return predict_of(run, s2="s2.tif", s1="s1.tif")

    add(KIND, f"a run {title}", _run, ends)


for title, more, ends in (
    ("the same run twice", ("--with", "o2/run"), (right(), refused("--with"))),
    ("weights of text", ("--with", "o2/run", "--weights", "a,b"), (refused("--weights"),)),
    ("weights of 0", ("--with", "o2/run", "--weights", "0,0"), (refused("--weights", "weights"),)),
    ("weights below 0", ("--with", "o2/run", "--weights", "2,-1"), (refused("--weights", "weights"),)),
    ("weights of NaN", ("--with", "o2/run", "--weights", "nan,1"), (refused("--weights", "weights"),)),
    ("weights of infinity", ("--with", "o2/run", "--weights", "inf,1"), (refused("--weights", "weights"),)),
    ("weights too many", ("--with", "o2/run", "--weights", "1,1,1"), (refused("--weights", "weights"),)),
    ("a weight for one run", ("--weights", "0"), (refused("--weights", "weights"),)),
    ("seven views", ("--views", "7"), (refused("--views", "views"),)),
    ("no views", ("--views", "0"), (refused("--views", "views"),)),
    ("--without what is given", ("--without", "s2"), (refused("--without", "s2"),)),
    ("--without what is not known", ("--without", "s9"), (refused("--without", "s9"),)),
):  # fmt: skip

    def _more(s: Scene, more: Words = more) -> Words:
        s.take("weak", "o2")
        return (*PREDICT, *more)

    add(KIND, title, _more, *ends)


@case(KIND, "--without both images", refused("--without", "images", "s1", "s2"))
def _(s: Scene) -> Words:
    s.take("weak", "o2")
    return (*predict_of("o2/run", s2="s2.tif"), "--without", "s1", "--without", "s2")


@case(KIND, "an image that the run has not learned from", right(), refused("s1"))
def _(s: Scene) -> Words:
    s.take("weak-s2", "o2")
    return PREDICT


@case(KIND, "an image of the run is not given", refused("s1"))
def _(s: Scene) -> Words:
    s.take("weak", "o2")
    return predict_of("o2/run", s2="s2.tif")
