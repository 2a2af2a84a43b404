"""The command line: finds commands by file name, and turns errors into one line."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from pkgutil import iter_modules

import click

from overcast import __version__, threads
from overcast import commands as found
from overcast.extras import advice
from overcast.options import HELP, say


class _Commands(click.Group):
    """The files of `overcast.commands`, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name for module in iter_modules(found.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"{found.__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings=HELP)
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
    # Files without a place are refused by name. rasterio's warning of its own arrays
    # leaks from threads that warp at once, since each restores the others' filters.
    warnings.filterwarnings("ignore", "Dataset has no geotransform")
    try:
        threads.prepare()
        commands.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _fail(error.format_message())
    except (ValueError, OSError) as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        _fail(advice(error))
    except (KeyboardInterrupt, click.Abort):
        say("stopped; the same command goes on from here")
        sys.exit(130)


def _fail(message: str) -> None:
    say(f"overcast: error: {' '.join(message.split())}")
    sys.exit(2)


if __name__ == "__main__":
    main()
