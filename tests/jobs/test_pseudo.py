"""Pseudo-labels: files that say what the runs said, and can be learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from overcast.accuracy.reference import ReferenceFile
from overcast.cli.commands import predict, pseudo
from overcast.geo.label_file import open_labels
from overcast.geo.legend import load_legend
from overcast.geo.probabilities import open_probabilities
from overcast.geo.tiling import Window
from overcast.inputs import open_inputs
from overcast.jobs.mapping import map_elsewhere
from overcast.jobs.pseudo import FILES, make_pseudo_labels
from overcast.plan import Data, ImageInput, LabelInput, Plan
from overcast.progress import quiet
from overcast.run import Runs, load_run, train_run
from overcast.worlds.files import write_world

LEGEND = load_legend("simplified-igbp")
FOREST = {"name": "forest", "trees": 10}
QUICK = {
    "name": "network",
    "schedule": {"steps": 2},
    "window": 32,
    "batch": 2,
    "model": {"name": "fcn", "width": 8, "dilations": [1]},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(3, 128, folder, processes=1)
    return folder


def optical(world: Path) -> Data:
    path = str(world / "s2.tif")
    return Data(images={"s2": ImageInput(path=path, sensor="sentinel-2")})


@pytest.fixture(scope="module")
def runs(world: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Two small forests and a network of the same optical image."""
    folder = tmp_path_factory.mktemp("runs")
    truth = LabelInput(path=str(world / "truth.tif"), legend=LEGEND.name)
    data = replace(optical(world), labels=truth)
    for number, method in enumerate((FOREST, FOREST, QUICK)):
        plan = Plan(data=data, method=method, seed=number)
        train_run(plan, folder / str(number))
    return tuple(folder / str(number) for number in range(3))


@pytest.fixture(scope="module")
def made(
    world: Path, runs: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Pseudo-labels of two runs, with official labels to agree with."""
    out = tmp_path_factory.mktemp("pseudo") / "out"
    official = ReferenceFile(world / "truth.tif")
    several = Runs(runs[:2], (3.0, 1.0), 8)
    make_pseudo_labels(several, optical(world), out, official, False, quiet)
    return out


def test_everything_that_is_promised_is_there(made: Path) -> None:
    assert set(FILES) <= {path.name for path in made.iterdir()}
    assert not (made / "map.agreed").exists()


def test_probabilities_are_those_of_the_runs(
    made: Path, world: Path, runs: tuple[Path, ...]
) -> None:
    """Read back, against the predictor itself."""
    source = open_probabilities(made / "probabilities.tif").image
    assert source.sensor.names == LEGEND.names
    stack = open_inputs(optical(world)).stack
    chip = stack.read(Window(0, 0, *stack.shape))
    expected = Runs(runs[:2], (3.0, 1.0), 8).load().predict(chip)
    single = load_run(runs[0]).predict(chip)
    found = source.read(stack.grid).values
    np.testing.assert_allclose(found, expected, atol=0.003)
    assert np.abs(found - single).max() > 0.02


def test_labels_are_the_likeliest_classes(made: Path) -> None:
    labels = open_labels(made / "map.tif", LEGEND)
    with rasterio.open(made / "probabilities.tif") as dataset:
        stored = dataset.read()
    values = labels.read(labels.grid).values
    chosen = np.take_along_axis(stored, values[None].astype(int), 0)[0]
    assert (chosen >= stored.max(0).astype(int) - 1).all()


def test_agreed_labels_are_those_that_both_give(made: Path, world: Path) -> None:
    ours, agreed, truth = (
        open_labels(path, LEGEND)
        for path in (made / "map.tif", made / "agreed.tif", world / "truth.tif")
    )
    read = [source.read(ours.grid).values for source in (ours, agreed, truth)]
    expected = np.where(read[0] == read[2], read[0], 255)
    np.testing.assert_array_equal(read[1], expected)
    assert 0.3 < (read[1] != 255).mean() < 1


def test_soft_labels_can_be_learned_by_a_radar_network(
    made: Path, world: Path, tmp_path: Path
) -> None:
    data = Data(
        images={
            "s1": ImageInput(path=str(world / "s1.tif"), sensor="sentinel-1"),
            "p": ImageInput(
                path=str(made / "probabilities.tif"),
                sensor="class-probabilities",
                target=True,
            ),
        },
        labels=LabelInput(path=str(made / "map.tif"), legend=str(made / "legend.csv")),
    )
    recipe = {"name": "noisy", "probabilities": "p", "soft": True, "confident": True}
    train_run(Plan(data=data, method={**QUICK, "recipe": recipe}), tmp_path / "run")
    trained = load_run(tmp_path / "run")
    assert list(trained.sensors) == ["s1"]
    assert trained.legend.names == LEGEND.names


def test_several_runs_map_elsewhere(
    world: Path, runs: tuple[Path, ...], tmp_path: Path
) -> None:
    truth = ReferenceFile(world / "truth.tif")
    tags = []
    for number, several in enumerate((Runs(runs[:1]), Runs(runs, views=24))):
        out = tmp_path / str(number)
        made = map_elsewhere(several, optical(world), out, truth, False, quiet)
        assert made.scores["map"]["mean_iou"] > 0.1
        with rasterio.open(out / "map.tif") as dataset:
            tags.append(dataset.tags()["OVERCAST_MODEL"])
    assert tags[0] == Runs(runs[:1]).model
    assert tags[0] != tags[1]


def test_commands_take_several_runs(
    world: Path, runs: tuple[Path, ...], tmp_path: Path
) -> None:
    images = ["--s2", str(world / "s2.tif"), "--out", str(tmp_path / "out")]
    also = ["--with", str(runs[1]), "--weights", "3,1", "--views", "8"]
    done = CliRunner().invoke(predict.command, [str(runs[0]), *also, *images])
    assert done.exit_code == 0, done.output
    with rasterio.open(tmp_path / "out" / "map.tif") as dataset:
        model = dataset.tags()["OVERCAST_MODEL"]
    assert model == Runs(runs[:2], (3.0, 1.0), 8).model
    done = CliRunner().invoke(pseudo.command, [str(runs[0]), "--weights", "a", *images])
    assert "--weights a: expected numbers" in str(done.exception)


def test_runs_that_differ_are_refused(
    world: Path, runs: tuple[Path, ...], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="2 weights for 3 runs"):
        Runs(runs, (1.0, 2.0)).load()
    with pytest.raises(ValueError, match="no set of 7 views"):
        Runs(runs, views=7).load()
    out = tmp_path / "out"
    radar = Data(
        images={"s1": ImageInput(path=str(world / "s1.tif"), sensor="sentinel-1")}
    )
    with pytest.raises(ValueError, match="s2 was not given"):
        make_pseudo_labels(Runs(runs[:1]), radar, out, None, False, quiet)
    assert not out.exists()


def test_nothing_is_overwritten_unasked(
    made: Path, world: Path, runs: tuple[Path, ...]
) -> None:
    with pytest.raises(ValueError, match="exists; give another --out, or --overwrite"):
        make_pseudo_labels(Runs(runs[:1]), optical(world), made, None, False, quiet)
