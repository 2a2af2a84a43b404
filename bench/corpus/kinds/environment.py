"""Variables of the environment."""

from __future__ import annotations

from bench.corpus.case import add, case, refused, right
from bench.corpus.runner import Command
from bench.corpus.scene import Scene, map_of

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
