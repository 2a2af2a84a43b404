import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import rasterio

from overcast import lock
from overcast.geo.categories import read_categories
from overcast.geo.legend import load_legend
from overcast.worlds.files import world_of, write_world
from overcast.worlds.scene import KINDS, SceneSpec, WorldScene, simulate

SIZE = 300  # more than one window
WANTED = SceneSpec(("modis", "corine", "worldcover", "outdated"), cloud=0.5)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("world")
    return write_world(3, SIZE, folder, WANTED, processes=1)


@pytest.fixture(scope="module")
def scene() -> WorldScene:
    return simulate(3, SIZE, wanted=WANTED)


def test_files_are_the_scene(paths: dict[str, Path], scene: WorldScene) -> None:
    read = {}
    for name, path in paths.items():
        if name != "world":
            with rasterio.open(path) as file:
                read[name] = file.read()
    assert np.array_equal(read["s1"], scene.images["s1"].values)
    for name in ("s2", "s2_cloudy"):
        assert np.allclose(read[name] / 1e4, scene.images[name].values, atol=1e-6)
    legend = load_legend("simplified-igbp")
    assert np.array_equal(read["truth"][0], legend.to_codes(scene.truth.values))
    for kind in WANTED.labels:
        codes = legend.to_codes(scene.labels[kind].values)
        assert np.array_equal(read[kind][0], codes), kind
    assert scene.clouds is not None
    assert np.array_equal(read["clouds"][0], scene.clouds)


def test_files_say_what_they_hold(paths: dict[str, Path], scene: WorldScene) -> None:
    with rasterio.open(paths["s2"]) as s2:
        assert s2.descriptions[:3] == ("B02", "B03", "B04")
        assert (s2.dtypes[0], s2.nodata, s2.count) == ("uint16", 0, 10)
        assert s2.crs.to_epsg() == 32632
        assert s2.transform == scene.grid.affine
    with rasterio.open(paths["s1"]) as s1:
        assert s1.descriptions == ("VV", "VH")
        assert np.isnan(s1.nodata)
    with rasterio.open(paths["modis"]) as labels:
        assert labels.nodata == 255
        assert labels.crs.to_dict()["proj"] == "sinu"
        assert labels.colormap(1)[10][:3] == scene.truth.legend.classes[9].rgb
    with rasterio.open(paths["corine"]) as labels:
        assert labels.crs.to_epsg() == 3035
    about = json.loads(paths["world"].read_text())
    assert about["seed"] == 3
    assert sum(about["true_shares"].values()) == pytest.approx(1, abs=1e-3)


def test_processes_change_no_byte(paths: dict[str, Path], tmp_path: Path) -> None:
    again = write_world(3, SIZE, tmp_path, WANTED, processes=2)
    for name, path in paths.items():
        assert path.read_bytes() == again[name].read_bytes(), name


def test_another_processor_changes_no_byte(
    paths: dict[str, Path], tmp_path: Path
) -> None:
    """Without vector instructions, NumPy and the C library compute other last bits."""
    code = (
        "from pathlib import Path; from overcast.worlds.files import write_world\n"
        "from overcast.worlds.scene import SceneSpec\n"
        f"write_world(3, {SIZE}, Path({str(tmp_path)!r}), "
        f"SceneSpec({WANTED.labels!r}, 0.5), processes=1)"
    )
    found = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    dispatched = np._core._multiarray_umath.__cpu_dispatch__  # type: ignore[attr-defined]
    off = [name for name in dispatched if found.get(name)]
    plain = {
        **os.environ,
        "NPY_DISABLE_CPU_FEATURES": " ".join(off),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-AVX2_Usable,-FMA_Usable",
    }
    subprocess.run([sys.executable, "-c", code], env=plain, check=True)
    for name, path in paths.items():
        other = (tmp_path / path.name).read_bytes()
        assert path.read_bytes() == other, name


def test_files_are_not_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "s2.tif").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"s2\.tif: exists"):
        write_world(3, 64, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["s2.tif"]
    write_world(3, 64, tmp_path, overwrite=True, processes=1)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_what_was_killed_begins_anew(tmp_path: Path, count: int) -> None:
    """Killed at the n-th file that takes its name: the same command is not refused."""
    code = (
        "import os\n"
        "from pathlib import Path\n"
        "from overcast.worlds import files\n"
        "move, left = Path.replace, [0]\n"
        "def replace(self, target):\n"
        "    if str(self).endswith('.part'):\n"
        "        left[0] += 1\n"
        f"        if left[0] > {count}: os._exit(9)\n"
        "    return move(self, target)\n"
        "Path.replace = replace\n"
        f"files.write_world(3, 64, Path({str(tmp_path)!r}), processes=1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == (9 if count < 4 else 0)
    names = sorted(p.name for p in tmp_path.glob("*.tif"))
    assert len(names) == (0 if count < 4 else 4)  # all at once, at the end
    if count == 4:
        return
    with pytest.raises(ValueError, match="unfinished work of another command"):
        write_world(4, 64, tmp_path, processes=1)
    write_world(3, 64, tmp_path, processes=1)
    assert not list(tmp_path.glob(".*"))
    assert world_of(tmp_path) == (3, 64)
    fresh = write_world(3, 64, tmp_path / "fresh", processes=1)
    assert all(
        (tmp_path / p.name).read_bytes() == p.read_bytes() for p in fresh.values()
    )
    with pytest.raises(ValueError, match="exists; give another --out"):
        write_world(3, 64, tmp_path, processes=1)


def test_every_kind_of_labels_gets_a_file(tmp_path: Path) -> None:
    paths = write_world(2, 64, tmp_path, SceneSpec(KINDS), processes=1)
    assert all(paths[kind].is_file() for kind in KINDS)
    assert len({paths[kind] for kind in KINDS}) == len(KINDS)


def test_a_folder_that_another_command_writes_to_is_refused(tmp_path: Path) -> None:
    refused: list[str] = []

    def write() -> None:
        try:
            write_world(3, 64, tmp_path / "world", processes=1)
        except ValueError as error:
            refused.append(str(error))

    with lock.writing(tmp_path / "world"):
        other = threading.Thread(target=write)
        other.start()
        other.join()
    (text,) = refused
    assert text.startswith(f"{tmp_path / 'world'}: is being written by process ")
    assert not any((tmp_path / "world").iterdir())


def test_labels_carry_the_names_of_their_codes(paths: dict[str, Path]) -> None:
    legend = load_legend("simplified-igbp")
    expected = {c.code: c.name for c in legend.classes}
    for name, path in paths.items():
        if name in ("truth", *WANTED.labels):
            found = read_categories(path)
            assert found is not None
            assert found.names == expected, name
    assert read_categories(paths["clouds"]) is None
