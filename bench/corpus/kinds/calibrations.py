"""calibration.json of a run; a file of samples.py has how it is learned."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
from bench.corpus.case import add, case, refused, right
from bench.corpus.runner import Words
from bench.corpus.scene import Scene, predict_of

PREDICT = predict_of("o2/run", s2="s2.tif", s1="s1.tif")


def _calibration(change: Any, s: Scene) -> Words:
    folder = s.take("weak", "o2")
    curve = np.linspace(0, 1, _steps() + 1).tolist()
    reliability = {
        "expected_error": 0.1,
        "edges": [0, 1],
        "pixels": [5],
        "right": [3],
        "confidence": [0.5],
    }
    tree = {"temperature": 1.0, "curve": curve, "reference": "r.tif", "pixels": 5,
            "before": reliability, "after": dict(reliability), "sets": None}  # fmt: skip
    new = change(tree)
    text = new if isinstance(new, str) else json.dumps(new or tree)
    (folder / "run/calibration.json").write_text(text)
    return PREDICT


def _steps() -> int:
    from overcast.accuracy.curve import STEPS

    return int(STEPS)


_SETS = {"score": "x", "coverage": 0.9, "thresholds": [0.5]}
for title, change in (
    ("a curve of 7.0", lambda t: t.update(curve=[7.0] * len(t["curve"]))),
    ("a curve that falls", lambda t: t["curve"].reverse()),
    ("a curve of NaN", lambda t: t.update(curve=[float("nan")] * len(t["curve"]))),
    ("a curve below 0", lambda t: t.update(curve=[-1.0] * len(t["curve"]))),
    ("a short curve", lambda t: t.update(curve=[0.0, 1.0])),
    ("a curve of text", lambda t: t.update(curve="0 1")),
    ("a curve of lists", lambda t: t.update(curve=[[0.5]] * len(t["curve"]))),
    ("temperature 0", lambda t: t.update(temperature=0)),
    ("temperature -1", lambda t: t.update(temperature=-1)),
    ("temperature NaN", lambda t: t.update(temperature=float("nan"))),
    ("temperature infinity", lambda t: t.update(temperature=float("inf"))),
    ("temperature null", lambda t: t.update(temperature=None)),
    ("no temperature", lambda t: t.pop("temperature") and None),
    ("an unknown score", lambda t: t.update(sets=_SETS)),
    ("coverage of 9", lambda t: t.update(sets={**_SETS, "score": "lac", "coverage": 9})),
    ("sets as a list", lambda t: t.update(sets=[])),
    ("no pixels", lambda t: t.pop("pixels") and None),
    ("pixels of -5", lambda t: t.update(pixels=-5)),
    ("a list", lambda t: "[]"),
    ("nothing", lambda t: ""),
    ("cut", lambda t: json.dumps(t)[:80]),
):  # fmt: skip
    add(
        "calibrations",
        f"calibration.json: {title}",
        partial(_calibration, change),
        refused("calibration.json"),
    )


@case("calibrations", "calibration.json as it should be", right())
def _(s: Scene) -> Words:
    return _calibration(lambda t: None, s)
