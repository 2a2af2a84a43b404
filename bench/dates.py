"""What many dates are worth on a real series: ``python -m bench.dates [TILES]``.

The series is ``flanders`` of the tiles (64 x 64 pixels, 15 clear and 6 partly cloudy dates
of Sentinel-2). Labels are the majority of 80 m cells of the crops that farmers declared,
the score is mIoU of four crops over all pixels. Prints a table for docs/dates.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from overcast.geo.series import chip_at
from overcast.geo.stack import Chip
from overcast.geo.tiling import Window
from overcast.inputs import open_inputs
from overcast.maps.by_date import ByDate
from overcast.maps.placed import Placed
from overcast.maps.predictor import Predictor
from overcast.plan import (
    Data,
    ImageInput,
    LabelInput,
    MaskInput,
    ObservationInput,
    Plan,
)
from overcast.run import load_run, train_run

TILES = Path("../shared/tiles")
CROPS = (1110, 1200, 1510, 9120)
CLOUDY = ("20180819", "20181102", "20190317", "20190426", "20190908", "20191102")
CELL = 8


def main() -> None:
    """Print the table."""
    tiles = Path(sys.argv[1]) if len(sys.argv) > 1 else TILES
    folder = (tiles / "flanders").resolve()
    print("| dates | without place | with place |\n|---|---|---|")
    for name, without, placed in rows(folder):
        print(f"| {name} | {without} | {placed} |", flush=True)


def rows(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Name and scores of every arm."""
    truth = truth_of(folder)
    with TemporaryDirectory() as scratch:
        work = Path(scratch)
        data = labelled(folder, work, truth)
        with rasterio.open(work / "labels.tif") as dataset:
            cells = dataset.read(1).repeat(CELL, 0).repeat(CELL, 1)
        named = np.stack([cells == n for n in range(1, len(CROPS) + 1)])
        own = score(named.astype(np.float32), np.where(cells > 0, truth, 0))
        yield "the labels themselves", f"{own:.3f}", ""
        clear = data(False, 0)
        predictor, chip = learned(clear, work / "clear")
        bare = predictor.predictor if isinstance(predictor, Placed) else predictor
        assert isinstance(bare, ByDate)
        single = [
            score(member.predict(chip_at(chip, day)[0]), truth)
            for member, day in zip(bare.members, bare.days, strict=True)
        ]
        yield (
            f"one clear date: mean of {len(single)} (least, most)",
            f"{np.mean(single):.3f} ({min(single):.3f}, {max(single):.3f})",
            "",
        )
        equal = ByDate(bare.members, bare.days, (1.0,) * len(bare.days))
        yield "15 clear, all alike", f"{score(equal.predict(chip), truth):.3f}", ""
        mapped = bare.predict(chip)
        yield "15 clear", f"{score(mapped, truth):.3f}", _placed(predictor, chip, truth)
        moved = np.roll(mapped, -1, 1)
        yield "15 clear, map moved 10 m north", f"{score(moved, truth):.3f}", ""
        perfect = np.stack([truth == n for n in range(1, len(CROPS) + 1)])
        south = np.roll(perfect.astype(np.float32), 1, 1)
        yield "the true map, 10 m too far south", f"{score(south, truth):.3f}", ""
        for metres in (40, 0):
            every = data(True, metres)
            predictor, chip = learned(every, work / f"all{metres}")
            bare = predictor.predictor if isinstance(predictor, Placed) else predictor
            yield (
                f"and 6 partly cloudy, SCL and {metres} m around",
                f"{score(bare.predict(chip), truth):.3f}",
                _placed(predictor, chip, truth),
            )
        for name, dates in (
            ("15 clear", clear),
            ("and 6 partly cloudy", data(True, 40)),
        ):
            run = work / f"forest{len(dates.images['s2'].dates)}"
            predictor, chip = learned(dates, run, "forest")
            yield f"forest: {name}", f"{score(predictor.predict(chip), truth):.3f}", ""


def _placed(predictor: object, chip: Chip, truth: NDArray[np.uint8]) -> str:
    if not isinstance(predictor, Placed):
        return "labels do not count"
    return f"{score(predictor.predict(chip), truth):.3f}"


def truth_of(folder: Path) -> NDArray[np.uint8]:
    """Crops ``[H, W]`` from 1; 0 where another one, or none, was declared."""
    with rasterio.open(folder / "crop.tif") as dataset:
        codes = dataset.read(1)
    crops = np.zeros(codes.shape, np.uint8)
    for number, code in enumerate(CROPS, 1):
        crops[codes == code] = number
    return crops


def labelled(
    folder: Path, work: Path, truth: NDArray[np.uint8]
) -> Callable[[bool, float], Data]:
    """Write labels of cells; what makes data with all dates, or with the clear ones."""
    side = truth.shape[0] // CELL
    cells = truth.reshape(side, CELL, side, CELL).transpose(0, 2, 1, 3)
    counts = np.stack([(cells == n).sum((2, 3)) for n in range(1, len(CROPS) + 1)])
    values = np.where(counts.sum(0) > 0, counts.argmax(0) + 1, 0).astype(np.uint8)
    with rasterio.open(folder / "crop.tif") as dataset:
        place, crs = dataset.transform * Affine.scale(CELL), dataset.crs
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "nodata": 0}
    size = {"height": side, "width": side, "transform": place, "crs": crs}
    with rasterio.open(work / "labels.tif", "w", **profile, **size) as dataset:
        dataset.write(values, 1)

    def data(cloudy: bool, metres: float) -> Data:
        dates = []
        for path in sorted(folder.glob("s2_*.tif")):
            day = path.stem.removeprefix("s2_")
            scl = str(folder / f"scl_{day}.tif")
            mask = MaskInput(path=scl, dilation=metres) if cloudy else None
            if cloudy or day not in CLOUDY:
                dates.append(ObservationInput(path=str(path), mask=mask))
        image = ImageInput(sensor="sentinel-2", dates=tuple(dates))
        legend = str(folder / "crop_legend.csv")
        known = LabelInput(path=str(work / "labels.tif"), legend=legend)
        return Data(images={"s2": image}, labels=known)

    return data


def learned(data: Data, run: Path, method: str = "weak") -> tuple[Predictor, Chip]:
    """Learn from all dates; the predictor and all pixels."""
    train_run(Plan(data=data, method={"name": method}), run)
    stack = open_inputs(data).stack
    height, width = stack.shape
    return load_run(run), stack.read(Window(0, 0, height, width))


def score(values: NDArray[np.float32], truth: NDArray[np.uint8]) -> float:
    """Mean IoU over pixels with a crop."""
    known, best = truth > 0, values.argmax(0) + 1
    pairs = [((best == n) & known, truth == n) for n in range(1, len(CROPS) + 1)]
    return float(np.mean([(a & b).sum() / max((a | b).sum(), 1) for a, b in pairs]))


if __name__ == "__main__":
    main()
