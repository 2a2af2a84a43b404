"""What is given is read, or refused: nothing is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from overcast.cli import program
from overcast.cli.options import Command
from overcast.cli.showing import say, show
from overcast.geo.legend import load_legend
from overcast.methods.network import Network
from overcast.plan import read_plan


def every_command() -> list[tuple[str, click.Command]]:
    context = click.Context(program)
    flat = []
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            flat += [(f"{name} {n}", c) for n, c in command.commands.items()]
        else:
            flat.append((name, command))
    return flat


SINGLE = [
    (name, option.opts[0])
    for name, command in every_command()
    for option in command.params
    if isinstance(option, click.Option) and not option.multiple and not option.is_flag
]


def line(*words: object) -> str:
    """The error of a command that is refused with one line."""
    result = CliRunner().invoke(program, [str(word) for word in words])
    assert result.exit_code != 0
    if isinstance(result.exception, ValueError):
        return str(result.exception)
    return result.output.splitlines()[-1]


@pytest.mark.parametrize(("command", "option"), SINGLE)
def test_an_option_of_one_value_is_refused_twice(command: str, option: str) -> None:
    said = line(*command.split(), option, "1", f"{option}=2")
    assert f"{option}: given 2 times (1, 2), " in said


def test_every_command_is_one_that_refuses() -> None:
    assert len(SINGLE) > 80
    assert all(isinstance(command, Command) for _, command in every_command())


def test_flags_and_repeatable_options_may_come_twice() -> None:
    said = line("map", "--trust", "--trust", "--set", "a=1", "--set", "b=2")
    assert "Missing option" in said


MAP = ("map", "--labels", "l.tif", "--legend", "igbp", "--out", "o")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            (*MAP, "--s1", "a.tif", "--s2-bands", "B02"),
            "--s2-bands works with --s2; give --s2",
        ),
        (
            (*MAP, "--s1", "a.tif", "--s2-offset", "0"),
            "--s2-offset works with --s2; give --s2",
        ),
        (
            (*MAP, "--s1", "a.tif", "--s2-mask", "m.tif"),
            "--s2-mask works with --s2; give --s2",
        ),
        (
            (*MAP, "--s2", "a.tif", "--s2-hidden", "3"),
            "--s2-hidden works with --s2-m",
        ),
        ((*MAP, "--s2", "a.tif", "--s1-units", "db"), "--s1-units works with --s1"),
        (
            (*MAP, "--s2", "a.tif", "--image", "s2=b.toml:b.tif"),
            "an image s2 of another sensor already",
        ),
        (
            (*MAP, "--image", "x=b.toml:b.tif", "--image", "x=b.toml:c.tif"),
            "b.tif: one of several files of x, and nothing says when it was seen; "
            "say it, as --image x=SENSOR:2024-05-03=b.tif",
        ),
        ((*MAP, "--s2", "a.tif", "--frozen"), "--frozen: give --start"),
        (
            (*MAP, "--s2", "a.tif", "--set", "name=forest"),
            "--set name: --method says it",
        ),
        (
            (*MAP, "--s2", "a.tif", "--prior", "p.tif", "--method", "forest"),
            "--prior is for --method weak, not forest",
        ),
        (
            (*MAP, "--s2", "a.tif", "--prior", "p.tif", "--set", "prior=x"),
            "--set prior: --prior says it",
        ),
        (
            (*MAP, "--s2", "a.tif", "--set", "trees=1", "--set", "trees=2"),
            "--set trees=2: trees is given twice",
        ),
        (
            (*MAP, "--s2", "a.tif", "--set", "model={name: fcn, name: unet}"),
            "the key name is given twice",
        ),
        (
            (
                *MAP,
                "--s2",
                "a.tif",
                "--method",
                "network",
                "--start",
                "a",
                "--set",
                "start=b",
            ),
            "--start a: the method starts from b already",
        ),
        (
            ("predict", "r", "--s1", "a", "--out", "o", "--weights", "2,1"),
            "give --with",
        ),
        (
            ("predict", "r", "--with", "r", "--s1", "a", "--out", "o"),
            "--with r: given tw",
        ),
        (
            ("pseudo", "r", "--s1", "a", "--out", "o", "--official-legend", "igbp"),
            "--official-legend works with --official",
        ),
        (
            (
                "sample",
                "m.tif",
                "--size",
                "9",
                "--standard-error",
                "0.1",
                "--out",
                "o.csv",
            ),
            "--standard-error: --size says how many",
        ),
        (
            (
                "sample",
                "m.tif",
                "--expected",
                "A=.8",
                "--expected",
                "A=.7",
                "--out",
                "o.csv",
            ),
            "--expected A=.7: given twice",
        ),
        (
            (
                "pretrain",
                "a",
                "--steps",
                "5",
                "--set",
                "schedule={steps: 9}",
                "--out",
                "o",
            ),
            "--steps: --set schedule has steps too",
        ),
        (("calibrate", "out", "s.csv", "--by-class"), "--by-class: give --sets too"),
    ],
)
def test_what_nothing_would_read_is_refused(words: tuple[str, ...], says: str) -> None:
    assert says in line(*words)


@pytest.mark.parametrize("name", ["legend", "nodata", "column"])
def test_how_to_read_a_reference_that_is_not_given(name: str) -> None:
    for words in (
        (*MAP, "--s2", "a.tif"),
        ("predict", "r", "--s2", "a.tif", "--out", "o"),
    ):
        assert f"--reference-{name} works with --reference" in line(
            *words, f"--reference-{name}", "1"
        )


def test_a_key_twice_in_a_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    head = "data: {images: {s2: {path: a.tif, sensor: sentinel-2}}}\n"
    path.write_text(head + "seed: 1\nseed: 2\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"plan.yaml: .*the key seed is given twice"):
        read_plan(path)
    images = "{s1: &a {path: a.tif, sensor: sentinel-1}, s2: {<<: *a, path: b.tif}}"
    path.write_text(f"data: {{images: {images}}}\n", encoding="utf-8")
    assert read_plan(path).data.images["s2"].path == str(tmp_path / "b.tif")


def test_a_seed_of_the_schedule_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    text = "data: {images: {s2: {path: a.tif, sensor: sentinel-2}}}\n"
    text += "method: {name: network, schedule: {steps: 5, seed: 5}}\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="schedule: seed is 5, and is not read here"):
        read_plan(path)
    assert Network().schedule.seed == 0


def test_a_column_twice_in_a_legend_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "legend.csv"
    path.write_text("code,name,colour,name\n1,A,000000,B\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"legend.csv: the column name occurs twice"):
        load_legend(path)


NUMBERS = [
    (("calibrate", "out", "s.gpkg"), "--sets"),
    (("polygons", "map.tif", "--out", "p.gpkg"), "--mmu"),
    (("sample", "map.tif", "--out", "s.gpkg"), "--standard-error"),
    (("export", "run", "--out", "n.onnx"), "--pixel"),
    (("simulate", "--out", "w"), "--cloud"),
]


@pytest.mark.parametrize(("words", "option"), NUMBERS)
@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "one"])
def test_numbers_are_finite(words: tuple[str, ...], option: str, number: str) -> None:
    said = line(*words, option, number)
    assert option in said or option.strip("-").replace("-", "_") in said


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("map", "--s2"), "'--s2'"),
        (("map", "--out"), "'--out'"),
        (("predict", "run", "--grid"), "'--grid'"),
        (("inspect",), "FILES"),
        (("view",), "OUT"),
        (("assess", "map.tif"), "SAMPLE"),
    ],
)
@pytest.mark.parametrize(
    ("name", "says"),
    [("", "is no name"), ("a\0b", "is no name"), ("caf\udce9.tif", "no text in UTF-8")],
)
def test_what_is_no_name_is_refused_by_its_option(
    words: tuple[str, ...], names: str, name: str, says: str
) -> None:
    said = line(*words, name)
    assert says in said
    assert names.lower() in said.lower() or words[0] == "assess"


def test_bytes_that_are_no_text_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    say("caf\udce9.tif: no such file")
    show({"file": "caf\udce9.tif"})
    shown = capsys.readouterr()
    assert shown.err == "caf\\udce9.tif: no such file\n"
    assert "caf\\udce9.tif" in shown.out
