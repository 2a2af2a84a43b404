"""Learn to map under clouds: by taking them away, and from a teacher that sees none.

    L = CE(student, labels) + r Charbonnier(restored, clear) + d |s - t|^2 off the clouds

(Xu et al., CloudSeg, ISPRS Journal 214, 2024); s are features of the student, which sees
a place under clouds, t those of the teacher, which sees it clear; `restored` is the
cloud-free image that the network makes, if it makes one.

The teacher learns in the first `teacher_steps`, and then stays as it is. There are two:

- ``own`` is the paper's: a network of its own, without gates, that learns from clear images
  alone by cross-entropy. The paper trains it to its end before the student begins. Here
  it learns beside the student, which costs half as much time again and no steps.
- ``average`` is ours: the moving average of the student itself, which sees a quarter of
  the samples clear in these steps.

Distillation can be worth something only where the teacher knows what the student isn't told
by its labels. With ``average`` it was worth nothing (docs/lab/clouds.md), and ``own`` was
not measured, so that ``average`` is the default.

Clear images are those of the target `clear`, the twin of a cloudy image. Without it,
`optical` itself is taken to be clear, and clouds are drawn over it. With it, a share
`simulate` of the samples gets drawn clouds instead of the real ones of the other date.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self, get_args

import torch
from torch import Tensor

from overcast.augment.clouds import Sky, add_clouds
from overcast.augment.views import dihedral, drop_sensor
from overcast.geo.bands import Sensor
from overcast.limits import SHARE, WEIGHT, check_limits
from overcast.models.segmenter import Gated, Remover, Segmenter
from overcast.recipes.cloudseg.pairs import chosen_of, jittered_alike, replaced
from overcast.train.batch import Batch
from overcast.train.losses import (
    cross_entropy,
    edge_cloud_charbonnier,
    masked_distillation,
)
from overcast.train.recipe import State, Terms, TrainingContext
from overcast.train.teacher import Teacher
from overcast.worlds.clouds import CLEAR

_CLEAR = 0.25
"""Share of the samples that are clear while the teacher learns."""
_CHANGED = 0.1
"""Difference in network units from which a pixel of a pair counts as under cloud."""


Teaching = Literal["average", "own"]


class Taught(State):
    """A moving average, which learns in the first `steps` and then stays as it is."""

    def __init__(self, model: Segmenter, steps: int) -> None:
        super().__init__()
        self.teacher, self.steps = Teacher(model), steps

    @property
    def learning(self) -> bool:
        """Return whether the teacher still learns."""
        return int(self.teacher.age) < self.steps

    def after_step(self, model: Segmenter, step: int) -> None:
        """Let the teacher follow the network for its steps."""
        if step < self.steps:
            self.teacher.after_step(model, step)

    @property
    def network(self) -> Segmenter:
        """Return the teacher's network."""
        return self.teacher.network


class Apart(State):
    """A teacher of its own, which learns from clear images in the first `steps`."""

    def __init__(self, model: Segmenter, steps: int) -> None:
        super().__init__()
        self.network: Segmenter = (
            model.ungated() if isinstance(model, Gated) else deepcopy(model)
        )
        self.steps = steps
        self.register_buffer("age", torch.zeros((), dtype=torch.int64))

    @property
    def learning(self) -> bool:
        """Return whether the teacher still learns."""
        return int(self.get_buffer("age")) < self.steps

    def train(self, mode: bool = True) -> Self:
        """Set the mode; a teacher that has learned stays in evaluation."""
        super().train(mode)
        if not self.learning:
            self.network.eval()
        return self

    def after_step(self, model: Segmenter, step: int) -> None:
        """Count the step."""
        self.get_buffer("age").fill_(step + 1)


@dataclass(frozen=True, slots=True)
class CloudSeg:
    """Three terms, and a teacher that learns on the way.

    Attributes
    ----------
    optical, clear
        Names of the image that clouds hide, and of the target without them.
    cloud_mask
        Name of a target whose first band is 1 under cloud; where there is none, what
        differs between the two images counts as cloud.
    teacher
        ``own`` or ``average``, see above.
    teacher_steps
        Steps in which the teacher learns; `configure` makes None half of all.
    removal, distillation
        Weights of the two terms; 0 leaves one out. Both are 1 in the paper. Here a
        removal of 1 cost a point of the classes under cloud, and one of .05 left an
        image there that was no better than a constant (development worlds 1, 2).
    simulate
        Chance of a sample to get clouds drawn over its clear image, 0 to 1; 1 where
        there is no `clear`.
    hidden
        Chance of a sample to have its cloudy pixels marked as not observed, 0 to 1: for
        a network that shall make use of a cloud mask where there is one.
    drop
        Chance of a sample to lose one of its sensors, 0 to 1.
    augment
        Turn, mirror and jitter every sample.
    sensor
        Of `optical`, for clouds that are drawn; `configure` fills it in. Without it
        they are grey.
    pixel_m
        Side of a pixel in metres, for the size of drawn clouds; `configure` fills it in.
    """

    streams: ClassVar[tuple[str, ...]] = ("labelled",)

    optical: str = "s2"
    clear: str = "s2_clear"
    cloud_mask: str = "cloud_mask"
    teacher: Teaching = "average"
    teacher_steps: int | None = None
    removal: float = 0.3
    distillation: float = 0.1
    simulate: float = 0.3
    hidden: float = 0.0
    drop: float = 0.1
    augment: bool = True
    sensor: Sensor | None = None
    pixel_m: float = 10.0

    def __post_init__(self) -> None:
        if self.teacher not in get_args(Teaching):
            names = " or ".join(get_args(Teaching))
            raise ValueError(f"teacher is {self.teacher!r}; expected {names}")
        check_limits(self, teacher_steps=(0, 10**9), pixel_m=(0.01, 1e5))
        check_limits(self, removal=WEIGHT, distillation=WEIGHT)
        check_limits(self, simulate=SHARE, hidden=SHARE, drop=SHARE)

    @property
    def restores(self) -> bool:
        """Return whether a network learns to take clouds away."""
        return self.removal > 0

    def configure(self, setting: TrainingContext) -> CloudSeg:
        """The recipe for its image: told what clouds do to it, and when to teach.

        Raises
        ------
        ValueError
            If spectral indices are among the bands, which don't mix as light does; a
            target is neither `clear` nor `cloud_mask`; or the teacher would learn to
            the last step and teach nothing.
        """
        if self.optical not in setting.sensors:
            return self  # which `start` refuses
        if unread := setting.targets - {self.clear, self.cloud_mask}:
            raise ValueError(
                f"cloudseg does not read target {', '.join(sorted(unread))}; the image "
                f"without clouds is called {self.clear!r} and their mask "
                f"{self.cloud_mask!r} here: set clear and cloud_mask to your names"
            )
        steps = self.teacher_steps
        if steps is None:
            steps = setting.steps // 2
        elif self.distillation and steps >= setting.steps:
            raise ValueError(
                f"teacher_steps is {steps} of {setting.steps} steps, so no "
                "steps are left for the student; take fewer, or leave it out for half"
            )
        sensor = setting.sensors[self.optical]
        if indices := [band.name for band in sensor.bands if band.unit == "index"]:
            raise ValueError(
                f"cloudseg draws clouds over reflectances, and {self.optical} has "
                f"{', '.join(indices)} besides; leave indices out"
            )
        side = setting.pixel_m
        return replace(self, sensor=sensor, teacher_steps=steps, pixel_m=side)

    def start(self, model: Segmenter) -> Taught | Apart:
        """A teacher that knows nothing yet.

        Raises
        ------
        ValueError
            If the network has no sensor `optical`, or takes clouds from another one, or
            `teacher_steps` is not known.
        """
        if self.optical not in model.bands:
            raise ValueError(
                f"optical is {self.optical!r}, the network reads "
                f"{', '.join(model.bands)}"
            )
        if isinstance(model, Remover) and model.optical != self.optical:
            raise ValueError(
                f"the recipe's optical is {self.optical!r}, the network's "
                f"{model.optical!r}; give both one name"
            )
        if self.teacher_steps is None:
            raise ValueError("teacher_steps is half of all, but of how many: configure")
        make = Apart if self.teacher == "own" else Taught
        return make(model, self.teacher_steps)

    def terms(
        self, model: Segmenter, state: Taught | Apart, batches: Mapping[str, Batch]
    ) -> Terms:
        """Two terms while the teacher learns, and its own; then all three.

        Raises
        ------
        ValueError
            If the stream gives no labels or no optical image.
        """
        given = self._checked(batches["labelled"])
        if self.augment:
            given = dihedral(given)
        clear, seen = self._pair(given)
        cloudy, cloud = self._under_clouds(given, clear, seen)
        if state.learning and self.teacher == "average":
            chosen = torch.rand(len(cloud)).to(cloud.device) < _CLEAR
            cloudy = chosen_of(chosen, clear, cloudy, self.optical)
            cloud = cloud & ~chosen[:, None, None]
        return self._losses(model, state, (clear, cloudy, cloud))

    def _losses(
        self,
        model: Segmenter,
        state: Taught | Apart,
        shown: tuple[Batch, Batch, Tensor],
    ) -> Terms:
        clear, cloudy, cloud = shown
        seen = drop_sensor(self._hide(cloudy, cloud), self.drop)
        assert seen.labels is not None
        if isinstance(model, Remover):
            features, restored = model.restore(seen)
        else:
            features, restored = model.encode(seen), None
        losses = {"classes": cross_entropy(model.decode(features), seen.labels)}
        known, twin = clear.valid[self.optical], clear.images[self.optical]
        # What the student was not shown, it has to guess as it does under cloud.
        hidden = cloud | ~seen.valid[self.optical]
        if self.removal and restored is not None:
            lost = edge_cloud_charbonnier(restored, twin, hidden, known)
            losses["removal"] = self.removal * lost
        if self.distillation and not state.learning:
            with torch.no_grad():
                wanted = state.network.encode(clear)
            apart = masked_distillation(features, wanted, known & ~hidden)
            losses["distillation"] = self.distillation * apart
        if isinstance(state, Apart) and state.learning:
            learned = state.network(drop_sensor(clear, self.drop))
            losses["teacher"] = cross_entropy(learned, seen.labels)
        return Terms(losses, {"cloud": cloud.float().mean()})

    def _checked(self, batch: Batch) -> Batch:
        if batch.labels is None:
            raise ValueError("stream 'labelled' gave a batch without labels")
        if self.optical not in batch.images:
            raise ValueError(
                f"stream 'labelled' gave no {self.optical!r}, but "
                f"{', '.join(batch.images)}"
            )
        return batch

    def _pair(self, given: Batch) -> tuple[Batch, Batch]:
        """Return what a network may see: the clear images, and the given ones."""
        targets = {self.clear, self.cloud_mask}
        seen = given.only(given.images.keys() - targets)
        clear = seen
        if self.clear in given.images:
            clear = replaced(seen, self.optical, given, self.clear)
        return jittered_alike(clear, seen) if self.augment else (clear, seen)

    def _under_clouds(
        self, given: Batch, clear: Batch, seen: Batch
    ) -> tuple[Batch, Tensor]:
        """The place under drawn clouds or its own, and where they are ``[B, H, W]``."""
        name, paired = self.optical, self.clear in given.images
        image, valid = (t.clone() for t in (seen.images[name], seen.valid[name]))
        cloud = self._real(given, clear, seen)
        chosen = torch.rand(len(image)) < (self.simulate if paired else 1)
        if chosen.any():
            places = chosen.nonzero()[:, 0].to(image.device)
            sky = Sky.of(self.sensor) if self.sensor else Sky.grey(image.shape[1])
            drawn, mask = add_clouds(
                clear.map(lambda t: t[places]), name, sky, pixel_m=self.pixel_m
            )
            image[places], valid[places] = drawn.images[name], drawn.valid[name]
            cloud[places] = mask != CLEAR
        return replace(
            seen,
            images={**seen.images, name: image},
            valid={**seen.valid, name: valid},
        ), cloud

    def _real(self, given: Batch, clear: Batch, seen: Batch) -> Tensor:
        """Return where a pair is cloudy, as the mask says or else the difference."""
        if self.cloud_mask in given.images:
            said = given.images[self.cloud_mask][:, 0] > 0.5
            return said & given.valid[self.cloud_mask]
        apart = (clear.images[self.optical] - seen.images[self.optical]).abs().amax(1)
        return apart > _CHANGED

    def _hide(self, cloudy: Batch, cloud: Tensor) -> Batch:
        """Mark clouds as not observed in some samples."""
        chosen = torch.rand(len(cloud)).to(cloud.device) < self.hidden
        visible = cloudy.valid[self.optical] & ~(cloud & chosen[:, None, None])
        return replace(cloudy, valid={**cloudy.valid, self.optical: visible})
