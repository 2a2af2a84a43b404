"""Options that several commands share, and what a command is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import click

from overcast.cli import option_types
from overcast.runtimes import NAMES
from overcast.runtimes import use as use_runtime
from overcast.threads import keep_memory, use

T = TypeVar("T", bound=Callable[..., object] | click.Command)

FILE, SOURCE = option_types.FILE, option_types.SOURCE
"""A file or folder of this machine; a raster or vector file, wherever it lies."""
HELP = {"help_option_names": ["-h", "--help"]}
"""Settings of every command."""


class Option(Protocol):
    """A decorator that adds an option to a command, or several options."""

    def __call__(self, command: T, /) -> T:
        """Add it."""
        ...


class Command(click.Command):
    """A command that refuses an option given twice: the first would be passed over."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as click does, unless an option that takes one value has two."""
        if not ctx.resilient_parsing:
            order = self.make_parser(ctx).parse_args(list(args))[2]
            for option in dict.fromkeys(order):
                if order.count(option) > 1 and _takes_one(option):
                    raise click.UsageError(_twice(option, args), ctx)
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


def _takes_one(parameter: click.Parameter) -> bool:
    """Return whether a parameter is an option of one value."""
    if not isinstance(parameter, click.Option):
        return False
    return not (parameter.multiple or parameter.is_flag or parameter.count)


def _twice(option: click.Parameter, args: list[str]) -> str:
    values = []
    for word, following in zip(args, [*args[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in option.opts:
            values.append(value if equals else following)
    shown = ", ".join(values)
    return f"{option.opts[0]}: given {len(values)} times ({shown}), expected once"


def _use(context: click.Context, option: click.Parameter, number: int | None) -> None:
    use(number)
    keep_memory()


def _carry_out(
    context: click.Context, option: click.Parameter, name: str | None
) -> None:
    use_runtime(name or "auto")


def several(*options: Option) -> Option:
    """Several options as one decorator, in the order in which help shows them."""

    def add(command: T) -> T:
        for option in reversed(options):
            command = option(command)
        return command

    return add


images = several(
    click.option(
        "--s1",
        type=SOURCE,
        multiple=True,
        metavar="[DATE=]FILE",
        help="Sentinel-1 backscatter: a raster with VV and VH, or a folder of both. "
        "Repeat it for several dates.",
    ),
    click.option(
        "--s2",
        type=SOURCE,
        multiple=True,
        metavar="[DATE=]FILE",
        help="Sentinel-2 reflectance, L2A or L1C: a raster, a .SAFE folder, its zip, or a "
        "folder of bands. Addresses work too (https://, s3://, zip://, /vsi...). For "
        "several dates, repeat it, or give a folder or a pattern.",
    ),
    click.option(
        "--image",
        "others",
        multiple=True,
        metavar="NAME=SENSOR:FILE",
        help="An image of another sensor, which a TOML file describes (or sentinel-1 or "
        "sentinel-2). May be repeated: one NAME for several dates.",
    ),
    click.option(
        "--s1-units",
        type=click.Choice(["auto", "db", "linear", "amplitude"]),
        default="auto",
        show_default=True,
        help="Units of --s1.",
    ),
    click.option(
        "--s2-offset",
        type=int,
        help="Offset of the product, 0 or -1000.  [default: by the values]",
    ),
    click.option(
        "--s2-bands",
        metavar="B02,B03,...",
        help="Bands of --s2 in order, if the file does not name them.",
    ),
    click.option(
        "--s2-mask",
        type=SOURCE,
        multiple=True,
        metavar="[DATE=]FILE",
        help="Scene classification (SCL) or another cloud mask of --s2, or none for no "
        "mask. Repeat it for several dates.  [default: the SCL of a product, or beside "
        "a file: s2_DATE_scl.tif or scl_DATE.tif]",
    ),
    click.option(
        "--mask-dilation",
        type=click.FloatRange(0, 10_000),
        metavar="METRES",
        help="Also hide pixels this near to hidden ones.  [default: 40 with SCL, 0 with "
        "--s2-hidden]",
    ),
    click.option(
        "--s2-hidden",
        metavar="CODE,...",
        help="Codes of --s2-mask that hide the ground.  [default: 0,1,3,8,9,10 of SCL]",
    ),
    click.option(
        "--trust",
        is_flag=True,
        help="Don't check the units and the offset that you give.",
    ),
    click.option("--grid", type=SOURCE, help="Map the whole grid of this raster."),
    click.option(
        "--allow-small-overlap",
        "small_overlap",
        is_flag=True,
        help="Map even if the inputs overlap on less than a tenth of the first image.",
    ),
    click.option(
        "--register",
        is_flag=True,
        help="Move images that lie a pixel or more beside the first optical one.",
    ),
)
labels = several(
    click.option(
        "--labels",
        type=SOURCE,
        required=True,
        multiple=True,
        metavar="FILE[|KEY=VALUE...]",
        help="Raster of class codes, or polygons or points with a class: a file, an "
        "address, or a layer as FILE|layername=LAYER.  Repeat it for several sources. "
        "KEY is a setting of one source: legend, column, nodata, accuracy, or crosswalk, "
        "a CSV of source,target.",
    ),
    click.option(
        "--legend",
        help="Legend of the map, and of --labels that name no legend: igbp, "
        "simplified-igbp, worldcover, esri, dynamic-world, nlcd, corine, "
        "openearthmap, whu-opt-sar, or a CSV of code,name,colour.",
    ),
    click.option(
        "--labels-nodata",
        multiple=True,
        metavar="CODE,...",
        help="Codes in --labels for no data, besides the nodata tag; may be repeated.",
    ),
    click.option(
        "--labels-column",
        help="Column of codes or names, if --labels has polygons or points.  "
        "[default: class]",
    ),
    click.option(
        "--prior",
        type=SOURCE,
        help="Class probabilities of this scene by a run of other scenes (overcast predict "
        "RUN --probabilities).",
    ),
    click.option(
        "--method",
        help="weak, forest, kmeans, network, or FILE.py:CLASS.  [default: weak]",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting of the method, as YAML: --set trees=300.",
    ),
    click.option("--seed", type=int, default=0, show_default=True),
)
place = several(
    click.option(
        "--labels-accuracy",
        metavar="SHARE|PRODUCT|CSV",
        help="Share of pixels on which --labels are right: 0.85, a product of published "
        "accuracy, or a CSV of class,accuracy.",
    ),
    click.option(
        "--anchors",
        type=FILE,
        help="20 to 200 points of known class, to decide how far labels are trusted.",
    ),
    click.option(
        "--anchors-column",
        help="Column of codes or names of --anchors.  [default: class, or reference]",
    ),
    click.option(
        "--place/--no-place",
        default=None,
        help="Use the place of labels as evidence, or only what pixels look like.  "
        "[default: with method weak, as far as labels and images agree]",
    ),
)
"""How labels count as evidence of place."""
start = several(
    click.option(
        "--start",
        metavar="RUN|NAME",
        help="Weights to start a network from: a run, or the name of published weights.",
    ),
    click.option(
        "--frozen",
        is_flag=True,
        help="Keep the weights from --start, and learn the rest.",
    ),
)
reading = several(
    click.option(
        "--reference-legend", help="Legend of the reference, if not the map's."
    ),
    click.option(
        "--reference-nodata",
        multiple=True,
        metavar="CODE,...",
        help="Codes of the reference for no data, besides the nodata tag; may be repeated.",
    ),
    click.option(
        "--reference-column",
        help="Column of codes or names, if the reference has polygons or points.  "
        "[default: reference]",
    ),
)
"""How a file of known classes is to be read."""
reference = several(
    click.option(
        "--reference",
        type=SOURCE,
        help="Class raster, polygons or points to score against.",
    ),
    reading,
)
probabilities = click.option(
    "--probabilities",
    is_flag=True,
    help="Also write the probability of every class, uint8, to probabilities.tif.",
)
ensemble = several(
    click.option(
        "--with",
        "also",
        type=FILE,
        multiple=True,
        metavar="RUN",
        help="Another run to average with; may be repeated.",
    ),
    click.option(
        "--weights",
        metavar="W,W,...",
        help="Weights of RUN and of every --with.  [default: equally]",
    ),
)


def views(default: int) -> Option:
    """Option of how many views of every window are averaged."""
    return click.option(
        "--views",
        type=int,
        default=default,
        show_default=True,
        help="Views of every window to average: 1, 8 (turned, mirrored) or 24 (at "
        "three scales as well).",
    )


tables = several(
    click.option(
        "--table",
        type=FILE,
        help="Also write the table to this .csv, or this .md with sentences for a report.",
    ),
    click.option(
        "--json",
        is_flag=True,
        help="Print JSON, also on a terminal.",
    ),
)
"""How a result is shown; for `present`."""
threads = click.option(
    "--threads",
    type=click.IntRange(1),
    metavar="N",
    expose_value=False,
    callback=_use,
    help="Cores to use.  [default: all that this process may use]",
)
runtime = click.option(
    "--runtime",
    type=click.Choice(NAMES),
    expose_value=False,
    callback=_carry_out,
    help="Library that runs a network on a CPU; auto is openvino for large maps, if it "
    "is installed.  [default: auto]",
)
writing = several(
    click.option("--out", type=FILE, required=True, help="Folder to write to."),
    click.option("--overwrite", is_flag=True, help="Replace existing output."),
)
