"""The report of a map tells what was found out since the map was made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from overcast.accuracy.design import Design
from overcast.accuracy.reference import ReferenceFile
from overcast.cli import program
from overcast.geo.legend import load_legend
from overcast.jobs.assess import assess_files, draw_sample
from overcast.jobs.mapping import make_map
from overcast.jobs.reporting import report_again
from overcast.plan import Data, ImageInput, LabelInput, Plan, read_plan
from overcast.progress import quiet
from overcast.worlds.files import write_world

LEGEND = load_legend("simplified-igbp")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small map, with its world beside."""
    folder = tmp_path_factory.mktemp("made")
    write_world(3, 96, folder / "world", processes=1)
    image = ImageInput(path=str(folder / "world" / "s2.tif"), sensor="sentinel-2")
    path = str(folder / "world" / "labels.tif")
    labels = LabelInput(path=path, legend=LEGEND.name)
    plan = Plan(
        data=Data(images={"s2": image}, labels=labels),
        method={"name": "forest", "trees": 5},
    )
    make_map(plan, folder / "out", None, False, quiet)
    return folder / "out"


def test_a_reference_that_came_later_is_told(out: Path) -> None:
    assert "Not known. No reference was given" in (out / "report.html").read_text()
    truth = out.parent / "world" / "truth.tif"
    arguments = ["assess", str(out / "map.tif"), str(truth), "--report"]
    done = CliRunner().invoke(program, arguments)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    page = (out / "report.html").read_text()
    assert "Not known. No reference was given" not in page
    assert f"{100 * found['overall_accuracy']:.1f} %" in page
    assert "Confusion matrix" in page


def test_a_sample_gives_areas_and_no_scores_of_its_points(out: Path) -> None:
    sample = out.parent / "sample.csv"
    draw_sample(out / "map.tif", sample, Design(size=60, minimum=2))
    header, *rows = sample.read_text().splitlines()
    place = header.split(",").index("reference")
    filled = [row.split(",") for row in rows]
    for row in filled:
        row[place] = row[header.split(",").index("stratum")]
    sample.write_text("\n".join([header, *(",".join(row) for row in filled)]))
    found = assess_files(out / "map.tif", ReferenceFile(sample))
    page = report_again(out / "map.tif", found).read_text()
    assert "Estimated from the sample" in page
    assert f"from {len(rows)} points" in page
    assert "biased towards" not in page


def test_without_a_run_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no run; expected plan\.yaml"):
        report_again(tmp_path / "map.tif", {})


def test_a_head_stays_when_the_page_is_written_again(out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(out, folder)
    given = ["report", str(folder), "--title", "Ohrid", "--author", "Office"]
    assert CliRunner().invoke(program, given).exit_code == 0
    truth = ReferenceFile(out.parent / "world" / "truth.tif")
    report_again(folder / "map.tif", assess_files(folder / "map.tif", truth))
    page = (folder / "report.html").read_text()
    assert "<h1>Ohrid</h1>" in page
    assert "Confusion matrix" in page
    plan = read_plan(out / "run" / "plan.yaml")
    make_map(plan, folder, None, True, quiet)
    page = (folder / "report.html").read_text()
    assert "<h1>Ohrid</h1>" in page
    assert "<dd>Office</dd>" in page
    assert "Confusion matrix" not in page
