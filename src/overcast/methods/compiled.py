"""A network as ONNX Runtime or OpenVINO carries it out, compared with torch.

The graph takes what `Batch` holds: every image in network units, and where it is valid.
So masks, several sensors and missing ones mean what they mean to the network itself. One
is compiled for every size of window; windows of a map have one size.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from overcast.extras import advice
from overcast.models.segmenter import Segmenter
from overcast.threads import count
from overcast.train.batch import Batch

Floats = NDArray[np.float32]
Carried = Callable[[Sequence[NDArray[Any]]], Floats]

_SAME = 0.9999
"""Share of the pixels of the first window that must have the class that torch gives."""
_compiled: WeakKeyDictionary[Segmenter, dict[tuple[Any, ...], Carried]]
_compiled = WeakKeyDictionary()


def probabilities(
    model: Segmenter, batch: Batch, absent: Sequence[int], runtime: str
) -> Floats:
    """Softmax probabilities ``[K, H, W]`` of a batch of one window.

    Parameters
    ----------
    model
        On the CPU.
    absent
        Positions of classes that get none.
    runtime
        ``onnx`` or ``openvino``.

    Raises
    ------
    ValueError
        If the runtime is not installed, can't carry out this network, or gives another
        class than torch in more than one of 10,000 pixels of the first window.
    """
    given = (*batch.images.values(), *batch.valid.values())
    shapes = tuple(tuple(tensor.shape) for tensor in given)
    made = _compiled.setdefault(model, {})
    key = (runtime, tuple(batch.images), tuple(absent), shapes)
    if key not in made:
        graph = _Graph(model, tuple(batch.images), absent).eval()
        carried = _compile(graph, given, runtime)
        _compare(graph, given, carried, runtime)
        made[key] = carried
    return made[key]([tensor.numpy() for tensor in given])


class _Graph(nn.Module):
    """A network of tensors alone: images, then where they are valid."""

    def __init__(
        self, model: Segmenter, names: Sequence[str], absent: Sequence[int]
    ) -> None:
        super().__init__()
        self.model, self.names = model, names
        barred = torch.zeros(model.classes, 1, 1)
        barred[list(absent)] = -torch.inf
        self.register_buffer("barred", barred)

    def forward(self, *given: Tensor) -> Tensor:
        """Probabilities ``[1, K, H, W]``."""
        images = dict(zip(self.names, given, strict=False))
        valid = dict(zip(self.names, given[len(self.names) :], strict=True))
        logits = self.model(Batch(images=images, valid=valid))
        return cast(Tensor, (logits + self.get_buffer("barred")).softmax(1))


def _compile(graph: _Graph, given: Sequence[Tensor], runtime: str) -> Carried:
    make = {"onnx": _onnx, "openvino": _openvino}[runtime]
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # the exporters' own, about their insides
            return make(graph, tuple(given))
    except ImportError as error:
        raise ValueError(f"--runtime {runtime}: {advice(error)}") from error
    except (RuntimeError, ValueError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"--runtime {runtime}: can't carry out this network ({reason}); give "
            "--runtime torch"
        ) from error


def _onnx(graph: _Graph, given: tuple[Tensor, ...]) -> Carried:
    import onnxruntime
    import onnxscript  # noqa: F401  what the exporter needs

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count()
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch.onnx.export(
            graph, given, path, dynamo=True, external_data=False, verbose=False
        )
        session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
    names = [entry.name for entry in session.get_inputs()]

    def carried(arrays: Sequence[NDArray[Any]]) -> Floats:
        (result,) = session.run(None, dict(zip(names, arrays, strict=True)))
        return cast(Floats, result[0])

    return carried


def _openvino(graph: _Graph, given: tuple[Tensor, ...]) -> Carried:
    import openvino

    wanted = {"INFERENCE_NUM_THREADS": count(), "INFERENCE_PRECISION_HINT": "f32"}
    network = openvino.convert_model(torch.export.export(graph, given))
    compiled = openvino.Core().compile_model(network, "CPU", wanted)

    def carried(arrays: Sequence[NDArray[Any]]) -> Floats:
        return np.array(compiled(list(arrays))[0][0], np.float32)

    return carried


def _compare(
    graph: _Graph, given: Sequence[Tensor], carried: Carried, runtime: str
) -> None:
    with torch.inference_mode():
        expected = graph(*given)[0].numpy()
    result = carried([tensor.numpy() for tensor in given])
    same = float((result.argmax(0) == expected.argmax(0)).mean())
    if not same >= _SAME:
        raise ValueError(
            f"--runtime {runtime}: gives another class than torch in {1 - same:.2%} of "
            "the pixels of a window; give --runtime torch"
        )
