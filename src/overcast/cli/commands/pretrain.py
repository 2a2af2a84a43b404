"""`overcast pretrain`: an encoder from images that nobody has labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from overcast.cli.arguments import settings_of
from overcast.cli.option_types import FILE
from overcast.cli.option_values import WritingOptions
from overcast.cli.options import HELP, Command, threads, writing
from overcast.cli.showing import bar, report


class PretrainOptions(WritingOptions):
    """Values of the options of `overcast pretrain`."""

    worlds: int | None
    steps: int | None
    settings: tuple[str, ...]
    seed: int


@click.command(cls=Command, context_settings=HELP)
@click.argument("images", type=FILE, nargs=-1)
@click.option(
    "--worlds",
    type=int,
    metavar="N",
    help="Learn from N simulated scenes of all seasons and their true classes, and from "
    "no IMAGES. For --set 'recipe={name: contrast}', from their images alone.",
)
@click.option(
    "--steps", type=click.IntRange(1), help="Training steps.  [default: 2000]"
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the network, as YAML: --set 'model={name: unet}', "
    "--set 'recipe={fusion: late}', --set window=128.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@threads
@writing
def command(images: tuple[Path, ...], **given: Unpack[PretrainOptions]) -> None:
    """Learn an encoder from images without labels, or from simulated scenes.

    IMAGES are plans, files with S1 or S2 in their names, or folders of such files. Files
    whose names differ in S1 and S2 only are of one scene. Writes a run to --out, for
    --start of overcast map and overcast train. Give the command again to continue
    one that was stopped.

    \b
    Example:
      overcast pretrain scenes/ --out pretrained/
      overcast map --s1 s1.tif --s2 s2.tif --labels few.gpkg --legend worldcover \\
          --start pretrained/ --out map/
      overcast pretrain --worlds 48 --out pretrained/
    """
    from overcast.jobs.pretraining import pretrain, pretrain_on_worlds

    worlds = given["worlds"]
    if (worlds is None) == (not images):
        raise click.UsageError(
            "give IMAGES to learn from, or --worlds with their number, and not both"
        )
    settings = settings_of(given["settings"])
    if given["steps"] is not None:
        schedule = settings.get("schedule", {})
        if not isinstance(schedule, dict):
            raise ValueError(
                f"--set schedule={schedule}: expected keys and values, such as "
                "{steps: 500}"
            )
        if "steps" in schedule:
            raise ValueError("--steps: --set schedule has steps too; leave one out")
        settings["schedule"] = {**schedule, "steps": given["steps"]}
    where = given["out"], settings, given["seed"], given["overwrite"]
    with bar() as progress:
        if worlds is None:
            made = pretrain(images, *where, progress)
        else:
            made = pretrain_on_worlds(worlds, *where, progress)
    report(made)
