"""The benchmark of OpenEarthMap-SAR, on the miniature of the dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.published import windows
from bench.published.benchmark import run_benchmark
from bench.published.oem_sar import _stack
from bench.published.windows import Windows

from overcast.datasets import openearthmap_sar
from overcast.progress import quiet

LOSSES = {
    "CE": {},
    "CE + SCE, speckle": {"published": "liu2025", "looks": 4},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("oem-sar")
    openearthmap_sar.fake(root)
    return root


def asked(root: Path, **settings: Any) -> dict[str, Any]:
    given = {"losses": LOSSES, "steps": 4, **settings}
    return {
        "root": root,
        "test_root": None,
        "quick": True,
        "settings": given,
        "seed": 0,
    }


def test_every_loss_has_a_row_on_regions_that_were_held_out(
    root: Path, tmp_path: Path
) -> None:
    made = run_benchmark("oem-sar", tmp_path / "out", False, asked(root), quiet)
    tree = json.loads(Path(made["results"]).read_text("utf-8"))
    assert list(tree["rows"]) == [*LOSSES, "CE, on aerial RGB"]
    assert tree["images"] == {"learned from": 2, "tested on": 2}
    (held,) = tree["regions tested on"]
    # A wedge of every SAR image is black: 40 * 41 / 2 of 96 * 96 pixels.
    assert tree["share not seen by the radar"] == pytest.approx(820 / 9216)
    patches = openearthmap_sar.open(root).split("train")
    known = 0
    for patch in (p for p in patches if p.scene == held):
        stack = patch.stack("pseudo")
        chip = stack.read(windows.Window(0, 0, *stack.shape))
        assert chip.labels is not None
        known += int((chip.labels.valid & chip.images["sar"].valid).sum())
    for found in tree["rows"].values():
        assert found["pixels"] == known
        assert found["unmapped_pixels"] == 0
    page = Path(made["report"]).read_text("utf-8")
    for words in ("| CE + SCE, speckle |", "*35.31*", "8.9 %", held, "quick run"):
        assert words in page


def test_windows_follow_seed_and_step_and_show_something(root: Path) -> None:
    patches = openearthmap_sar.open(root).split("train")
    stream = Windows(patches, partial(_stack, "sar"), 24, 3, 5)
    first, second = stream(0), stream(1)
    assert first.images["sar"].shape == (3, 1, 24, 24)
    assert stream(0).images["sar"].equal(first.images["sar"])
    assert not second.images["sar"].equal(first.images["sar"])
    for step in range(20):
        batch = stream(step)
        assert batch.labels is not None
        useful = batch.valid["sar"] & (batch.labels != 255)
        assert useful.flatten(1).any(1).all()


def test_it_goes_on_where_it_was_stopped(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = asked(root, losses={"CE": LOSSES["CE"]}, steps=4)
    whole = run_benchmark("oem-sar", tmp_path / "whole", False, given, quiet)
    train, calls = windows.train, []

    def stopping(*arguments: Any) -> Iterator[Any]:
        calls.append(arguments)
        for step, terms in train(*arguments):
            if len(calls) == 2 and step == 2:
                raise KeyboardInterrupt
            yield step, terms

    monkeypatch.setattr(windows, "train", stopping)
    out = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        run_benchmark("oem-sar", out, False, given, quiet)
    cut = run_benchmark("oem-sar", out, False, given, quiet)
    assert len(calls) == 2 + 1  # the first arm is not trained twice
    texts = [Path(made["results"]).read_text("utf-8") for made in (whole, cut)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"holdout": 0.9}, "leaves none to learn from"),
        ({"holdout": 1.5}, "a share between 0 and 1"),
        ({"steps": 0}, "steps must be 1 or more"),
        ({"losses": {}}, "losses has no row"),
        ({"losses": {"CE": {"lovas": 1}}}, "did you mean lovasz"),
    ],
)
def test_bad_settings_are_refused(
    root: Path, tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        run_benchmark("oem-sar", tmp_path, False, asked(root, **settings), quiet)


def test_seen_pixels_are_all_there_is_to_learn(root: Path) -> None:
    """Black edges of the footprint are not valid in any window of an image."""
    for patch in openearthmap_sar.open(root).split("train"):
        chip = _stack("sar", patch).read(windows.Window(0, 0, 96, 96))
        rows, columns = np.indices((96, 96))
        assert not chip.images["sar"].valid[rows + columns < 40].any()
