"""Plans are strict YAML that says everything, and nothing that is not known."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from overcast.methods.method import method_of
from overcast.plan import (
    Data,
    ImageInput,
    LabelInput,
    Plan,
    choose,
    read_plan,
    write_plan,
)
from overcast.trees import to_tree

PLAN = Plan(
    data=Data(
        images={
            "s2": ImageInput(path="/data/s2.tif", sensor="sentinel-2", offset=-1000)
        },
        labels=LabelInput(path="/data/l.tif", legend="worldcover", nodata=0),
    ),
    method={"name": "forest", "trees": 7},
)


def changed(tmp_path: Path, change: object) -> Path:
    tree = to_tree(PLAN)
    change(tree)  # type: ignore[operator]
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    write_plan(PLAN, tmp_path / "plan.yaml")
    assert read_plan(tmp_path / "plan.yaml") == PLAN
    assert read_plan(tmp_path / "plan.yaml").fingerprint == PLAN.fingerprint
    assert method_of(PLAN).trees == 7


def test_relative_paths_are_relative_to_the_plan(tmp_path: Path) -> None:
    path = changed(
        tmp_path, lambda t: t["data"]["images"]["s2"].update(path="a/s2.tif")
    )
    assert read_plan(path).data.images["s2"].path == str(tmp_path / "a" / "s2.tif")


def test_the_run_to_start_from_is_beside_the_plan_or_a_name(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for start, found in [("run", str(tmp_path / "run")), ("timm/x", "timm/x")]:
        method = {"name": "network", "start": start}
        path = changed(tmp_path, lambda t, m=method: t.update(method=m))  # type: ignore[misc]
        assert read_plan(path).method["start"] == found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.update(sede=1), r"unknown key 'sede'; did you mean seed\?"),
        (
            lambda t: t["data"]["images"]["s2"].update(ofset=0),
            r"images\.s2: unknown key 'ofset'; did you mean offset\?",
        ),
        (lambda t: t["data"]["labels"].update(legnd="x"), r"did you mean legend\?"),
        (
            lambda t: t["method"].update(tres=3),
            r"unknown key 'tres'; did you mean trees",
        ),
        (lambda t: t.update(method={"name": "forrest"}), r"did you mean 'forest'"),
        (lambda t: t.update(seed="seven"), "seed: "),
        (lambda t: t.pop("data"), "data"),
        (lambda t: t["method"].update(trees=0.5), "trees"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: object, says: str) -> None:
    path = changed(tmp_path, change)
    with pytest.raises(ValueError, match=says) as error:
        read_plan(path)
    assert "\n" not in str(error.value)


def test_no_yaml_is_said(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("a: [")
    with pytest.raises(ValueError, match=r"plan\.yaml: not YAML"):
        read_plan(path)


def test_a_model_option_that_is_unknown_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown key 'widht'; did you mean width\?"):
        choose("models", {"name": "fcn", "widht": 3}, {"s2": 10}, 4)


@pytest.mark.parametrize("nodata", [0, (0, 255), -9999])
def test_labels_may_have_several_codes_for_no_data(
    tmp_path: Path, nodata: int | tuple[int, ...]
) -> None:
    value = list(nodata) if isinstance(nodata, tuple) else nodata
    path = changed(tmp_path, lambda t: t["data"]["labels"].update(nodata=value))
    labels = read_plan(path).data.labels
    assert labels is not None
    assert labels.nodata == nodata
