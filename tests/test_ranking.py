"""How ways of mapping rank on worlds and tiles: what is measured, and its page."""

from __future__ import annotations

import numpy as np
import pytest
from bench.realism import ranking

from overcast.worlds.scene import SceneSpec, simulate


def test_a_world_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "_ARMS", ("labels",))
    monkeypatch.setattr(ranking, "SOURCES", {"world": ("majority-100", "worldcover")})
    measured = dict(ranking.measured("plain", 3, 128))
    scene = simulate(3, 128, wanted=SceneSpec(labels=("worldcover",)))
    truth, product = scene.truth.values, scene.labels["worldcover"].values
    shares = np.bincount(truth.ravel()) / truth.size
    assert measured["facts"]["largest share"] == pytest.approx(shares.max())
    right = measured["worldcover"]["labels"]["overall_accuracy"]
    assert right == pytest.approx((truth == product).mean(), abs=1e-6)


def test_the_page_has_means_over_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "_ARMS", ("labels",))
    facts = dict.fromkeys(
        ("largest share", "neighbours differ", "forest, true labels of other blocks"),
        0.5,
    )
    results = {
        f"real_{seed}": {
            "facts": facts,
            "modis": {"labels": {"mean_iou": iou, "overall_accuracy": 0.6}},
        }
        for seed, iou in ((1, 0.2), (2, 0.4))
    }
    text = ranking.page(results)
    assert "| real worlds | 2 | 0.500 ± 0.000 |" in text
    assert "| real worlds | modis | 0.300 ± 0.141 (0.600) |" in text
