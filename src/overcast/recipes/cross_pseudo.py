"""Learn from few labels with two networks, each labelling images for the other.

    L = CE(f, labelled) + CE(g, labelled) + w [ CE(f, argmax g) + CE(g, argmax f) ]

with the bracket over all seen pixels of unlabelled images (cross pseudo-supervision,
Chen 2021, without its CutMix). f and g have one architecture and different first
weights: g is in the `State`, and f alone makes maps. Weights that f starts from g starts
from as well, as in the paper, where both encoders are pretrained.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import ClassVar

from overcast.augment.views import drop_sensor, jitter
from overcast.limits import SHARE, WEIGHT, check_limits
from overcast.models.segmenter import Segmenter
from overcast.recipes.supervised import Supervised
from overcast.train.batch import Batch
from overcast.train.losses import cross_entropy, masked_mean
from overcast.train.recipe import State, Terms, TrainingContext
from overcast.train.samples import unlabelled_images
from overcast.train.teacher import confident_labels, seen


class Twin(State):
    """A network like `model`, with weights of its own, which are learned as well.

    Layers of which weights are named in `started` are as in `model`.
    """

    def __init__(self, model: Segmenter, started: Collection[str] = ()) -> None:
        super().__init__()
        self.network = deepcopy(model)
        modules = {name.rpartition(".")[0] for name in started}
        for name, layer in self.network.named_modules():
            again = getattr(layer, "reset_parameters", None)
            if callable(again) and name not in modules:
                again()


@dataclass(frozen=True, slots=True)
class CrossPseudo:
    """Two networks that teach each other.

    Attributes
    ----------
    weight
        w above. The paper has 1.5, from pretrained encoders; from random weights and
        labels of two blocks of world 0 it lost five of eight classes.
    drop
        Chance of a sample to lose one of its sensors, 0 to 1, for each network anew.
    started
        Names of the weights that are not random at first; `configure` fills it in.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled", "unlabelled")

    weight: float = 0.2
    drop: float = 0.1
    started: frozenset[str] = field(default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        check_limits(self, weight=WEIGHT, drop=SHARE)

    def configure(self, setting: TrainingContext) -> CrossPseudo:
        """The recipe, told what both networks start from."""
        return replace(self, started=setting.started)

    def start(self, model: Segmenter) -> Twin:
        """Make the other network."""
        return Twin(model, self.started)

    def terms(
        self, model: Segmenter, state: Twin, batches: Mapping[str, Batch]
    ) -> Terms:
        """Cross-entropy of both networks on labels, and on each other's predictions.

        Raises
        ------
        ValueError
            If stream 'labelled' gives no labels.
        """
        learner = Supervised(drop=self.drop)
        networks = (model, state.network)
        known = [learner.terms(each, state, batches).total for each in networks]
        images = jitter(unlabelled_images(model, batches))
        where = seen(images, model.bands)
        one, two = (each(drop_sensor(images, self.drop)) for each in networks)
        named = [confident_labels(z.float().softmax(1), 0.0, where) for z in (one, two)]
        losses = {
            "supervised": known[0],
            "supervised twin": known[1],
            "cross": self.weight * cross_entropy(one, named[1]),
            "cross twin": self.weight * cross_entropy(two, named[0]),
        }
        agreement = masked_mean((named[0] == named[1]).float(), where)
        return Terms(losses, {"agreement": agreement})
