"""The command line: finds commands by file name, and turns errors into one line."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules
from typing import NoReturn

import click

from overcast import __version__, threads
from overcast.cli import commands as command_files
from overcast.cli.options import HELP
from overcast.cli.showing import say
from overcast.errors import FAULT, INPUT, PIPE, STOPPED, explain
from overcast.extras import advice

_DEBUG = "OVERCAST_DEBUG"
"""Environment variable that shows tracebacks."""
_RESUMED = frozenset(
    (
        *("audit", "calibrate", "chain", "demo", "fetch", "map", "predict"),
        *("pretrain", "train"),
    )
)
"""Commands that go on where they were stopped."""


class _Commands(click.Group):
    """The files of `overcast.cli.commands`, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name for module in iter_modules(command_files.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"{command_files.__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings=HELP)
@click.version_option(__version__, message="%(version)s")
def program() -> None:
    """Land-cover maps from SAR and optical imagery with imperfect labels.

    \b
    Example: a map at 10 m from a coarse map of the same area
      overcast map --s2 s2.tif --s1 s1.tif --labels coarse.tif \\
          --legend worldcover --out out/

    Try it without any data: overcast demo --out demo/
    """


def main(command: click.Command = program) -> None:
    """Run a command; what goes wrong is one line and an exit code (docs/errors.md)."""
    # Files without a place are refused by name. rasterio's warning of its own arrays
    # leaks from threads that warp at once, since each restores the others' filters.
    warnings.filterwarnings("ignore", "Dataset has no geotransform")
    try:
        _end_gently()
        threads.prepare()
        command.main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(INPUT)
    except click.ClickException as error:
        _fail(INPUT, error.format_message())
    except (KeyboardInterrupt, click.Abort):
        say(_stopped())
        sys.exit(STOPPED)
    except BrokenPipeError:
        # Whoever read the output went away; Python would complain at its end too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PIPE)
    except Exception as error:
        code, line = _explained(error)
        if os.environ.get(_DEBUG):
            traceback.print_exception(error)
        elif code == FAULT:
            line = (
                f"{line} (a fault of overcast; please report it with {_saved(error)})"
            )
        _fail(code, line)


def _end_gently() -> None:
    """Let a request to end (SIGTERM) be what Ctrl-C is: what was made stays for later."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _explained(error: Exception) -> tuple[int, str]:
    """Exit code and line for an error, which may be an extra that is not installed."""
    if isinstance(error, ModuleNotFoundError):
        with suppress(ImportError):
            return INPUT, advice(error)
    return explain(error)


def _stopped() -> str:
    """Say what an interrupted command leaves."""
    if _RESUMED.isdisjoint(sys.argv[1:3]):
        return "stopped"
    return "stopped; the same command goes on from here"


def _saved(error: Exception) -> str:
    """Write the traceback of an error to a file; where it is."""
    text = "".join(traceback.format_exception(error))
    about = f"overcast {__version__}, {sys.argv[1:]}\n\n{text}"
    try:
        handle, path = tempfile.mkstemp(".txt", "overcast-fault-")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(about)
    except OSError:
        return f"what {_DEBUG}=1 shows"
    return path


def _fail(code: int, message: str) -> NoReturn:
    say(f"overcast: error: {' '.join(message.split())}")
    sys.exit(code)
