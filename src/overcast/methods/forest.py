"""Random forest (Breiman 2001) on single pixels, trained on an equal number per class.

Coarse labels swamp small classes: drawing pixels by area, a forest hardly ever votes
for them. ``python -m bench.claims coarse --methods forest`` measures what balancing, the
filtered backscatter and the leaf size give on simulated scenes; the defaults follow it.
The plain baseline of Schmitt et al. 2020 is ``trees=100 depth=10 leaf=1 balanced=false
filtered=false``.

Of several dates, it learns from the curves of `overcast.methods.curves`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from overcast.geo.bands import Sensor
from overcast.geo.legend import Legend
from overcast.geo.stack import Chip, Stack
from overcast.limits import check_limits
from overcast.methods.arrays import check_array, load_arrays, save_arrays
from overcast.methods.curves import Curves
from overcast.methods.features import ONE_DATE, PixelFeatures, halo_of
from overcast.methods.labelled_pixels import LabelledPixels
from overcast.methods.over import Chosen
from overcast.methods.sampling import FEWEST_SAMPLES
from overcast.progress import Progress
from overcast.threads import count

_FILE = "forest.safetensors"
_CHUNK = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Settings of the forest.

    Attributes
    ----------
    trees, depth, leaf
        Number of trees, their largest depth (None: unlimited), and the fewest
        training pixels in a leaf; of few pixels no more than a hundredth.
    samples
        Training pixels, all classes together.
    balanced
        Draw as many pixels of every class, rather than by area.
    filtered
        Add spectral indices and guided multilook backscatter to the bands.
    """

    trees: int = 100
    depth: int | None = None
    leaf: int = 100
    samples: int = 60_000
    balanced: bool = True
    filtered: bool = True
    reads_series: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check that the settings make a forest."""
        check_limits(self, trees=(1, 10_000), depth=(1, 1000), leaf=(1, 10**9))
        check_limits(self, samples=(FEWEST_SAMPLES, 10**8))

    def fit(
        self,
        stacks: Sequence[Stack],
        folder: Path,
        seed: int,
        progress: Progress,
        over: Chosen | None = None,
    ) -> None:
        """Draw pixels, grow the trees, store them as arrays.

        With `over`, of the windows that were chosen alone.
        """
        from sklearn.ensemble import RandomForestClassifier

        curves = Curves.of(stacks)
        look = curves or ONE_DATE
        wanted = LabelledPixels(self.samples, self.balanced, self.filtered, look)
        sample = wanted.draw(stacks, seed, progress, over)
        forest = RandomForestClassifier(
            self.trees,
            max_depth=self.depth,
            min_samples_leaf=min(self.leaf, max(len(sample.classes) // 100, 1)),
            class_weight="balanced" if self.balanced else None,
            random_state=seed,
            n_jobs=count(),
        )
        progress("growing trees", 0, 1)
        forest.fit(sample.features, sample.classes)
        progress("growing trees", 1, 1)
        days = curves.as_arrays() if curves else {}
        save_arrays({**as_arrays(forest), **days}, folder / _FILE)

    def load(
        self, folder: Path, legend: Legend, sensors: Mapping[str, Sensor]
    ) -> GrownForest:
        """Return the forest that `fit` left in `folder`."""
        path = folder / _FILE
        arrays = load_arrays(path)
        try:
            look = Curves.from_arrays(arrays, sensors) or ONE_DATE
            features = len(look.names(sensors, self.filtered))
            check_trees(arrays, features, len(legend))
        except ValueError as error:
            raise ValueError(f"{path}: {error}; train the run again") from error
        trees = tuple(as_trees(arrays, features))
        classes = arrays["classes"]
        return GrownForest(legend, sensors, trees, classes, self.filtered, look)


@dataclass(frozen=True, slots=True)
class GrownForest:
    """Trees as a `Predictor`; class probabilities are the mean of the leaves' shares."""

    legend: Legend
    sensors: Mapping[str, Sensor]
    trees: tuple[Any, ...] = field(repr=False)
    classes: NDArray[np.int64]
    filtered: bool = True
    look: PixelFeatures = ONE_DATE
    threaded: ClassVar[bool] = True

    @property
    def halo(self) -> int:
        """Context of the features."""
        return halo_of(self.sensors) if self.filtered else 0

    @property
    def reads_series(self) -> bool:
        """Whether it takes chips of several dates as they are."""
        return isinstance(self.look, Curves)

    def predict(self, chip: Chip) -> NDArray[np.float32]:
        """Probabilities ``[K, h, w]``; 0 for classes that training never saw."""
        features = self.look.features(chip, self.sensors, self.filtered)
        pixels = np.ascontiguousarray(features.reshape(len(features), -1).T)
        chunks = [pixels[i : i + _CHUNK] for i in range(0, len(pixels), _CHUNK)]
        votes = np.concatenate([vote(self.trees, chunk) for chunk in chunks])
        out = np.zeros((len(self.legend), len(pixels)), np.float32)
        out[self.classes] = votes.T
        return out.reshape(len(self.legend), *features.shape[1:])


def vote(trees: tuple[Any, ...], pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    total = sum(tree.predict(pixels) for tree in trees)
    return np.asarray(total / len(trees), np.float32).reshape(len(pixels), -1)


def as_arrays(forest: Any) -> dict[str, NDArray[Any]]:
    """Nodes of all trees one behind the other, and where each tree begins."""
    states = [tree.tree_.__getstate__() for tree in forest.estimators_]
    nodes = np.concatenate([state["nodes"] for state in states])
    arrays = {
        f"nodes.{name}": np.ascontiguousarray(nodes[name])
        for name in nodes.dtype.fields or ()
    }
    arrays["values"] = np.concatenate([state["values"][:, 0] for state in states])
    arrays["sizes"] = np.array([state["node_count"] for state in states])
    arrays["depths"] = np.array([state["max_depth"] for state in states])
    arrays["classes"] = forest.classes_.astype(np.int64)
    return arrays


def check_trees(arrays: dict[str, NDArray[Any]], features: int, classes: int) -> None:
    """Refuse trees that would be read outside of their arrays, or without an end."""
    named = check_array(arrays, "classes", (None,), (0, classes - 1), True)
    _refuse(len(set(named.tolist())) < len(named) or not len(named), "classes", "twice")
    values = check_array(arrays, "values", (None, len(named)), (0, 1))
    _refuse(bool((abs(values.sum(1) - 1) > 1e-3).any()), "values", "not shares of 1")
    count = len(values)
    sizes = check_array(arrays, "sizes", (None,), (1, count), True)
    check_array(arrays, "depths", sizes.shape, (0, count), True)
    _refuse(int(sizes.sum()) != count, "sizes", f"not {count} nodes in all")
    children = [
        check_array(arrays, f"nodes.{side}_child", (count,), (-1, count), True)
        for side in ("left", "right")
    ]
    feature = check_array(arrays, "nodes.feature", (count,), whole=True)
    threshold = _thresholds(arrays, count)
    size = np.repeat(sizes, sizes)
    own = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    left, right = children
    leaf = (left == -1) & (right == -1)
    # Children follow their node, so that every way down has an end.
    inside = (np.minimum(left, right) > own) & (np.maximum(left, right) < size)
    _refuse(not (leaf | inside).all(), "nodes", "children that are no later nodes")
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    met = np.concatenate([(first + child)[~leaf] for child in children])
    once = np.bincount(met, minlength=count) == (own > 0)
    _refuse(not once.all(), "nodes", "nodes that no node or several lead to")
    known = (feature >= 0) & (feature < features) & np.isfinite(threshold)
    _refuse(not (leaf | known).all(), "nodes", f"other features than {features}")


def _thresholds(arrays: dict[str, NDArray[Any]], count: int) -> NDArray[Any]:
    """Values at which trees part pixels, checked.

    Infinity parts those that were seen from those that were not.
    """
    name = "nodes.threshold"
    if name in arrays and arrays[name].dtype.kind == "f":
        finite = np.where(arrays[name] == np.inf, 0.0, arrays[name])
        arrays = {**arrays, name: finite}
    return check_array(arrays, name, (count,))


def _refuse(wrong: bool, name: str, what: str) -> None:
    if wrong:
        raise ValueError(f"array {name} does not describe trees: {what}")


def as_trees(arrays: dict[str, NDArray[Any]], features: int) -> list[Any]:
    """Rebuild scikit-learn's trees from their arrays, without a pickle."""
    from sklearn.tree._tree import NODE_DTYPE, Tree

    nodes = np.zeros(len(arrays["values"]), NODE_DTYPE)
    for name in NODE_DTYPE.fields:
        nodes[name] = arrays[f"nodes.{name}"]
    classes = np.array([len(arrays["classes"])], np.intp)
    trees, start = [], 0
    for size, depth in zip(arrays["sizes"], arrays["depths"], strict=True):
        tree = Tree(features, classes, 1)
        part = slice(start, start + int(size))
        values = np.ascontiguousarray(arrays["values"][part][:, None])
        state = {"max_depth": int(depth), "node_count": int(size)}
        tree.__setstate__({**state, "nodes": nodes[part].copy(), "values": values})
        trees.append(tree)
        start += int(size)
    return trees
