"""A predictor that maps without some of the images that it learned with.

Networks, forests and clusters all take a pixel that a sensor did not see; here it saw
none. What is left decides, and how well depends on the method: see docs/few-labels.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.raster import Image
from overcast.geo.series import series_of
from overcast.geo.stack import Chip
from overcast.maps.predictor import Wrapper


@dataclass(frozen=True, slots=True)
class MissingSensor(Wrapper):
    """A predictor, and the names of the images that it has to do without.

    Raises
    ------
    ValueError
        If it reads no such image, or nothing would be left.
    """

    names: frozenset[str]

    def __post_init__(self) -> None:
        read = self.predictor.sensors
        if unknown := sorted(self.names - read.keys()):
            raise ValueError(
                f"without {', '.join(unknown)}: the run reads {', '.join(read)}"
            )
        if not self.sensors:
            raise ValueError(f"without {', '.join(read)} there is nothing to map from")

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """The images that are left."""
        read = self.predictor.sensors
        return {name: read[name] for name in read if name not in self.names}

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Probabilities ``[K, h, w]`` from the images that are left."""
        own = {n: i for n, i in chip.images.items() if self._reads(n, chip)}
        images = dict(own)
        for name in self.names:
            images[name] = Image.unseen(chip.grid, self.predictor.sensors[name])
        moments = {n: m for n, m in chip.moments.items() if n in own}
        return self.predictor.predict(replace(chip, images=images, moments=moments))

    def _reads(self, name: str, chip: Chip) -> bool:
        return series_of(name, chip.moments) not in self.names
