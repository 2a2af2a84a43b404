"""Land-cover maps from SAR and optical imagery with labels that are not good enough.

>>> import overcast as oc
>>> world = oc.simulate(seed=7, size=64)
>>> model = oc.fit(world.scene, world.labels["modis"], method="kmeans")
>>> model.predict(world.scene).land_cover.dims
('y', 'x')

Names are imported when they are first used: ``import overcast`` imports neither torch
nor rasterio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overcast.api.accuracy import assess as assess
    from overcast.api.accuracy import calibrate as calibrate
    from overcast.api.accuracy import sample as sample
    from overcast.api.audit import audit as audit
    from overcast.api.audit import suggest as suggest
    from overcast.api.fetch import fetch as fetch
    from overcast.api.labels import TrainingLabels as TrainingLabels
    from overcast.api.labels import labels as labels
    from overcast.api.model import Model as Model
    from overcast.api.model import fit as fit
    from overcast.api.model import load as load
    from overcast.api.scene import Scene as Scene
    from overcast.api.scene import scene as scene
    from overcast.api.simulate import simulate as simulate
    from overcast.api.write import write as write
    from overcast.geo.bands import Sensor as Sensor
    from overcast.geo.legend import Legend as Legend
    from overcast.geo.stack import Stack as Stack
    from overcast.maps.predictor import Predictor as Predictor
    from overcast.methods.method import Method as Method
    from overcast.models.segmenter import Segmenter as Segmenter
    from overcast.train.recipe import Recipe as Recipe

__version__ = "0.1.0"

_WHERE = {
    "Legend": "geo.legend",
    "Method": "methods.method",
    "Model": "api.model",
    "Predictor": "maps.predictor",
    "Recipe": "train.recipe",
    "Scene": "api.scene",
    "Segmenter": "models.segmenter",
    "Sensor": "geo.bands",
    "Stack": "geo.stack",
    "TrainingLabels": "api.labels",
    "assess": "api.accuracy",
    "audit": "api.audit",
    "calibrate": "api.accuracy",
    "fetch": "api.fetch",
    "fit": "api.model",
    "labels": "api.labels",
    "load": "api.model",
    "sample": "api.accuracy",
    "scene": "api.scene",
    "simulate": "api.simulate",
    "suggest": "api.audit",
    "write": "api.write",
}
"""Every name of the door, and the module that it is in."""
__all__ = list(_WHERE)


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
