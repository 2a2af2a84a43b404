"""A trained network as an ONNX file, for ONNX Runtime and for QGIS with Deepness.

The file takes physical values (reflectance, dB) and gives class probabilities, so that
whoever runs it needs to know nothing of network units::

    NAME           float32 [1, C, S, S]   one input for every image, or one of all bands
    probabilities  float32 [1, K, S, S]

A pixel of an image that is not finite in some band, or 0 in all of them as padding is,
was not observed: it changes nothing. Where no image saw the ground, all probabilities
are 0. What was written is run once and compared with the network itself.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from overcast import __version__
from overcast.accuracy.calibrated import Calibrated
from overcast.accuracy.calibration import FLOOR
from overcast.accuracy.curve import MARGIN, STEPS, Scaling
from overcast.documents import Document
from overcast.extras import advice
from overcast.geo.bands import NETWORK_RANGE, SENTINEL_2_SCALE, Sensor
from overcast.geo.legend import legend_to_csv
from overcast.maps.by_date import ByDate
from overcast.maps.placed import Placed
from overcast.methods.network import TrainedNetwork
from overcast.models.segmenter import Segmenter
from overcast.progress import Progress, quiet
from overcast.run import load_run, model_hash
from overcast.train.batch import Batch

TOLERANCE = 1e-4
_JOINED = "image"
_OUTPUT = "probabilities"


def export_run(
    run: Path,
    path: Path,
    size: int = 512,
    *,
    joined: bool = False,
    pixel_m: float = 10,
    progress: Progress = quiet,
) -> float:
    """Write the network of a run as ONNX, and compare the file with the network.

    Parameters
    ----------
    run
        Folder of a finished run of the method ``network``.
    path
        File to write.
    size
        Rows and columns of a window; one is taken at a time.
    joined
        Take the bands of all images in one input, side by side, as Deepness needs it.
    pixel_m
        Pixel size that the network was trained on, in metres.

    Returns
    -------
    float
        Largest difference of a probability.

    Raises
    ------
    ValueError
        If the run is of another method, ONNX is not installed, or the file gives
        probabilities that differ by more than 1e-4.
    """
    if not 0 < pixel_m < math.inf:
        raise ValueError(f"--pixel {pixel_m:g}: expected metres above 0, such as 10")
    predictor, scaling = _network_of(run)
    model = predictor.model.cpu()
    network = Physical(model, predictor.sensors, joined, scaling).eval()
    scratch = path.with_name(path.name + ".part")
    try:
        progress("exporting", 0, 2)
        _write(network, scratch, size)
        progress("exporting", 1, 2)
        facts = {"overcast_version": __version__, "overcast_model": model_hash(run)}
        facts |= deepness(predictor, size, pixel_m)
        _describe(scratch, facts)
        difference = _difference(network, scratch, size)
        if not difference <= TOLERANCE:
            raise ValueError(
                f"{path}: ONNX Runtime gives other probabilities than the network, by "
                f"{difference:.2g}; expected at most {TOLERANCE:g}; report the model"
            )
        progress("exporting", 2, 2)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return difference


class Physical(nn.Module):
    """A network that takes physical values, NaN where nothing was observed.

    `scaling` is that of a calibrated run.
    """

    def __init__(
        self,
        model: Segmenter,
        sensors: Mapping[str, Sensor],
        joined: bool = False,
        scaling: Scaling | None = None,
    ) -> None:
        super().__init__()
        self.scaled = nn.Identity() if scaling is None else Scaled(scaling)
        self.model, self.names, self.joined = model, list(sensors), joined
        self.counts = [len(sensor.bands) for sensor in sensors.values()]
        bands = [band for sensor in sensors.values() for band in sensor.bands]
        limits = torch.tensor([[b.low, b.high] for b in bands])
        self.register_buffer("limits", limits[..., None, None])

    @property
    def inputs(self) -> dict[str, int]:
        """Name and number of bands of every input."""
        if self.joined:
            return {_JOINED: sum(self.counts)}
        return dict(zip(self.names, self.counts, strict=True))

    def noise(self, size: int) -> dict[str, NDArray[np.float32]]:
        """An image ``[1, C, S, S]`` for every input, such as land is, with gaps."""
        random = np.random.default_rng(0)
        low, high = self.get_buffer("limits").unbind(1)
        shape = (1, len(low), size, size)
        values = random.uniform(low - (high - low), high + (high - low), shape)
        values[:, :, random.random((size, size)) < 0.1] = np.nan
        ends = np.cumsum(list(self.inputs.values()))[:-1]
        parts = np.split(values.astype(np.float32), ends, 1)
        return dict(zip(self.inputs, parts, strict=True))

    def forward(self, *images: Tensor) -> Tensor:
        """Probabilities ``[B, K, H, W]`` of images ``[B, C, H, W]``."""
        image = torch.cat(images, 1)
        low, high = self.get_buffer("limits").unbind(1)
        network_units = torch.clamp((image - low) / (high - low), *NETWORK_RANGE)
        scaled = dict(
            zip(self.names, torch.split(network_units, self.counts, 1), strict=True)
        )
        valid = {
            name: part.isfinite().all(1) & (part != 0).any(1)
            for name, part in zip(
                self.names, torch.split(image, self.counts, 1), strict=True
            )
        }
        logits = self.model(Batch(images=scaled, valid=valid))
        seen = torch.stack(list(valid.values())).any(0)
        return torch.where(seen[:, None], self.scaled(logits.softmax(1)), 0)


class Scaled(nn.Module):
    """What `overcast.accuracy.curve.Scaling.of` does to probabilities ``[B, K, H, W]``."""

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        self.temperature = scaling.temperature
        values = torch.from_numpy(scaling.curve.values).float()
        self.register_buffer("values", values)

    def forward(self, probabilities: Tensor) -> Tensor:
        """Calibrated probabilities ``[B, K, H, W]``."""
        given = (probabilities.clamp_min(FLOOR).log() / self.temperature).softmax(1)
        sure, top = given.max(1, keepdim=True)
        named = torch.zeros_like(given).scatter(1, top, 1.0)
        others = given * (1 - named)
        share = others / others.sum(1, keepdim=True).clamp_min(torch.finfo().tiny)
        second = share.max(1, keepdim=True).values
        wanted = torch.maximum(self._curve(sure), (1 + MARGIN) * second / (1 + second))
        return named * wanted + share * (1 - wanted)

    def _curve(self, sure: Tensor) -> Tensor:
        values = self.get_buffer("values")
        place = sure * STEPS
        low = place.floor().clamp(0, STEPS - 1)
        below, above = values[low.long()], values[low.long() + 1]
        return below + (place - low) * (above - below)


def deepness(predictor: TrainedNetwork, size: int, pixel_m: float) -> Document:
    """Metadata that the QGIS plugin Deepness reads.

    It divides what a layer holds by 255 and then standardises it, which is made to
    give physical values from Sentinel-2 as products store it (reflectance times
    10,000, offset subtracted), and from anything else as it is.
    """
    scales = [_stored_scale(s) for s in predictor.sensors.values() for _ in s.bands]
    overlap = math.ceil(100 * 2 * predictor.halo / size)
    return {
        "model_type": "Segmentor",
        "class_names": dict(enumerate(predictor.legend.names)),
        "resolution": 100 * pixel_m,
        "tile_size": size,
        "tiles_overlap": min(overlap, 50),
        "seg_thresh": 0.0,
        "seg_small_segment": 0,
        "standardization_mean": [0.0] * len(scales),
        "standardization_std": [1 / (255 * scale) for scale in scales],
        "legend": legend_to_csv(predictor.legend),
        "bands": {n: list(s.names) for n, s in predictor.sensors.items()},
    }


def _network_of(run: Path) -> tuple[TrainedNetwork, Scaling | None]:
    """The network of a run, and its calibration; refused where ONNX can't hold it."""
    predictor = load_run(run)
    scaling: Scaling | None = None
    if isinstance(predictor, Calibrated):
        scaling, predictor = predictor.scaling, predictor.predictor
    if isinstance(predictor, ByDate) and len(predictor.members) == 1:
        predictor = predictor.members[0]  # it maps one date; its user averages them
    placed = isinstance(predictor, Placed)
    if isinstance(predictor, Placed):
        predictor = predictor.predictor
    if not isinstance(predictor, TrainedNetwork):
        raise ValueError(
            f"{run}: no network ({type(predictor).__name__}); only runs of "
            "--method network can be exported"
        )
    if placed:
        raise ValueError(
            f"{run}: maps with its labels as evidence of place, which ONNX can't hold; "
            "train it with --no-place to export it"
        )
    if predictor.indices:
        raise ValueError(
            f"{run}: learned from spectral indices ({', '.join(predictor.indices)}), "
            "which ONNX can't compute; train a network without them to export it"
        )
    return predictor, scaling


def _stored_scale(sensor: Sensor) -> float:
    stored = sensor.name.startswith("sentinel-2")
    return SENTINEL_2_SCALE if stored else 1.0


def _write(network: Physical, path: Path, size: int) -> None:
    try:
        import onnxscript  # noqa: F401  what the exporter needs
    except ImportError as error:
        raise ValueError(advice(error)) from error
    images = tuple(torch.zeros(1, c, size, size) for c in network.inputs.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, about its insides
        torch.onnx.export(
            network,
            images,
            path,
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=list(network.inputs),
            output_names=[_OUTPUT],
        )


def _describe(path: Path, facts: Mapping[str, object]) -> None:
    import onnx

    model = onnx.load(path)
    onnx.helper.set_model_props(model, {k: json.dumps(v) for k, v in facts.items()})
    onnx.save(model, path)


def _difference(network: Physical, path: Path, size: int) -> float:
    """Largest difference between file and network, on noise with gaps."""
    import onnxruntime

    images = network.noise(size)
    with torch.inference_mode():
        expected = network(*map(torch.from_numpy, images.values())).numpy()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    (output,) = session.run([_OUTPUT], images)
    return float(np.abs(output - expected).max())
