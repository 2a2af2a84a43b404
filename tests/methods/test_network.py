"""What a network as a method does beside what every method does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.geo.tiling import Window
from overcast.methods import network as module
from overcast.methods.network import Network
from overcast.progress import quiet
from overcast.train.loop import Schedule
from tests.methods.test_methods import LEGEND, SHAPE, stack


def test_indices_join_the_bands_in_learning_and_mapping(tmp_path: Path) -> None:
    whole = stack()
    network = Network(
        model={"name": "fcn", "width": 4},
        schedule=Schedule(steps=2, warmup=1),
        window=16,
        batch=2,
        indices=["NDVI"],
    )
    network.fit([whole], tmp_path, 0, quiet)
    predictor = network.load(tmp_path, LEGEND, whole.sensors)
    assert predictor.model.bands == {"s1": 2, "s2": 11}
    assert predictor.sensors == whole.sensors
    found = predictor.predict(whole.read(Window(0, 0, *SHAPE)))
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "given", "wanted"),
    [
        ("fcn", {}, (32, 32)),
        ("unet", {}, (64, 8)),
        ("fcn", {"window": 16}, (16, 128)),
        ("fcn", {"batch": 3}, (32, 3)),
    ],
)
def test_windows_suit_the_model_unless_given(
    model: str,
    given: dict[str, int],
    wanted: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class CutError(Exception):
        pass

    def crops(stacks: object, size: int, batch: int, *_: object) -> None:
        raise CutError(size, batch)

    monkeypatch.setattr(module, "crops_of", crops)
    with pytest.raises(CutError) as seen:
        Network(model={"name": model}, **given).fit([stack()], tmp_path, 0, quiet)
    assert seen.value.args == wanted


def test_a_window_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="window is 0; expected 1"):
        Network(window=0).fit([stack()], tmp_path, 0, quiet)
