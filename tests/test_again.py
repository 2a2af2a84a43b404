"""A command given again has nothing to do, unless something changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from overcast.again import MADE, is_done, remember
from overcast.jobs.mapping import make_map
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.progress import quiet
from overcast.worlds.files import write_world


def test_a_folder_remembers_what_made_it(tmp_path: Path) -> None:
    (tmp_path / "map.tif").write_text("map")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "plan.yaml").write_text("plan")
    assert not is_done(tmp_path, "a")
    remember(tmp_path, "a", ("map.tif", "run", "missing.json"))
    assert is_done(tmp_path, "a")
    assert not is_done(tmp_path, "b")


@pytest.mark.parametrize("change", ["edit", "touch", "remove", "join", "spoil"])
def test_what_was_changed_is_not_done(tmp_path: Path, change: str) -> None:
    path = tmp_path / "run" / "plan.yaml"
    path.parent.mkdir()
    path.write_text("plan")
    remember(tmp_path, "a", ("run",))
    if change == "edit":
        path.write_text("another plan")
    elif change == "touch":
        os.utime(path, ns=(1, 1))
    elif change == "remove":
        path.unlink()
    elif change == "join":
        path.with_name("more.yaml").write_text("more")
    else:
        (tmp_path / MADE).write_text("[]")
    assert not is_done(tmp_path, "a")


def test_a_folder_where_nothing_was_made_is_not_done(tmp_path: Path) -> None:
    remember(tmp_path, "a", ("map.tif",))
    assert not is_done(tmp_path, "a")


def test_a_map_asked_for_again_is_left_as_it_is(tmp_path: Path) -> None:
    world, out = tmp_path / "w", tmp_path / "out"
    write_world(seed=3, size=64, folder=world)
    images = {"s2": ImageInput(path=str(world / "s2.tif"), sensor="sentinel-2")}
    labels = LabelInput(path=str(world / "labels.tif"), legend="simplified-igbp")
    method = {"name": "forest", "trees": 3, "samples": 200}
    plan = Plan(data=Data(images=images, labels=labels), method=method)
    first = make_map(plan, out, None, False, quiet)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    second = make_map(plan, out, None, False, quiet)
    assert second.notes[0].startswith("nothing to do")
    assert second.summary == first.summary
    assert before == {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    with pytest.raises(ValueError, match="exists; give another --out"):
        make_map(plan, out, None, False, quiet, probabilities=True)
    (out / "report.html").write_text("changed by hand")
    with pytest.raises(ValueError, match="exists; give another --out"):
        make_map(plan, out, None, False, quiet)
