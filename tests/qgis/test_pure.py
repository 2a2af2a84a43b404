"""What the plugin does without QGIS: words, programs, progress, pages, order."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.qgis.plugin import module

arguments, executable = module("arguments"), module("executable")
judging, process, results = module("judging"), module("process"), module("results")
ALGORITHMS = {a["id"]: a for a in arguments.read_table()}
posix = pytest.mark.skipif(sys.platform == "win32", reason="writes shell scripts")


def words(name: str, **values: Any) -> list[str]:
    made: list[str] = arguments.words_of(ALGORITHMS[name], values)
    return made


def test_words_are_those_of_the_command_line() -> None:
    assert words("map", S2=["/d/s2.tif", "/d/s3.tif"], LABELS=["/d/l.gpkg|layername=a"],
                 LEGEND="igbp", OUT="/o", OVERWRITE=True, PROBABILITIES=False) == [
        "map", "--s2=/d/s2.tif", "--s2=/d/s3.tif", "--labels=/d/l.gpkg|layername=a",
        "--legend=igbp", "--out=/o", "--overwrite", "--",
    ]  # fmt: skip
    assert words("suggest", OUT="p.gpkg", COUNT=5)[:2] == ["labels", "suggest"]


def test_places_come_last_and_defaults_are_left_to_overcast() -> None:
    assert words(
        "change", BEFORE="/a", AFTER="/b", OUT="/c", PROBABILITY=0.5, MMU=2.0
    ) == ["change", "--mmu=2", "--out=/c", "--json", "--", "/a", "/b"]


def test_a_box_west_of_greenwich_is_no_option() -> None:
    assert "--bbox=-5.2,48,-5,49" in words("map", BBOX="-5.2,48,-5,49", OUT="/o")


def test_a_switch_has_two_names_and_none() -> None:
    assert "--place" in words("map", OUT="/o", PLACE="yes")
    assert "--no-place" in words("map", OUT="/o", PLACE="no")
    assert not {"--place", "--no-place"} & set(words("map", OUT="/o", PLACE=""))


def test_further_options_are_split_as_a_shell_does() -> None:
    made = words("map", OUT="/o", EXTRA="--set 'recipe={a: 1}' --s2 x.SAFE")
    assert made[-5:] == ["--set", "recipe={a: 1}", "--s2", "x.SAFE", "--"]
    with pytest.raises(ValueError, match="Further options: No closing quotation"):
        words("map", OUT="/o", EXTRA="--set 'x")


def test_what_is_needed_is_asked_for() -> None:
    with pytest.raises(ValueError, match="Map: give a value"):
        words("sample", OUT="s.gpkg")


def test_overcast_itself_takes_the_words(tmp_path: Path) -> None:
    """The program refuses a missing file, and no option or place before that."""
    from click.testing import CliRunner

    from overcast.cli import program

    made = words("sample", MAPPED=str(tmp_path / "no.tif"), OUT="s.gpkg", SIZE=100)
    done = CliRunner().invoke(program, made)
    assert "no.tif" in str(done.exception)


def test_sources_of_layers_are_files() -> None:
    of = arguments.file_of_source
    assert of("/d/a.gpkg|layername=towns|layerid=2") == "/d/a.gpkg|layername=towns"
    assert of("/d/a.shp|layerid=0") == "/d/a.shp"


def program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@posix
@pytest.mark.parametrize(
    "place",
    [
        ".local/bin/overcast",
        ".local/share/pipx/venvs/overcast/bin/overcast",
        ".local/pipx/venvs/overcast/bin/overcast",
        ".local/share/uv/tools/overcast/bin/overcast",
        "miniforge3/envs/land/bin/overcast",
        "anaconda3/bin/overcast",
    ],
)
def test_overcast_is_found_where_installers_put_it(tmp_path: Path, place: str) -> None:
    made = program(tmp_path / place)
    assert executable.find("", {"PATH": ""}, tmp_path, windows=False) == made


def test_on_windows_pipx_and_conda_have_other_folders(tmp_path: Path) -> None:
    made = program(tmp_path / "pipx/venvs/overcast/Scripts/overcast.exe")
    assert executable.find("", {"PATH": ""}, tmp_path, windows=True) == made


@posix
def test_conda_lists_its_environments(tmp_path: Path) -> None:
    made = program(tmp_path / "elsewhere/env/bin/overcast")
    listed = tmp_path / ".conda/environments.txt"
    listed.parent.mkdir()
    listed.write_text(f"{tmp_path}/gone\n{made.parents[1]}\n", encoding="utf-8")
    assert executable.find("", {"PATH": ""}, tmp_path, windows=False) == made


@posix
def test_the_setting_comes_before_path_and_may_be_a_folder(tmp_path: Path) -> None:
    on_path = program(tmp_path / "path/overcast")
    own = program(tmp_path / "env/bin/overcast")
    variables = {"PATH": str(on_path.parent)}
    assert executable.find("", variables, tmp_path, windows=False) == on_path
    for said in (own, own.parent, own.parents[1]):
        assert executable.find(str(said), variables, tmp_path, windows=False) == own


def test_nothing_found_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"not found\. Install it with `pipx install"):
        executable.find("", {"PATH": ""}, tmp_path)
    with pytest.raises(LookupError, match="which the settings names"):
        executable.find(str(tmp_path / "no"), {"PATH": ""}, tmp_path)


@posix
def test_what_qgis_sets_for_itself_stays_with_it(tmp_path: Path) -> None:
    made = program(tmp_path / "env/bin/overcast")
    variables = {
        "PYTHONHOME": "/qgis",
        "GDAL_DATA": "/qgis",
        "HOME": "/h",
        "PATH": "/p",
    }
    seen = executable.environment(made, variables)
    assert {"PYTHONHOME", "GDAL_DATA"}.isdisjoint(seen)
    assert seen["HOME"] == "/h"
    assert seen["PATH"].split(os.pathsep) == [str(made.parent), "/p"]


def test_lines_of_progress_are_told_from_others() -> None:
    assert process.step_of("mapping: 3 of 12") == ("mapping", 0.25)
    assert process.step_of("training: 5 of 10 loss 0.3") == ("training", 0.5)
    assert process.step_of("note: 3 of 12 points lie outside") is None
    assert process.step_of("note: the map has holes") is None


@posix
def test_a_run_gives_output_progress_and_notes(tmp_path: Path) -> None:
    made = program(
        tmp_path / "overcast",
        "import sys\n"
        "print('mapping: 1 of 2', file=sys.stderr)\n"
        "print('note: look', file=sys.stderr)\n"
        "print(sys.argv[1:])\n",
    )
    said: list[str] = []
    steps: list[Any] = []
    written = process.run(
        made, ["a", "b"], said.append, lambda *step: steps.append(step)
    )
    assert written == "['a', 'b']\n"
    assert said == ["note: look"]
    assert steps == [("mapping", 0.5)]


@posix
def test_a_failure_is_the_line_that_overcast_gave(tmp_path: Path) -> None:
    made = program(
        tmp_path / "overcast",
        "import sys\nsys.exit(print('overcast: error: a.tif: gone', file=sys.stderr) or 2)",
    )
    with pytest.raises(process.RunError, match=r"^a\.tif: gone$"):
        process.run(made, [])
    with pytest.raises(process.RunError, match="No such file"):
        process.run(tmp_path / "none", [])


@posix
def test_a_run_is_stopped_as_by_ctrl_c(tmp_path: Path) -> None:
    mark = tmp_path / "stopped"
    made = program(
        tmp_path / "overcast",
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n"
        "    print('begun', file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
        f"except KeyboardInterrupt:\n    open({str(mark)!r}, 'w').close()\n",
    )
    said: list[str] = []
    began = time.monotonic()
    with pytest.raises(process.StoppedError):
        process.run(made, [], said.append, stopped=lambda: bool(said))
    assert mark.exists()
    assert time.monotonic() - began < 10


@posix
def test_a_program_must_say_a_version(tmp_path: Path) -> None:
    assert process.version_of(program(tmp_path / "a", "print('0.1.0')")) == "0.1.0"
    with pytest.raises(process.RunError, match="not overcast"):
        process.version_of(program(tmp_path / "b", "print('hello')"))


def test_markdown_of_tables_is_a_page() -> None:
    page = results.to_html(
        "# Areas\n\nRight on 72 %.\n\n| class | ha |\n|---|---:|\n| A & B | 3 |\n", "T"
    )
    assert "<h1>Areas</h1><p>Right on 72 %.</p><table>" in page
    assert "<tr><th>class</th><th>ha</th></tr><tr><td>A &amp; B</td><td>3</td>" in page


def test_help_shows_texts_and_examples() -> None:
    page = results.help_html(ALGORITHMS["sample"])
    assert page.startswith(
        "<p>Draw points of a map, to estimate its accuracy from.</p>"
    )
    assert "<code>overcast sample out/map.tif --size 800 --out sample.gpkg<br>" in page
    assert "\\" not in results.help_html(ALGORITHMS["areas"])


def test_an_order_of_points_tells_nothing_of_strata() -> None:
    order = judging.order_of(range(1, 301))
    assert sorted(order) == list(range(1, 301))
    assert order == judging.order_of(reversed(range(1, 301)))
    # 100 points a stratum: the first 100 that are judged hold all three.
    strata = [(one - 1) // 100 for one in order[:100]]
    assert min(strata.count(s) for s in range(3)) > 20


def test_the_next_point_is_one_that_is_open() -> None:
    assert judging.next_open([5, 3, 8, 1], {3, 8}, 0) == 3
    assert judging.next_open([5, 3, 8, 1], {3, 8, 1}, 2) == 0
    assert judging.next_open([5, 3], {5, 3}, 0) is None
    assert judging.next_open([], {}, 0) is None


def test_classes_come_from_the_legend_of_a_sample() -> None:
    from overcast.geo.legend import legend_to_csv, load_legend

    legend = load_legend("worldcover")
    made = judging.classes_of(legend_to_csv(legend))
    assert made == [(c.code, c.name, f"#{c.colour.lower()}") for c in legend.classes]


def test_a_sample_is_known_by_its_fields() -> None:
    assert judging.is_sample(["id", "reference", "stratum", "stratum_pixels"])
    assert not judging.is_sample(["id", "reference"])


def test_what_the_form_hides_is_what_a_sample_says_of_strata() -> None:
    from overcast.accuracy import sample_form

    own = {v for k, v in vars(sample_form).items() if str(v).startswith("stratum")}
    assert own == set(judging.HIDDEN)
    assert sample_form.REFERENCE == judging.REFERENCE
    assert sample_form._FREE == judging.FREE
