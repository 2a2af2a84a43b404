"""Scripts: arrays in memory as images and labels, and jobs called from Python."""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from bench.corpus.case import add, noted, refused, right
from bench.corpus.runner import Command
from bench.corpus.scene import BANDS, CRS, EAST, NORTH, PIXEL, N, Scene, predict_of

KIND = "arrays"


def _array(values: Any, names: Any = BANDS, crs: Any = CRS, **coords: Any) -> Any:
    import pyproj
    import xarray

    axes = {
        "y": NORTH - PIXEL * (np.arange(N) + 0.5),
        "x": EAST + PIXEL * (np.arange(N) + 0.5),
        "band": list(names),
        **coords,
    }
    array = xarray.DataArray(values, dims=("band", "y", "x"), coords=axes, name="s2")
    if crs is not None:
        reference = xarray.DataArray(0, attrs={"crs_wkt": pyproj.CRS(crs).to_wkt()})
        array = array.assign_coords(spatial_ref=reference)
    return array


def _predicted(array: Any, sensor: str) -> None:
    """Map an array with a run, as a script would."""
    from pathlib import Path

    from overcast.geo import bands
    from overcast.geo.arrays import from_dataarray
    from overcast.geo.stack import Stack
    from overcast.inputs import Inputs
    from overcast.plan import Windows
    from overcast.progress import quiet
    from overcast.run import Runs, map_run

    known = bands.SENTINEL_2 if sensor == "s2" else bands.SENTINEL_1
    opened = from_dataarray(array, known)
    source = opened if hasattr(opened, "read") else opened.image
    notes = getattr(opened, "notes", ())
    for note in notes:
        print(f"note: {note}")
    stack = Stack(grid=source.grid, images={sensor: source})
    Path("o").mkdir()
    inputs = Inputs(stack, tuple(notes), "arrays")
    map_run(Runs((Path("before"),)), inputs, Windows(), Path("o"), quiet)


def _script(
    made: str, change: Callable[[Scene], Any], sensor: str, s: Scene
) -> Command:
    s.take(made, "before")
    return Command(script=lambda: _predicted(change(s), sensor))


def _s2(change: Callable[[Any], Any], **more: Any) -> Callable[[Scene], Any]:
    return lambda s: _array(change(s.s2.astype("float32")), **more)


def _s1(change: Callable[[Any], Any], **more: Any) -> Callable[[Scene], Any]:
    return lambda s: _array(change(s.s1.astype("float64")), names=("VV", "VH"), **more)


_BAD = refused("array", "s2")
_BACK = BANDS[::-1]
for title, change, ends in (
    ("reflectance", _s2(lambda v: v / 1e4), (right(),)),
    ("digital numbers", _s2(lambda v: v), (right(), _BAD, noted("array", "s2"))),
    ("digital numbers as uint16", _s2(lambda v: v.astype("uint16")), (right(), _BAD, noted("array", "s2"))),
    ("percent", _s2(lambda v: v / 100), (_BAD, noted("array", "s2"))),
    ("bytes", _s2(lambda v: (v / 4000 * 255).astype("uint8")), (_BAD, noted("array", "s2"))),
    ("the offset of 0.1", _s2(lambda v: v / 1e4 + 0.1), (_BAD, noted("array", "s2"))),
    ("bands by name in another order", _s2(lambda v: v[::-1] / 1e4, names=_BACK), (right(),)),
    ("bands reversed and unnamed", _s2(lambda v: v[::-1] / 1e4, names=range(10)), (_BAD, noted("array", "s2"))),
    ("NaN alone", _s2(lambda v: v * np.nan), (_BAD,)),
    ("infinity in places", _s2(lambda v: np.where(np.arange(N) < 2, np.inf, v / 1e4)), (right(where=np.arange(N)[None].repeat(N, 0) > 2), _BAD)),
    ("fill of -9999", _s2(lambda v: np.where(np.arange(N) > 90, -9999, v / 1e4)), (right(where=np.arange(N)[None].repeat(N, 0) < 88, hidden=np.arange(N)[None].repeat(N, 0) > 90), _BAD)),
    ("no CRS", _s2(lambda v: v / 1e4, crs=None), (_BAD,)),
    ("no coordinates", lambda s: _array(s.s2 / 1e4).drop_vars(["x", "y"]), (_BAD,)),
    ("coordinates of NaN", _s2(lambda v: v / 1e4, x=np.full(N, np.nan)), (_BAD,)),
    ("one coordinate for all", _s2(lambda v: v / 1e4, x=np.full(N, EAST)), (_BAD,)),
    ("uneven coordinates", _s2(lambda v: v / 1e4, x=EAST + np.arange(N) ** 1.5), (_BAD,)),
    ("a band too few", lambda s: _array(s.s2 / 1e4).isel(band=slice(9)), (_BAD,)),
    ("a band twice", _s2(lambda v: v / 1e4, names=[*BANDS[:9], "B02"]), (_BAD,)),
    ("a time axis", lambda s: _array(s.s2 / 1e4).expand_dims("time"), (_BAD,)),
    ("text", lambda s: _array((s.s2 / 1e4).astype(str)), (right(), _BAD)),
    ("complex numbers", lambda s: _array(s.s2 / 1e4 + 1j), (_BAD,)),
    ("objects", lambda s: _array((s.s2 / 1e4).astype(object)), (right(), _BAD)),
    ("a masked array", lambda s: _array(np.ma.masked_array(s.s2 / 1e4, s.s2 < 0)), (right(),)),
    ("rows from south to north", lambda s: _array(s.s2 / 1e4).isel(y=slice(None, None, -1)), (right(),)),
    ("dimensions in another order", lambda s: _array(s.s2 / 1e4).transpose("x", "y", "band"), (right(),)),
    ("attributes of a scale that was not applied", lambda s: _array(s.s2.astype("float32")).assign_attrs(scale_factor=1e-4), (right(), _BAD, noted("array", "s2"))),
    ("a _FillValue that is in the attributes", lambda s: _array(np.where(np.arange(N) > 90, 7, s.s2 / 1e4)).assign_attrs(_FillValue=7.0), (right(where=np.arange(N)[None].repeat(N, 0) < 88, hidden=np.arange(N)[None].repeat(N, 0) > 90), _BAD)),
):  # fmt: skip
    add(KIND, f"s2, {title}", partial(_script, "weak-s2", change, "s2"), *ends)

for title, change, ends in (
    ("dB", _s1(lambda v: v), (right(),)),
    ("linear power", _s1(lambda v: 10 ** (v / 10)), (_BAD, noted("array", "s2", "linear"))),
    ("amplitude", _s1(lambda v: 10 ** (v / 20)), (_BAD, noted("array", "s2"))),
    ("digital numbers", _s1(lambda v: (500 * 10 ** (v / 20)).astype("uint16")), (_BAD, noted("array"))),
    ("HH and HV", lambda s: _array(s.s1, names=("HH", "HV")), (_BAD,)),
    ("VH before VV", lambda s: _array(s.s1[::-1], names=("VH", "VV")), (right(),)),
):  # fmt: skip
    add(KIND, f"s1, {title}", partial(_script, "weak-s1", change, "s1"), *ends)


def _job(**words: Any) -> Callable[[], None]:
    """`make_map` from Python."""

    def script() -> None:
        from pathlib import Path

        from overcast.jobs.mapping import make_map
        from overcast.plan import Data, ImageInput, LabelInput, Plan
        from overcast.progress import quiet

        images = {"s2": ImageInput(path=words.get("s2", "s2.tif"), sensor="sentinel-2")}
        labels = LabelInput(path=words.get("labels", "labels.tif"), legend="legend.csv")
        data = Data(images=words.get("images", images), labels=labels)
        method = words.get("method", {"name": "weak", "clusters": [64]})
        plan = Plan(data=data, method=method, seed=words.get("seed", 0))
        made = make_map(plan, Path("o"), None, False, quiet)
        for note in made.notes:
            print(f"note: {note}")

    return script


for title, words, ends in (
    ("as it should be", {}, (right(),)),
    ("a file that is not there", {"s2": "gone.tif"}, (refused("gone.tif"),)),
    ("labels that are an image", {"labels": "s2.tif"}, (refused("s2.tif"),)),
    ("no images", {"images": {}}, (refused("image"),)),
    ("an unknown method", {"method": {"name": "svm"}}, (refused("svm"),)),
    (
        "an unknown setting",
        {"method": {"name": "weak", "trees": 3}},
        (refused("trees"),),
    ),
    ("a seed below 0", {"seed": -1}, (refused("seed"),)),
    ("a seed of text", {"seed": "1"}, (refused("seed"),)),
):
    add(
        KIND,
        f"make_map, {title}",
        lambda s, words=words: Command(script=_job(**words)),
        *ends,
    )


def _plain(code: str, s: Scene) -> Command:
    """A script without a guard, as people write them."""

    def script() -> None:
        import subprocess
        import sys
        from pathlib import Path

        Path("script.py").write_text(code)
        done = subprocess.run([sys.executable, "script.py"], check=False)
        sys.exit(done.returncode)

    return Command(script=script)


add(
    KIND,
    "a script that predicts twice in one process",
    lambda s: (s.take("weak", "before"), predict_of("before/run", "s2.tif", "s1.tif"))[
        1
    ],
    right(),
)
