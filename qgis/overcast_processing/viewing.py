"""overcast's viewer, which serves a page until QGIS ends."""

from __future__ import annotations

import atexit
import threading

from qgis.core import QgsProcessingException

from .algorithm import RESULT, CommandAlgorithm
from .arguments import words_of
from .process import RunError, end, start
from .settings import program
from .values import Reader

_SERVERS = []
"""Viewers that run."""


class ViewAlgorithm(CommandAlgorithm):
    """Starts the viewer, and gives its address; the page opens in the browser."""

    def processAlgorithm(self, parameters, context, feedback):  # noqa: N802
        reader = Reader(self, parameters, context, feedback)
        values = reader.all_of(self.entry["parameters"])
        try:
            child = start(program(), words_of(self.entry, values))
        except (LookupError, ValueError, RunError) as error:
            raise QgsProcessingException(str(error)) from error
        _SERVERS.append(child)
        # Lines of progress would fill the pipe, and the server would wait.
        said = []
        reader = threading.Thread(target=_drain, args=(child.stderr, said), daemon=True)
        reader.start()
        address = child.stdout.readline().strip()
        if not address:
            reader.join(5)
            errors = [line for line in said if "error:" in line] or ["it ended at once"]
            raise QgsProcessingException(errors[-1].split("error: ")[-1])
        feedback.pushInfo(f"{address} shows the map until QGIS ends")
        return {RESULT: address}


def _drain(stream, said):
    for line in stream:
        said.append(line.rstrip())


@atexit.register
def end_all():
    """End all viewers that were started."""
    while _SERVERS:
        end(_SERVERS.pop())
