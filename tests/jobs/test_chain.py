"""The whole chain: from plans to SAR-only maps, in parts that can be gone on from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import rasterio
from click.testing import CliRunner

from overcast.cli.commands.chain import command
from overcast.jobs.chain import Chain, make_chain
from overcast.jobs.chain import _begin as begin
from overcast.plan import Data, ImageInput, LabelInput, Plan, read_plan, write_plan
from overcast.progress import quiet
from overcast.worlds.files import write_world

NETWORK = {
    "name": "network",
    "schedule": {"steps": 2},
    "window": 32,
    "batch": 2,
    "model": {"name": "fcn", "width": 8, "dilations": [1]},
}
SOFT = {"name": "noisy", "probabilities": "probabilities", "soft": True}


def images(folder: Path, *names: str) -> dict[str, ImageInput]:
    sensors = {"s1": "sentinel-1", "s2": "sentinel-2"}
    return {
        name: ImageInput(path=str(folder / f"{name}.tif"), sensor=sensors[name])
        for name in names
    }


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A labelled optical scene, and pairs of its own world and of another."""
    folders = []
    for seed in (3, 4):
        folders.append(tmp_path_factory.mktemp(f"world-{seed}"))
        write_world(seed, 64, folders[-1], processes=1)
    truth = LabelInput(path=str(folders[0] / "truth.tif"), legend="simplified-igbp")
    source = Data(images=images(folders[0], "s2"), labels=truth)
    pairs = [Data(images=images(folder, "s1", "s2")) for folder in folders]
    return Chain(
        optical=Plan(data=source, method={**NETWORK, "recipe": {"name": "dacs"}}),
        sar=Plan(data=pairs[0], scenes=(pairs[1],), method={**NETWORK, "recipe": SOFT}),
        networks=2,
        views=8,
    )


@pytest.fixture(scope="module")
def made(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("chain") / "out"
    summary = make_chain(chain, out, False, quiet).summary
    assert [Path(name).parent.name for name in summary["maps"]] == ["map-0", "map-1"]
    return out


def test_maps_are_of_the_pairs_and_from_sar_alone(chain: Chain, made: Path) -> None:
    for number, pair in enumerate(chain.pairs):
        with (
            rasterio.open(made / f"map-{number}" / "map.tif") as mapped,
            rasterio.open(pair.images["s2"].path) as image,
        ):
            assert mapped.transform == image.transform
            assert mapped.shape == image.shape
            assert mapped.tags()["OVERCAST_INPUTS"] == "s1.tif"
    learned = read_plan(made / "sar" / "run" / "plan.yaml")
    for data in (learned.data, *learned.scenes):
        kept = {name for name, image in data.images.items() if not image.target}
        assert kept == {"s1"}
        assert all(Path(image.path).is_file() for image in data.images.values())


def test_optical_runs_see_the_pairs_and_not_their_radar(made: Path) -> None:
    seeds = set()
    for number in range(2):
        plan = read_plan(made / f"optical-{number}" / "run" / "plan.yaml")
        assert [set(data.images) for data in plan.scenes] == [{"s2"}, {"s2"}]
        assert all(data.labels is None for data in plan.scenes)
        seeds.add(plan.seed)
    assert len(seeds) == 2


def test_what_is_there_is_not_made_twice(chain: Chain, made: Path) -> None:
    kept = {p: p.stat().st_mtime_ns for p in made.glob("*/*.tif")}
    shutil.rmtree(made / "map-1")
    make_chain(chain, made, False, quiet)
    for path, time in kept.items():
        assert (path.stat().st_mtime_ns == time) == (path.parent.name != "map-1")


def test_the_command_goes_on_with_the_same_chain(
    chain: Chain, made: Path, tmp_path: Path
) -> None:
    plans = [tmp_path / "optical.yaml", tmp_path / "sar.yaml"]
    for plan, path in zip((chain.optical, chain.sar), plans, strict=True):
        write_plan(plan, path)
    settings = ["--networks", "2", "--views", "8", "--out", str(made)]
    done = CliRunner().invoke(command, [*map(str, plans), *settings])
    assert done.exit_code == 0, done.output
    assert str(made / "map-1" / "map.tif") in done.output


def test_refits_learn_from_what_was_made_before(chain: Chain, tmp_path: Path) -> None:
    twice = replace(chain, networks=1, views=1, refits=2)
    make_chain(twice, tmp_path / "out", False, quiet)
    used = {"refit-0": "pseudo-1", "refit-1": "pseudo-1-refit-0"}
    for folder, labels in {**used, "sar": "pseudo-1-refit-1"}.items():
        plan = read_plan(tmp_path / "out" / folder / "run" / "plan.yaml")
        seen = {n for n, image in plan.data.images.items() if not image.target}
        assert seen == ({"s1"} if folder == "sar" else {"s2"})
        assert plan.scenes[0].labels is not None
        assert Path(plan.scenes[0].labels.path).parent.name == labels


def test_weak_takes_the_place_of_the_optical_network(
    chain: Chain, tmp_path: Path
) -> None:
    """As docs/sar-only.md says: it clusters the pairs' pixels besides, without labels."""
    optical = replace(chain.optical, method={"name": "weak", "clusters": [16]})
    short = replace(chain, optical=optical, networks=1, views=1)
    summary = make_chain(short, tmp_path / "out", False, quiet).summary
    assert all(Path(name).is_file() for name in summary["maps"])
    plan = read_plan(tmp_path / "out" / "optical-0" / "run" / "plan.yaml")
    assert plan.method["name"] == "weak"
    assert [data.labels for data in plan.scenes] == [None, None]


def test_another_chain_is_refused_there(chain: Chain, made: Path) -> None:
    with pytest.raises(ValueError, match="holds something else"):
        make_chain(replace(chain, views=1), made, False, quiet)


def test_nothing_but_a_chain_is_ever_replaced(chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"):
        make_chain(chain, tmp_path, True, quiet)
    assert (tmp_path / "precious.txt").exists()


def test_pairs_need_both_kinds_of_image(chain: Chain) -> None:
    alone = replace(chain.sar, data=chain.only(chain.sar.data, optical=False))
    with pytest.raises(ValueError, match="pair 0 has the images s1; expected s2"):
        replace(chain, sar=alone)
    with pytest.raises(ValueError, match="networks must be 1 or more"):
        replace(chain, networks=0)


def test_a_chain_killed_while_it_claims_its_folder_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "chain-key.draft").write_text("half")
    begin(tmp_path, "a key", False)
    assert [path.name for path in tmp_path.iterdir()] == ["chain-key"]
    begin(tmp_path, "a key", False)
