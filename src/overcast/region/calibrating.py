"""The confidence of a region's map made to mean what it says, from judged points.

The temperature and the curve are learned once, from points in all tiles and zones. The
run then has another fingerprint, so that the map's own command makes every tile anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overcast import lock
from overcast.accuracy.calibrated import Calibrated
from overcast.accuracy.calibration import HeldOut
from overcast.accuracy.calibration_file import read_calibration, write_calibration
from overcast.accuracy.held_out import known_pixels
from overcast.accuracy.reference import ReferenceFile, ReferencePoints
from overcast.geo.label_file import open_labels
from overcast.geo.lattice import widened, within
from overcast.geo.near import near
from overcast.geo.overlay import pixels_under, under
from overcast.geo.raster import UNKNOWN
from overcast.geo.tiling import Window
from overcast.jobs.calibrate import calibrate, summary_of
from overcast.jobs.mapping import JobResult
from overcast.map_folder import maps_of
from overcast.maps.by_date import for_dates
from overcast.maps.cells import predict_pixel
from overcast.maps.matched import matched
from overcast.maps.predictor import Predictor
from overcast.product.rasters import written_legend
from overcast.progress import Progress, quiet
from overcast.region.description import read_region
from overcast.region.from_catalogues import SURVEYS
from overcast.region.ground import Zone, open_ground
from overcast.region.state import DESCRIPTION
from overcast.run import is_trained, load_run
from overcast.run_folder import RUN
from overcast.threads import steady_learning


def calibrate_region(
    out: Path,
    known: ReferenceFile,
    *,
    coverage: float | None = None,
    by_class: bool = False,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> JobResult:
    """Calibrate the run in ``out/run``, which learned from a region, with judged points.

    Tiles stay as they are until the region is mapped again. With a `coverage`, they then
    have ``set_sizes.tif`` too, as `overcast.jobs.calibrate.calibrate_map` says.

    Raises
    ------
    ValueError
        If the folder has no run or no map, it is calibrated already and `overwrite` is
        not set, `coverage` is not between 0 and 1, or `known` is not points.
    """
    if coverage is not None and not 0 < coverage < 1:
        raise ValueError(f"coverage is {coverage}, expected between 0 and 1")
    run = out / RUN
    if not (run.is_dir() and is_trained(run)):
        raise ValueError(
            f"{out}: has no run of its own; calibrate the folder of the run that made it"
        )
    if read_calibration(run) is not None and not overwrite:
        raise ValueError(f"{run}: calibrated already; give --overwrite to do it anew")
    with lock.writing(out):
        held = _held_out(out, _uncalibrated(load_run(run)), known, progress)
        with steady_learning():
            calibration = calibrate(held, known.path.name, coverage, by_class)
        write_calibration(calibration, run)
    note = (
        f"tiles have the new confidence once they are mapped again: overcast map --region "
        f"{out / DESCRIPTION} --out {out}"
    )
    return JobResult(summary_of(run), (note,))


def _uncalibrated(predictor: Predictor) -> Predictor:
    return predictor.predictor if isinstance(predictor, Calibrated) else predictor


def _held_out(
    out: Path, predictor: Predictor, known: ReferenceFile, progress: Progress
) -> HeldOut:
    """Probabilities of the points, as the run gives them without calibration."""
    paths = maps_of(out)
    legend = written_legend(paths[0])
    sources = [open_labels(path, legend) for path in paths]
    truth = known.open(legend, *(source.grid for source in sources))
    if not isinstance(truth, ReferencePoints):
        raise ValueError(
            f"{known.path}: a region is calibrated with points; draw some with overcast "
            "sample, and fill them"
        )
    below = under(sources, truth.points)
    codes = [path.stem.removeprefix("map-") for path in paths]
    ground = open_ground(read_region(out / DESCRIPTION), out / SURVEYS)
    zones = {zone.code: zone for zone in ground.zones}
    judged = truth.classes != UNKNOWN
    pixels = known_pixels(truth, legend)
    values = np.zeros((len(legend), len(pixels.classes)), np.float32)
    which = np.where(below.classes == UNKNOWN, -1, below.source)[judged]
    for number, code in enumerate(codes):
        zone = zones[code]
        origin = zone.lattice.grid(Window(0, 0, 1, 1))
        rows, columns = (v[judged] for v in pixels_under(origin, truth.points))
        here = np.flatnonzero(which == number)
        each = zip(rows[here], columns[here], strict=True)
        places = [(int(row), int(column)) for row, column in each]
        values[:, here] = _probabilities(predictor, zone, places, progress)
    if not values.any():
        raise ValueError(
            f"{known.path}: knows no class where the map has one; give places of the map"
        )
    return HeldOut.of(values, pixels.classes, pixels.weights)


def _probabilities(
    predictor: Predictor,
    zone: Zone,
    places: Sequence[tuple[int, int]],
    progress: Progress,
) -> NDArray[np.float32]:
    """Probabilities ``[K, N]`` of pixels of a zone, each from its own context."""
    stack = matched(zone.stack, predictor.sensors)
    one = for_dates(predictor, stack)
    values = np.zeros((len(predictor.legend), len(places)), np.float32)
    for number, (row, column) in enumerate(places):
        pixel = Window(row, column, 1, 1)
        wide = within(widened(pixel, one.halo), zone.reach)
        if wide is not None:
            grid = zone.lattice.grid(wide)
            place = row - wide.y, column - wide.x
            values[:, number] = predict_pixel(one, near(stack, grid), grid, place)
        progress("looking", number + 1, len(places))
    return values
