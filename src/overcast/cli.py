"""The command line: parse, call, print. Results go to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from overcast import __version__

_FILE = click.Path(path_type=Path)
_COMMAND = {"context_settings": {"help_option_names": ["-h", "--help"]}}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def commands() -> None:
    """Land-cover maps from SAR and optical imagery with imperfect labels.

    \b
    Example: a map at 10 m from a coarse map of the same area
      overcast map --s2 s2.tif --s1 s1.tif --labels coarse.tif \\
          --legend worldcover --out out/

    Try it without any data: overcast demo --out demo/
    """


def main() -> None:
    """Run a command; a wrong input is one line on standard error and exit code 2."""
    try:
        commands.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _fail(error.format_message())
    except (ValueError, OSError) as error:
        _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        _say("stopped; the same command goes on from here")
        sys.exit(130)


def _fail(message: str) -> None:
    _say(f"overcast: error: {' '.join(message.split())}")
    sys.exit(2)


def _say(message: str) -> None:
    click.echo(message, err=True)


def _print(result: Any) -> None:
    click.echo(json.dumps(result, indent=2, ensure_ascii=False))


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator, in the order in which help shows them."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_images = _options(
    click.option("--s1", type=_FILE, help="Sentinel-1 backscatter, VV and VH."),
    click.option("--s2", type=_FILE, help="Sentinel-2 reflectance, L2A or L1C."),
    click.option(
        "--image",
        "others",
        multiple=True,
        metavar="NAME=SENSOR.toml:FILE",
        help="An image of another sensor, described in a TOML file; may be repeated.",
    ),
    click.option(
        "--s1-units",
        type=click.Choice(["auto", "db", "linear"]),
        default="auto",
        show_default=True,
        help="What --s1 is stored in.",
    ),
    click.option(
        "--s2-offset",
        type=int,
        help="Offset of the product, 0 or -1000.  [default: noticed]",
    ),
    click.option(
        "--s2-bands",
        metavar="B02,B03,...",
        help="Bands of --s2 in order, where the file does not name them.",
    ),
    click.option(
        "--trust", is_flag=True, help="Take units and offset as said, unchecked."
    ),
    click.option("--grid", type=_FILE, help="Raster whose grid is mapped, whole."),
)
_reference = _options(
    click.option("--reference", type=_FILE, help="Class raster to score against."),
    click.option("--reference-legend", help="Its legend, if not the map's."),
    click.option("--reference-nodata", type=int, help="Its code for no data."),
)
_writing = _options(
    click.option("--out", type=_FILE, required=True, help="Folder to write to."),
    click.option("--overwrite", is_flag=True, help="Replace what is there."),
)


def _data(given: dict[str, Any]) -> Any:
    from overcast.plan import Data, ImageInput

    images: dict[str, ImageInput] = {}
    if given["s1"]:
        images["s1"] = ImageInput(
            path=_absolute(given["s1"]), sensor="sentinel-1", units=given["s1_units"]
        )
    if given["s2"]:
        bands = given["s2_bands"]
        images["s2"] = ImageInput(
            path=_absolute(given["s2"]),
            sensor="sentinel-2",
            offset=given["s2_offset"],
            bands=None if bands is None else tuple(bands.split(",")),
        )
    for text in given["others"]:
        name, _, rest = text.partition("=")
        sensor, _, path = rest.partition(":")
        if not (name and sensor and path):
            raise ValueError(f"--image {text}: expected NAME=SENSOR.toml:FILE")
        images[name] = ImageInput(
            path=_absolute(Path(path)), sensor=_absolute(Path(sensor))
        )
    grid = given["grid"]
    return Data(
        images=images,
        grid=None if grid is None else _absolute(grid),
        trust=given["trust"],
    )


def _absolute(path: Path) -> str:
    return str(path.resolve())


def _against(given: dict[str, Any]) -> Any:
    from overcast.run import Reference

    if given["reference"] is None:
        return None
    return Reference(
        given["reference"], given["reference_legend"], given["reference_nodata"]
    )


@commands.command("map", **_COMMAND)
@_images
@click.option("--labels", type=_FILE, required=True, help="Raster of class codes.")
@click.option(
    "--legend",
    required=True,
    help="igbp, simplified-igbp, worldcover, esri, dynamic-world, nlcd, corine, "
    "openearthmap, whu-opt-sar, or a CSV of code,name,colour.",
)
@click.option("--labels-nodata", type=int, help="Code of --labels for not known.")
@click.option("--method", help="shares, forest, kmeans or network.  [default: shares]")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the method, as YAML: --set trees=300.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@_reference
@_writing
def map_(**given: Any) -> None:
    """Learn from the labels of an area, and map it.

    Writes map.tif, confidence.tif, report.html and run/; with --reference scores.json
    too. A run that was stopped goes on when the same command is given again.

    \b
    Example:
      overcast map --s2 s2.tif --s1 s1.tif --labels modis.tif --legend igbp --out out/
    """
    from overcast.mapping import make_map
    from overcast.plan import LabelInput, Plan, replace_labels

    labels = LabelInput(
        path=_absolute(given["labels"]),
        legend=_legend(given["legend"]),
        nodata=given["labels_nodata"],
    )
    method = {"name": given["method"] or "shares", **_settings(given["settings"])}
    plan = Plan(
        data=replace_labels(_data(given), labels), method=method, seed=given["seed"]
    )
    with _bar() as progress:
        made = make_map(
            plan, given["out"], _against(given), given["overwrite"], progress
        )
    _report(made)


def _legend(name: str) -> str:
    return _absolute(Path(name)) if Path(name).is_file() else name


def _settings(texts: tuple[str, ...]) -> dict[str, Any]:
    import yaml

    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: expected KEY=VALUE")
        found[key] = yaml.safe_load(value)
    return found


def _report(made: Any) -> None:
    for note in made.notes:
        _say(f"note: {note}")
    _print(made.summary)


@commands.command(**_COMMAND)
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(files: tuple[Path, ...], as_json: bool) -> None:
    """Say what each file is, how it lies on the first one's grid, what looks wrong.

    \b
    Example:
      overcast inspect s2.tif s1.tif coarse.tif
    """
    from overcast.geo.inspect import inspect_files, to_text

    found = inspect_files(list(files))
    _print(found) if as_json else click.echo(to_text(found))


@commands.command(**_COMMAND)
@click.argument("plan", type=_FILE)
@click.option("--out", type=_FILE, help="Folder for run/.  [default: PLAN's name]")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def train(plan: Path, out: Path | None, overwrite: bool) -> None:
    """Carry out the learning that a plan describes; going on where it was stopped.

    `overcast map` leaves a plan in OUT/run/plan.yaml to start from.

    \b
    Example:
      overcast train plan.yaml --out trained/
    """
    from overcast.mapping import train_only
    from overcast.plan import read_plan

    with _bar() as progress:
        made = train_only(
            read_plan(plan), out or plan.with_suffix(""), overwrite, progress
        )
    _report(made)


@commands.command(**_COMMAND)
@click.argument("run", type=_FILE)
@_images
@_reference
@_writing
def predict(run: Path, **given: Any) -> None:
    """Map an area with a run that was trained before, there or elsewhere.

    \b
    Example:
      overcast predict out/run --s2 other_s2.tif --s1 other_s1.tif --out other/
    """
    from overcast.mapping import map_elsewhere

    with _bar() as progress:
        made = map_elsewhere(
            run,
            _data(given),
            given["out"],
            _against(given),
            given["overwrite"],
            progress,
        )
    _report(made)


@commands.command(**_COMMAND)
@click.argument("mapped", metavar="MAP", type=_FILE)
@click.argument("reference", type=_FILE)
@click.option("--legend", help="Legend of MAP, if overcast did not make it.")
@click.option("--reference-legend", help="Legend of REFERENCE, if not that of MAP.")
@click.option("--reference-nodata", type=int, help="REFERENCE's code for no data.")
@click.option("--out", type=_FILE, help="Also write the scores to this JSON file.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def assess(mapped: Path, reference: Path, **given: Any) -> None:
    """Score a class map against a reference map; prints JSON.

    \b
    Example:
      overcast assess out/map.tif truth.tif --out scores.json
    """
    from overcast.assess import assess_files

    with _bar() as progress:
        found = assess_files(mapped, reference, progress=progress, **given)
    _print(found)


@commands.command(**_COMMAND)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--size", type=int, default=512, show_default=True, help="Pixels of 10 m."
)
@click.option(
    "--labels",
    multiple=True,
    default=("modis",),
    show_default=True,
    help="Kind of imperfect labels, repeatable: modis (500 m), corine (100 m), "
    "worldcover (10 m), points, polygons, outdated, pseudo.",
)
@click.option("--cloud", type=float, help="Also write s2 with this share under cloud.")
@_writing
def simulate(
    seed: int,
    size: int,
    labels: tuple[str, ...],
    cloud: float | None,
    out: Path,
    overwrite: bool,
) -> None:
    """Write a simulated scene with known truth: s1.tif, s2.tif, labels.tif, truth.tif.

    \b
    Examples:
      overcast simulate --seed 7 --size 512 --out world/
      overcast simulate --seed 7 --labels modis --labels corine --cloud 0.6 --out world/
    """
    from overcast.worlds.files import write_world
    from overcast.worlds.scene import Wanted

    wanted = Wanted(labels, cloud)
    with _bar() as progress:
        paths = write_world(
            seed, size, out, wanted, overwrite=overwrite, progress=progress
        )
    _print({name: str(path) for name, path in paths.items()})


@commands.command(**_COMMAND)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option(
    "--size", type=int, default=512, show_default=True, help="Pixels of 10 m."
)
@click.option("--method", help="shares, forest, kmeans or network.  [default: shares]")
@_writing
def demo(seed: int, size: int, method: str | None, out: Path, overwrite: bool) -> None:
    """Run the main job on a simulated scene, and score it against the truth.

    \b
    Example:
      overcast demo --out demo/
    """
    from overcast.mapping import make_demo

    with _bar() as progress:
        made = make_demo((seed, size), out, method, overwrite, progress)
    _report(made)


def _bar() -> Any:
    from overcast.bar import Bar

    return Bar()


if __name__ == "__main__":
    main()
