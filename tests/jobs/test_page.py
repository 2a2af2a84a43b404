"""The page is filled with what is there: pictures, areas, provenance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from overcast.accuracy.calibration import Reliability
from overcast.accuracy.calibration_file import Calibration
from overcast.accuracy.curve import Scaling
from overcast.inputs import Inputs, open_inputs
from overcast.jobs.mapping import make_map
from overcast.jobs.page import MapFindings, _spread, input_panels, make_page
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.progress import quiet
from overcast.report.quicklook import overview
from overcast.run import load_run
from overcast.worlds.files import write_world


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan, Inputs]:
    """A small map of two sensors, its plan and its inputs."""
    folder = tmp_path_factory.mktemp("made")
    write_world(3, 96, folder / "world", processes=1)
    images = {
        name: ImageInput(path=str(folder / "world" / f"{name}.tif"), sensor=sensor)
        for name, sensor in (("s1", "sentinel-1"), ("s2", "sentinel-2"))
    }
    labels = LabelInput(
        path=str(folder / "world" / "labels.tif"), legend="simplified-igbp"
    )
    plan = Plan(
        data=Data(images=images, labels=labels), method={"name": "forest", "trees": 5}
    )
    make_map(plan, folder / "out", None, False, quiet)
    return folder / "out" / "map.tif", plan, open_inputs(plan.data)


def remade(made: tuple[Path, Plan, Inputs], findings: MapFindings) -> str:
    mapped, plan, inputs = made
    predictor = load_run(mapped.with_name("run"))
    make_page((mapped, predictor), inputs, plan, findings, quiet)
    return mapped.with_name("report.html").read_text()


def test_inputs_come_with_the_clearest_first(made: tuple[Path, Plan, Inputs]) -> None:
    panels = list(input_panels(made[2], overview(made[2].stack.grid), {}))
    assert [panel.title for panel in panels] == ["s2", "s1", "labels"]
    assert [panel.is_exact for panel in panels] == [False, False, True]
    assert "legend simplified-igbp" in panels[2].text
    assert panels[2].codes
    assert not panels[0].codes


@pytest.mark.parametrize("shape", [(300, 320), (400, 1000), (10, 2000)])
def test_windows_are_spread_over_a_map_and_lie_in_it(shape: tuple[int, int]) -> None:
    windows = _spread(shape)
    assert windows[0][:2] == (0, 0)
    assert (max(w.y + w.h for w in windows), max(w.x + w.w for w in windows)) == shape
    assert sum(w.h * w.w for w in windows) <= 25 * 64 * 64 or len(windows) == 1


def test_the_legend_has_what_the_labels_show(
    made: tuple[Path, Plan, Inputs],
) -> None:
    page = remade(made, MapFindings())
    legend = page.split('aria-label="Legend"')[1].split("</ul>")[0]
    labels = made[2].stack.labels
    assert labels is not None
    seen = np.unique(labels.read(made[2].stack.grid).values)
    for name in (labels.legend.names[k] for k in seen if k < len(labels.legend)):
        assert f"</span>{name}</li>" in legend


def test_the_page_says_where_it_comes_from(made: tuple[Path, Plan, Inputs]) -> None:
    text = remade(made, MapFindings(notes=("mind the gap",)))
    assert text.count("<img ") == 5
    for said in ("forest: trees 5", "s2.tif, ", made[1].fingerprint, "mind the gap"):
        assert said in text
    assert (made[0].parent / "run" / "plan.yaml").read_text().split()[0] in text
    assert "1 km" not in text
    assert "<span>200 m</span>" in text


def test_confidence_is_called_calibrated_only_if_it_is(
    made: tuple[Path, Plan, Inputs],
) -> None:
    assert "not calibrated" in remade(made, MapFindings())
    found = Reliability.of(np.full(100, 0.7), np.arange(100) < 70)
    calibration = Calibration(
        scaling=Scaling(1.5), reference="x.csv", pixels=100, before=found, after=found
    )
    text = remade(made, MapFindings(calibration=calibration))
    assert "not calibrated" not in text
    assert "calibrated on 100 pixels of x.csv" in text
    assert "temperature 1.50" in text
