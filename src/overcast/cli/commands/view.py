"""`overcast view`: look at a map and what it was made from, in a browser."""

from __future__ import annotations

import signal
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from overcast.cli.option_types import FILE
from overcast.cli.options import HELP, Command
from overcast.cli.showing import bar, say
from overcast.extras import advice


@click.command(cls=Command, context_settings=HELP)
@click.argument("folder", metavar="OUT", type=FILE)
@click.argument("other", metavar="[OTHER]", type=FILE, required=False)
@click.option(
    "--base",
    metavar="URL",
    help="Address of your own base map, such as https://server/{z}/{x}/{y}.png. Your "
    "browser loads it from there.  [default: none, and no network]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port on this machine.  [default: any free one]",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(
    folder: Path, other: Path | None, base: str | None, port: int, no_browser: bool
) -> None:
    """Look at a map over the imagery and the labels it was made from.

    Serves a page of the folder of `overcast map` or `change`, to this machine alone,
    until Ctrl-C. OTHER is the folder of another map, to compare with. The page loads
    nothing from the network, except a base map that you name, and writes nothing.

    \b
    Examples:
      overcast view out/
      overcast view out2018/ out2024/
      overcast view change/
    """
    try:
        from overcast.viewer.answers import library
        from overcast.viewer.scene import open_scene
        from overcast.viewer.server import ViewServer

        library()
    except ModuleNotFoundError as error:
        raise ValueError(f"the viewer: {advice(error)}") from error
    # Ended in whatever way, it takes its temporary files with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as held:
        with bar() as progress:
            scene = held.enter_context(
                open_scene(folder, progress, other=other, base=base)
            )
        for note in scene.notes:
            say(f"note: {note}")
        server = held.enter_context(ViewServer(scene, port))
        click.echo(server.address)
        say("Ctrl-C ends it")
        if not no_browser:
            click.launch(server.address)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
