"""Options: given twice, impossible, contradictory, of every command."""

from __future__ import annotations

import numpy as np
from bench.corpus.case import add, case, noted, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import N, Scene, map_of, shifted

KIND = "options"


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

    ends = [refused(option, value or "folder", "no name", "column", option[2:])]
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


@case("options", "labels of half of the scene and a reference of the other", right())
def _(s: Scene) -> Words:
    s.save_labels(np.where(np.arange(N) < N // 2, s.truth, 255).astype("uint8"))
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
