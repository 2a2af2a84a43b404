"""Accuracies of labels, as published and as stated."""

from __future__ import annotations

from pathlib import Path

import pytest

from overcast.geo.legend import built_in_legends, load_legend
from overcast.label_quality.published import published, stated_accuracy

LEGEND = load_legend("worldcover")


def test_every_published_accuracy_is_of_a_known_legend() -> None:
    assert published().keys() <= set(built_in_legends())
    assert published()["worldcover"] == 0.767
    assert all(0.5 < share < 1 for share in published().values())


@pytest.mark.parametrize(
    ("text", "share"), [("0.85", 0.85), ("1", 1.0), ("igbp", 0.736)]
)
def test_one_accuracy_is_that_of_all_classes(text: str, share: float) -> None:
    found = stated_accuracy(text, LEGEND)
    assert found.tolist() == [share] * len(LEGEND)


def test_a_table_has_an_accuracy_by_class_and_the_mean_for_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "accuracy.csv"
    path.write_text("class,accuracy\n10,0.9\nCropland,0.5\n")
    found = stated_accuracy(str(path), LEGEND)
    names = list(LEGEND.names)
    assert found[0] == 0.9
    assert found[names.index("Cropland")] == 0.5
    assert found[names.index("Built-up")] == pytest.approx(0.7)


@pytest.mark.parametrize("text", ["85", "0", "-0.5", "nan", "good", "no.csv"])
def test_other_accuracies_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--labels-accuracy"):
        stated_accuracy(text, LEGEND)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("class,accuracy\nMoon,0.5\n", "'Moon' is neither a code nor a name"),
        ("class,accuracy\n10,85\n", "accuracy 85; expected a share"),
        ("class,accuracy\n10,much\n", "expected a share"),
        ("name,share\n10,0.5\n", "columns class,accuracy"),
        ("class,accuracy\n10\n", "columns class,accuracy"),
        ("class,accuracy\n", "no accuracy in it"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, table: str, reason: str) -> None:
    path = tmp_path / "accuracy.csv"
    path.write_text(table)
    with pytest.raises(ValueError, match=reason):
        stated_accuracy(str(path), LEGEND)
