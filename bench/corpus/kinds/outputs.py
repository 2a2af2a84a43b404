"""Folders and files that are written to: what is there already, and what has no room."""

# ruff: noqa: E501
from __future__ import annotations

import os
from functools import partial
from typing import Any

from bench.corpus.case import Answer, add, case, refused, right
from bench.corpus.runner import Command, Outcome, Words
from bench.corpus.scene import Scene, map_of, predict_of


def _output(change: Any, more: Words, s: Scene) -> Words:
    change(s)
    return map_of(more=more)


def _folder_of(*names: str) -> Any:
    def change(s: Scene) -> None:
        for name in names:
            s.write(name, "precious")

    return change


def _locked(s: Scene) -> None:
    (s / "o").mkdir()
    (s / "o").chmod(0o555)


def _linked(s: Scene) -> None:
    (s / "elsewhere").mkdir()
    os.symlink("elsewhere", s / "o")


def _same(s: Scene, outcome: Outcome) -> str | None:
    for name in ("o/mine.txt", "o/run/precious.txt", "o/map.tif/precious.txt"):
        if name in _MUST and not (s / name).exists():
            return f"{name} was removed"
    return None


_MUST: set[str] = set()


def _still(name: str) -> Answer:
    """The map, and a file of the user's that is still as it was."""

    def check(s: Scene, outcome: Outcome) -> str | None:
        if not (s / name).is_file() or (s / name).read_text() != "precious":
            return f"{name}, which overcast did not make, is gone"
        return right().problem(s, outcome)

    return Answer(check)


OUT = refused("o:", "o/", "--out", "'o'", "scene/o")
for title, change, more, ends in (
    ("a file in its place", _folder_of("o"), (), (OUT,)),
    ("a file in its place, --overwrite", _folder_of("o"), ("--overwrite",), (OUT,)),
    ("a file in the place of its parent", _folder_of("o/map.tif"), (), (OUT,)),
    ("a stranger's file in it", _folder_of("o/mine.txt"), (), (_still("o/mine.txt"), OUT)),
    ("a stranger's run in it, --overwrite", _folder_of("o/run/precious.txt"), ("--overwrite",), (OUT, _still("o/run/precious.txt"))),
    ("a folder called map.tif in it, --overwrite", _folder_of("o/map.tif/precious.txt"), ("--overwrite",), (OUT, _still("o/map.tif/precious.txt"))),
    ("a work folder of a stranger in it", _folder_of("o/.overcast-unfinished/x"), (), (OUT, right())),
    ("an empty key in its work folder", _folder_of("o/.overcast-unfinished/key"), (), (OUT, right())),
    ("a read-only folder", _locked, (), (OUT, right())),
    ("a link to a folder", _linked, (), (right(),)),
    ("a link to nowhere", lambda s: os.symlink("nowhere", s / "o"), (), (OUT, right())),
    ("a link to itself", lambda s: os.symlink("o", s / "o"), (), (OUT,)),
):  # fmt: skip
    add("outputs", title, partial(_output, change, more), *ends)

for folder in ("/proc", "/dev/null", "/sys/x", "", "s2.tif", "s2.tif/o", "x" * 300):
    shown = folder if len(folder) < 50 else "a name of 300 letters"
    add(
        "outputs",
        f"--out {shown!r}",
        lambda s, folder=folder: tuple(folder if w == "o" else w for w in map_of()),
        refused(folder[:20] or "--out", "--out"),
    )


@case("outputs", "the inputs' own folder", right(out="map.tif"), refused("legend.csv"))
def _(s: Scene) -> Words:
    return tuple("." if w == "o" else w for w in map_of())


@case(
    "outputs",
    "labels that --overwrite would replace",
    refused("map.tif", "--labels", "labels"),
)
def _(s: Scene) -> Words:
    s.take("weak", "o")
    return map_of(labels="o/map.tif", more=("--overwrite",))


@case("outputs", "a grid that --overwrite would replace", refused("map.tif", "--grid"))
def _(s: Scene) -> Words:
    s.take("weak", "o")
    return map_of(more=("--overwrite", "--grid", "o/map.tif"))


@case(
    "outputs", "a run that --overwrite would replace", refused("o/run", "o:"), right()
)
def _(s: Scene) -> Words:
    s.take("weak", "o")
    return predict_of("o/run", s2="s2.tif", s1="s1.tif", more=("--overwrite",))


@case("outputs", "a reference that --overwrite would replace", refused("map.tif"))
def _(s: Scene) -> Words:
    s.take("weak", "o")
    return map_of(more=("--overwrite", "--reference", "o/map.tif"))


@case("outputs", "what is there, without --overwrite", refused("o/map.tif", "map.tif"))
def _(s: Scene) -> Words:
    s.take("weak", "o")
    return map_of()


@case("outputs", "what is there, with --overwrite", right())
def _(s: Scene) -> Words:
    s.take("weak-s1", "o")
    return map_of(more=("--overwrite",))


for limit in (4096, 12_288, 65_536):

    def _small(s: Scene, limit: int = limit) -> Command:
        return Command(map_of(), file_limit=limit)

    ends = (
        refused("o/", "o:", "map.tif", "safetensors", "plan.yaml", "--out", "run"),
        right(),
    )
    add("outputs", f"files of at most {limit} bytes", _small, *ends)


for words, file in (
    (("sample", "o2/map.tif", "--size", "50", "--minimum", "5", "--out"), "s.gpkg"),
    (("sample", "o2/map.tif", "--size", "50", "--minimum", "5", "--out"), "s.csv"),
    (("polygons", "o2/map.tif", "--out"), "p.gpkg"),
    (("predict", "o2/run", "--s2", "s2.tif", "--s1", "s1.tif", "--out"), "p"),
    (("labels", "suggest", "--s2", "s2.tif", "--count", "2", "--out"), "l.gpkg"),
    (("simulate", "--size", "64", "--out"), "w"),
):

    def _full(s: Scene, words: Words = words, file: str = file) -> Command:
        s.take("weak", "o2")
        return Command((*words, file), file_limit=3000)

    add(
        "outputs",
        f"files of at most 3000 bytes for {words[0]} {file}",
        _full,
        refused(file, "classes.raw"),
    )

    def _here(s: Scene, words: Words = words, file: str = file) -> Words:
        s.take("weak", "o2")
        if file in "pw":
            s.write(f"{file}/map.tif" if file == "p" else f"{file}/s1.tif", "precious")
        else:
            s.write(file, "precious")
        return (*words, file)

    add("outputs", f"{words[0]} {file} where a file is", _here, refused(file))

    def _into(s: Scene, words: Words = words, file: str = file) -> Words:
        s.take("weak", "o2")
        return (*words, f"gone/deep/{file}")

    add(
        "outputs",
        f"{words[0]} into folders that are not there, {file}",
        _into,
        refused(file),
        Answer(),
    )
