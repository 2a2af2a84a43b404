"""What every dataset must keep: found by its file, checked on its own miniature."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import combinations
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

from overcast import datasets
from overcast.datasets.dataset import Dataset, Patch
from overcast.geo.raster import UNKNOWN
from overcast.geo.stack import Stack
from overcast.geo.tiling import Window

ROOM = [
    import_module(f"overcast.datasets.{found.name}")
    for found in iter_modules(datasets.__path__)
]
MODULES = [found for found in ROOM if hasattr(found, "fake")]


@pytest.fixture(scope="module", params=MODULES, ids=lambda m: m.__name__.split(".")[-1])
def module(request: pytest.FixtureRequest) -> ModuleType:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def root(module: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    module.fake(folder)
    return folder


@pytest.fixture(scope="module")
def dataset(module: ModuleType, root: Path) -> Dataset:
    return module.open(root)  # type: ignore[no-any-return]


def patches(dataset: Dataset) -> Iterator[Patch]:
    for split in dataset.splits:
        yield from dataset.split(split)


@contextmanager
def changed(file: Path) -> Iterator[NDArray[Any]]:
    """Values of a raster, to be changed in place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        raster = rasterio.open(file, "r+")
    with raster:
        values = raster.read()
        yield values
        raster.write(values)


def whole(stack: Stack) -> Window:
    return Window(0, 0, *stack.shape)


def test_all_are_found() -> None:
    names = {m.__name__.rpartition(".")[2] for m in MODULES}
    assert names == {"sen12ms", "dfc2020", "whu_opt_sar", "openearthmap_sar", "m3m_cr"}


def test_every_stack_can_be_read(dataset: Dataset) -> None:
    for patch in patches(dataset):
        for labels in (None, *patch.layout.labels):
            stack = patch.stack(labels)
            chip = stack.read(whole(stack))
            assert chip.images.keys() == patch.layout.images.keys()
            assert (chip.labels is None) == (labels is None)
            for image in chip.images.values():
                assert image.valid.any()
                assert np.isfinite(image.values[:, image.valid]).all()
                assert np.isnan(image.values[:, ~image.valid]).all()


def test_values_are_in_physical_units(dataset: Dataset) -> None:
    for patch in patches(dataset):
        stack = patch.stack()
        for image in stack.read(whole(stack)).images.values():
            for band, values in zip(image.sensor.bands, image.values, strict=True):
                usual = np.nanpercentile(values, 10)  # clouds are no land
                reach = band.high - band.low
                assert band.low - reach / 4 <= usual <= band.high + reach, band


def test_labels_are_classes_of_the_legend(dataset: Dataset) -> None:
    known = np.zeros(256, bool)
    for patch in patches(dataset):
        for name in patch.layout.labels:
            source = patch.labels(name)
            assert source.legend == dataset.legend
            known[np.unique(source.read(source.grid).values)] = True
    assert not known[len(dataset.legend) : UNKNOWN].any()
    assert known[: len(dataset.legend)].sum() > 2


def test_a_stack_is_on_its_finest_grid(dataset: Dataset) -> None:
    for patch in patches(dataset):
        stack = patch.stack()
        sides = [abs(source.grid.affine.a) for source in stack.images.values()]
        assert abs(stack.grid.affine.a) == min(sides)


def test_splits_share_no_scene_and_no_patch(dataset: Dataset) -> None:
    assert len(dataset.splits) > 1
    for a, b in combinations(dataset.splits.values(), 2):
        assert not {p.scene for p in a} & {p.scene for p in b}
        assert not {p.name for p in a} & {p.name for p in b}


def test_names_are_unique_and_order_is_fixed(
    module: ModuleType, root: Path, dataset: Dataset
) -> None:
    names = [patch.name for patch in patches(dataset)]
    assert len(set(names)) == len(names)
    assert names == [patch.name for patch in patches(module.open(root))]


def test_says_whose_it_is(dataset: Dataset) -> None:
    assert len(dataset.licence) > 10
    assert len(dataset.citation) > 40
    assert "20" in dataset.citation  # a year
    assert dataset.url.startswith("https://")


def test_says_that_it_is_not_whole(dataset: Dataset) -> None:
    assert any("in the whole release" in note for note in dataset.notes)


def test_stacks_opens_a_whole_split(dataset: Dataset) -> None:
    for split, found in dataset.splits.items():
        assert len(dataset.stacks(split)) == len(found)


def test_the_same_seed_writes_the_same(
    module: ModuleType, root: Path, tmp_path: Path
) -> None:
    for seed, folder in ((0, tmp_path / "same"), (1, tmp_path / "other")):
        module.fake(folder, seed)
    files = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    same = [(tmp_path / "same" / f).read_bytes() for f in files]
    other = [(tmp_path / "other" / f).read_bytes() for f in files]
    assert [(root / f).read_bytes() for f in files] == same
    assert all(a != b for a, b in zip(same, other, strict=True))


@pytest.mark.parametrize("name", ["missing", "empty", "file"])
def test_a_wrong_root_is_refused_in_one_line(
    module: ModuleType, tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no dataset")
    with pytest.raises(ValueError, match=name) as caught:
        module.open(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > 40  # what was expected, too


def test_empty_folders_are_refused(
    module: ModuleType, root: Path, tmp_path: Path
) -> None:
    for folder in (p for p in root.rglob("*") if p.is_dir()):
        (tmp_path / folder.relative_to(root)).mkdir(parents=True)
    with pytest.raises(ValueError, match="expected") as caught:
        module.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_unknown_split_or_label_is_named(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match=r"'moon'; found \w+ \(\d+ patches"):
        dataset.split("moon")
    patch = next(patches(dataset))
    with pytest.raises(ValueError, match="no labels 'moon'; there are"):
        patch.labels("moon")


def test_a_patch_that_lacks_a_part_is_left_out(
    module: ModuleType, tmp_path: Path
) -> None:
    module.fake(tmp_path)
    before = module.open(tmp_path)
    first = next(patches(before))
    word = next(iter(first.layout.images.values())).word
    first.path(word).unlink()
    after = module.open(tmp_path)
    assert first.name not in {p.name for p in patches(after)}
    assert any("left out" in note for note in after.notes)


def test_a_broken_file_is_named(module: ModuleType, tmp_path: Path) -> None:
    module.fake(tmp_path)
    patch = next(patches(module.open(tmp_path)))
    file = patch.path(next(iter(patch.layout.images.values())).word)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=file.name):
        patch.stack()


def test_nothing_seen_never_becomes_a_value(module: ModuleType, tmp_path: Path) -> None:
    """NaN in float files and 0 in whole numbers, in a block as large as an edge."""
    module.fake(tmp_path)
    patch = next(patches(module.open(tmp_path)))
    for name, part in patch.layout.images.items():
        file = patch.path(part.word)
        if not file.exists():  # a NumPy mask is known everywhere
            continue
        with changed(file) as values:
            values[:, :20, :20] = np.nan if values.dtype.kind == "f" else 0
        image = patch.layout.images[name].open(file)
        read = image.read(image.grid)
        assert not read.valid[:20, :20].any(), name
        assert np.isnan(read.values[:, :20, :20]).all(), name
        assert read.valid[40:, 40:].any() or read.valid[25:, 25:].any(), name


def test_a_foreign_code_is_refused_by_file(module: ModuleType, tmp_path: Path) -> None:
    module.fake(tmp_path)
    patch = next(patches(module.open(tmp_path)))
    for part in patch.layout.labels.values():
        file = patch.path(part.word)
        with changed(file) as values:
            values[0, 0, 0] = 99
        source = part.open(file)
        with pytest.raises(ValueError, match=f"{file.name}.*99"):
            source.read(source.grid)
