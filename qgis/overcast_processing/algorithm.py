"""One algorithm of the toolbox for every entry of the table."""

from __future__ import annotations

import json
from pathlib import Path

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputHtml,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputString,
    QgsProcessingUtils,
)

from .arguments import words_of
from .layers import load_later, style_later
from .process import RunError, StoppedError, run
from .results import help_html, layers_of, to_html
from .settings import icon, program
from .values import Reader, extra_parameter, parameter_of

RESULT, PAGE = "RESULT", "PAGE"
"""Outputs: what the command printed, and a page for the results viewer."""


class CommandAlgorithm(QgsProcessingAlgorithm):
    """A command of overcast.

    Parameters
    ----------
    entry
        Entry of `arguments.read_table`.
    """

    def __init__(self, entry):
        super().__init__()
        self.entry = entry

    def createInstance(self):  # noqa: N802
        return type(self)(self.entry)

    def name(self):
        return self.entry["id"]

    def displayName(self):  # noqa: N802
        return self.entry["title"]

    def group(self):
        return self.entry["group"]

    def groupId(self):  # noqa: N802
        return self.entry["group"].lower().replace(" ", "_")

    def icon(self):
        return icon()

    def shortHelpString(self):  # noqa: N802
        return help_html(self.entry)

    def shortDescription(self):  # noqa: N802
        return self.entry["help"].splitlines()[0]

    def initAlgorithm(self, configuration=None):  # noqa: N802
        for parameter in self.entry["parameters"]:
            self.addParameter(parameter_of(parameter))
        self.addParameter(extra_parameter())
        for file, title in self.entry["loads"]:
            output = Path(file).stem.upper()
            self.addOutput(QgsProcessingOutputRasterLayer(output, title))
        self.addOutput(QgsProcessingOutputString(RESULT, "Result (JSON or text)"))
        if self.entry["page"] or self._has_table():
            self.addOutput(QgsProcessingOutputHtml(PAGE, self.displayName()))

    def processAlgorithm(self, parameters, context, feedback):  # noqa: N802
        reader = Reader(self, parameters, context, feedback)
        values = reader.all_of(self.entry["parameters"])
        table = self._table(values)
        written = self.command(values, feedback)
        results = {RESULT: written.strip()}
        for parameter in self.entry["parameters"]:
            if parameter["kind"].startswith("to_"):
                path = values[parameter["name"]]
                results[parameter["name"]] = path
                style_later(str(path), context)
        self._open_folder(values, context, results)
        if table is not None:
            results[PAGE] = self._show(table, feedback)
        elif written.strip():
            feedback.pushInfo(_plain(written))
        return results

    def command(self, values, feedback):
        """Run the command; what it printed.

        Raises
        ------
        QgsProcessingException
            With the line that overcast gave, if it failed or was stopped.
        """
        try:
            path = program()
            words = words_of(self.entry, values)
            feedback.pushCommandInfo(" ".join([str(path), *words]))
            return run(
                path,
                words,
                say=lambda line: _tell(line, feedback),
                step=lambda stage, share: _step(stage, share, feedback),
                stopped=feedback.isCanceled,
            )
        except (LookupError, ValueError, RunError, StoppedError) as error:
            raise QgsProcessingException(str(error)) from error

    def _open_folder(self, values, context, results):
        folder = values.get("OUT")
        for output, path, title in layers_of(self.entry, folder or ""):
            load_later(path, title, output, context)
            results[output] = str(path)
        if self.entry["page"] and folder:
            page = Path(folder) / self.entry["page"]
            if page.is_file():
                results[PAGE] = str(page)

    def _has_table(self):
        return any(p["kind"] == "to_table" for p in self.entry["parameters"])

    def _table(self, values):
        """Where the command writes a table to show; None if it has none, or a page."""
        if not self._has_table() or self.entry["page"]:
            return None
        if not values.get("TABLE"):
            values["TABLE"] = QgsProcessingUtils.generateTempFilename("table.md")
        path = Path(values["TABLE"])
        return path if path.suffix.lower() == ".md" else None

    def _show(self, table, feedback):
        """Page of a table in Markdown; its text goes to the log."""
        text = table.read_text(encoding="utf-8")
        feedback.pushInfo(text)
        page = Path(QgsProcessingUtils.generateTempFilename("table.html"))
        page.write_text(to_html(text, self.displayName()), encoding="utf-8")
        return str(page)


def _step(stage, share, feedback):
    feedback.setProgress(100 * share)
    feedback.setProgressText(stage)


def _tell(line, feedback):
    """Notes of overcast as warnings, other lines as they are."""
    if line.startswith("note: "):
        feedback.pushWarning(line[len("note: ") :])
    else:
        feedback.pushInfo(line)


def _plain(written):
    """Result for the log: JSON as lines of text, anything else as it is."""
    try:
        value = json.loads(written)
    except ValueError:
        return written
    return json.dumps(value, indent=1, ensure_ascii=False)
