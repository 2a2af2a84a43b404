"""Trees on disk: those that part seen pixels from unseen ones are trees too."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from overcast.methods.forest import as_arrays, as_trees, check_trees


def test_a_split_by_what_was_not_seen_is_kept() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 2)).astype(np.float32)
    classes = random.integers(0, 2, 200)
    features[classes == 1, 0] = np.nan  # class 1 was never seen in the first feature
    forest = RandomForestClassifier(5, random_state=0, max_features=None)
    forest.fit(features, classes)
    arrays = as_arrays(forest)
    arrays["classes"] = np.array([0, 1])
    assert np.isinf(arrays["nodes.threshold"]).any()
    check_trees(arrays, 2, 2)
    trees = as_trees(arrays, 2)
    share = sum(tree.predict(features)[:, 1] for tree in trees) / len(trees)
    assert ((share > 0.5) == classes).all()
    arrays["nodes.threshold"] = np.full_like(arrays["nodes.threshold"], -np.inf)
    with pytest.raises(ValueError, match="not finite"):
        check_trees(arrays, 2, 2)
