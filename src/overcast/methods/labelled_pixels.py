"""Features of labelled pixels, drawn from all of the ground or from chosen windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overcast.geo.stack import Chip, Stack, agree
from overcast.methods.features import ONE_DATE, PixelFeatures, halo_of
from overcast.methods.over import Chosen
from overcast.methods.sampling import Sample, chances_over, sample_over, sample_pixels
from overcast.progress import Progress


@dataclass(frozen=True, slots=True)
class LabelledPixels:
    """Which labelled pixels a method learns from.

    Attributes
    ----------
    count
        How many, about.
    balanced
        As many of every class, rather than by area.
    filtered
        With spectral indices and guided multilook backscatter beside the bands.
    look
        What is looked at of a pixel.
    """

    count: int
    balanced: bool
    filtered: bool
    look: PixelFeatures = ONE_DATE

    def draw(
        self,
        stacks: Sequence[Stack],
        seed: int,
        progress: Progress,
        over: Chosen | None = None,
    ) -> Sample:
        """Draw them; with `over`, from the windows that were chosen alone.

        Raises
        ------
        ValueError
            If no pixel has a label that is known and was seen.
        """
        sensors = agree(stacks).sensors
        halo = halo_of(sensors)

        def features(chip: Chip) -> NDArray[np.float32]:
            return self.look.features(chip, sensors, self.filtered)

        if over is None:
            return sample_pixels(
                stacks,
                features,
                self.count,
                halo=halo,
                seed=seed,
                balanced=self.balanced,
                progress=progress,
            )
        chances = chances_over(over, self.count, balanced=self.balanced)
        return sample_over(stacks, features, chances, halo=halo, seed=seed, over=over)
