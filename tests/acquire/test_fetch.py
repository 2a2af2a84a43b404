"""From a request to files: right pixels, whatever the items say of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from bench.catalogue.serve import Bed

from overcast.acquire import reading
from overcast.acquire.fetch import fetch, fetched_before
from overcast.acquire.period import period_of
from overcast.acquire.reading import optical_window
from overcast.acquire.survey import Request
from overcast.geo.bands import from_db
from overcast.geo.check import open_sentinel_1, open_sentinel_2
from overcast.geo.masks import CLOUDED, open_mask
from overcast.progress import quiet

Make = Callable[..., Request]
SEPTEMBER, MAY = "S2A_32UPA_20240914_0_L2A", "S2A_32UPA_20240512_0_L2A"


@pytest.fixture(scope="module")
def everything(server: Bed, box: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All products of three dates, fetched once."""
    from bench.catalogue.make import source_text

    from overcast.acquire.catalogue import parse_catalogue
    from overcast.acquire.place import area_of

    server.reset()
    request = Request(
        area_of(box),
        period_of(2024, None, None, None),
        (parse_catalogue(source_text(server.url), "bed"),),
        ("sentinel-2", "sentinel-1", "worldcover", "modis", "elevation"),
        count=2,
    )
    out = tmp_path_factory.mktemp("fetched")
    fetch(request, out, False, quiet)
    return out


def part(catalogue: Path, name: str, target: rasterio.DatasetReader) -> np.ndarray:
    """A band of the catalogue on the pixels of `target`, NaN outside; no resampling."""
    with rasterio.open(catalogue / name) as source:
        column, row = ~source.transform * (target.transform.c, target.transform.f)
        values = np.pad(source.read(1).astype(float), 500, constant_values=np.nan)
    row, column = round(row) + 500, round(column) + 500
    return values[row : row + target.height, column : column + target.width]


def test_names_say_what_it_is(everything: Path) -> None:
    names = {path.name for path in everything.iterdir()}
    assert names == {
        "s2_2024-05-12.tif",
        "s2_2024-05-12_scl.tif",
        "s2_2024-09-14.tif",
        "s2_2024-09-14_scl.tif",
        "s1_2024-05-14_desc.tif",
        "s1_2024-09-11_desc.tif",
        "labels_worldcover_2021.tif",
        "labels_modis_2021.tif",
        "elevation.tif",
        "fetch.json",
    }


def test_pixels_are_the_sources(everything: Path, catalogue: Path) -> None:
    """Trap 1: the offset that metadata claim is not in the pixels of September."""
    with rasterio.open(everything / "s2_2024-09-14.tif") as made:
        assert made.descriptions[0] == "B02"
        assert made.tags()["TIFFTAG_DATETIME"] == "2024:09:14 10:30:31"
        assert made.scales[0] == 1e-4
        assert made.offsets[0] == pytest.approx(-0.1)
        for band in ("B02", "B08"):
            stored = made.read(made.descriptions.index(band) + 1)
            wanted = part(catalogue, f"s2/{SEPTEMBER}/{band}.tif", made)
            known = np.isfinite(wanted)
            assert known.mean() > 0.4
            assert (stored[known] == wanted[known] + 1000).all()


def test_offset_in_the_pixels_is_not_added_again(
    everything: Path, catalogue: Path
) -> None:
    """Traps 5, 6, 8, 9: of two processings the newer counts, holes come from the other."""
    older = MAY.replace("_0_L2A", "_1_L2A")
    with rasterio.open(everything / "s2_2024-05-12.tif") as made:
        stored = made.read(1)
        new = part(catalogue, f"s2/{MAY}/B02.tif", made)
        old = part(catalogue, f"s2/{older}/B02.tif", made)
    seen, filled = new > 1, (new <= 1) & (old > 1)
    assert (stored[seen] == new[seen]).all()
    assert filled.sum() > 100
    # Where the newer one has a gap, the neighbouring tile counts before the older one.
    assert (stored[filled] != 0).all()
    first = np.flatnonzero(filled.any(0))[0]
    column = filled[:, first]
    assert (stored[:, first][column] == old[:, first][column] + 1000).mean() > 0.4


def test_the_neighbouring_zone_lies_where_it_should(
    everything: Path, catalogue: Path
) -> None:
    """Trap 20: the right half is of another zone; it goes on where the left half ends."""
    with rasterio.open(everything / "s2_2024-09-14.tif") as made:
        stored = made.read(1).astype(float)
        left = np.isfinite(part(catalogue, f"s2/{SEPTEMBER}/B02.tif", made))
    assert (stored > 0).all()
    (seam,) = np.unique(left.sum(1))
    steps = np.abs(np.diff(stored, axis=1)).mean(0)
    assert steps[seam - 1] < 2 * np.median(steps)


def test_overcast_reads_them_without_a_word(everything: Path) -> None:
    image = open_sentinel_2(everything / "s2_2024-09-14.tif")
    assert image.image.encoding.offset == pytest.approx(-0.1)
    assert open_sentinel_1(everything / "s1_2024-05-14_desc.tif").notes == ()
    mask = open_mask(everything / "s2_2024-05-12_scl.tif")
    assert mask.grid == image.image.grid


def test_backscatter_is_in_db(everything: Path, catalogue: Path) -> None:
    """Traps 11, 16: the newer processing; the file's place, not the item's."""
    (newer,) = (catalogue / "s1").glob("*20240514*9B2F_rtc/vv.tif")
    with rasterio.open(everything / "s1_2024-05-14_desc.tif") as made:
        assert made.units == ("dB", "dB")
        power = part(catalogue, str(newer.relative_to(catalogue)), made)
        np.testing.assert_allclose(from_db(made.read(1)), power, rtol=1e-4)
    (moved,) = (catalogue / "s1").glob("*20240911*/vh.tif")
    with rasterio.open(everything / "s1_2024-09-11_desc.tif") as made:
        power = part(catalogue, str(moved.relative_to(catalogue)), made)
        np.testing.assert_allclose(from_db(made.read(2)), power, rtol=1e-4)


def test_labels_stay_on_their_own_grid(everything: Path, catalogue: Path) -> None:
    """Trap 19: a sinusoidal grid without EPSG code; cells of 463 m are not moved."""
    with (
        rasterio.open(everything / "labels_modis_2021.tif") as made,
        rasterio.open(next((catalogue / "labels").glob("MCD*"))) as source,
    ):
        assert made.res == pytest.approx(source.res)
        codes = part(catalogue, f"labels/{Path(source.name).name}", made)
        known = np.isfinite(codes)
        assert known.any()
        assert (made.read(1)[known] == codes[known]).all()


def test_elevation_is_interpolated(everything: Path) -> None:
    with rasterio.open(everything / "elevation.tif") as made:
        values = made.read(1)
    # A plane that rises by 2 m every 30 m to the east, and by 1 m to the south.
    assert np.diff(values, axis=1).mean() == pytest.approx(2 / 3, rel=0.02)
    assert np.diff(values, axis=0).mean() == pytest.approx(1 / 3, rel=0.02)


def test_days_are_chosen_by_the_area(everything: Path) -> None:
    """Trap 22: items of cloudy days say that they are clear, and the other way round."""
    manifest = json.loads((everything / "fetch.json").read_text())
    clear = {n: f["clear"] for n, f in manifest["files"].items() if "clear" in f}
    with rasterio.open(everything / "s2_2024-05-12_scl.tif") as made:
        share = 1 - np.isin(made.read(1), list(CLOUDED)).mean()
    assert clear["s2_2024-05-12.tif"] == pytest.approx(share, abs=0.03)
    assert clear["s2_2024-09-14.tif"] == 1.0
    why = {left["name"]: left["why"] for left in manifest["left_out"]}
    assert "at least 50%" in why["Sentinel-2 2024-07-11"]
    assert "another orbit" in why["Sentinel-1 2024-07-10, ascending 117"]  # trap 18
    assert "no VH" in why["Sentinel-1 2024-10-17, descending 168"]  # trap 17
    assert any("its pixels say 0" in note for note in manifest["notes"])
    lines = [source["attribution"] for source in manifest["sources"]]
    assert lines[0] == "Contains modified Copernicus Sentinel data 2024"
    assert "© ESA WorldCover project 2021" in lines


def test_holes_are_counted_and_said(request_of: Make, tmp_path: Path) -> None:
    """Trap 15: the gap in Sentinel-1 of July."""
    july = period_of(None, "2024-07-12", "2024-07-30", None)
    request = request_of("sentinel-1", period=july)
    made = fetch(request, tmp_path / "out", False, quiet)
    with rasterio.open(tmp_path / "out/s1_2024-07-13_desc.tif") as dataset:
        holes = np.isnan(dataset.read(1)).mean()
    assert holes > 0.005
    seen = made.manifest["files"]["s1_2024-07-13_desc.tif"]["seen"]
    assert seen == pytest.approx(1 - holes, abs=0.01)
    assert any("nothing was seen of" in note for note in made.notes)


def test_no_more_than_a_window_is_read_at_once(
    request_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one date, whatever the length of the area; and the pixels stay the same."""
    fetch(request_of(), tmp_path / "whole", False, quiet)
    sizes = []

    def counted(*given: Any) -> Any:
        sizes.append(given[-1].shape.yx)
        return optical_window(*given)

    monkeypatch.setattr(reading, "SIDE", 48)
    monkeypatch.setattr(reading, "optical_window", counted)
    made = fetch(request_of(), tmp_path / "cut", False, quiet)
    assert max(max(shape) for shape in sizes) == 48
    assert sum(h * w for h, w in sizes) == np.prod(made.manifest["grid"]["shape"])
    for name in made.files:
        with (
            rasterio.open(tmp_path / "whole" / name) as whole,
            rasterio.open(tmp_path / "cut" / name) as cut,
        ):
            differ = whole.read().astype(int) - cut.read().astype(int)
            # A warp from the next zone differs in the last bit by what is warped at once.
            assert (np.abs(differ) <= 1).all()


def test_the_same_command_reads_nothing_twice(
    bed: Bed, request_of: Make, tmp_path: Path
) -> None:
    request = request_of()
    fetch(request, tmp_path / "out", False, quiet)
    bed.asked.clear()
    assert fetched_before(request, tmp_path / "out") is not None
    fetch(request, tmp_path / "out", False, quiet)
    assert bed.asked == []


def test_another_request_does_not_overwrite(request_of: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch(request_of(), out, False, quiet)
    other = request_of(skip=("S2A_32UPA_20240914_0_L2A", "S2A_33UTR_20240914_0_L2A"))
    with pytest.raises(ValueError, match="exists; give another --out"):
        fetch(other, out, False, quiet)
    assert (out / "s2_2024-09-14.tif").exists()
    fetch(other, out, True, quiet)
    assert {p.name for p in out.iterdir()} == {
        "s2_2024-05-12.tif",
        "s2_2024-05-12_scl.tif",
        "fetch.json",
    }


def test_nothing_clear_is_refused(request_of: Make, tmp_path: Path) -> None:
    october = period_of(None, "2024-10-01", "2024-10-30", None)
    with pytest.raises(ValueError, match="the clearest is 2024-10-19 with"):
        fetch(request_of(period=october), tmp_path / "out", False, quiet)
    assert not (tmp_path / "out").exists()
