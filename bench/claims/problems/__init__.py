"""One problem or a few of a kind in a file, each file with its `PROBLEMS` by name."""

from importlib import import_module
from pkgutil import iter_modules

from bench.claims.blocks import Problem

PROBLEMS: dict[str, Problem] = {
    name: problem
    for module in iter_modules(__path__)
    for name, problem in import_module(f"{__name__}.{module.name}").PROBLEMS.items()
}
"""By the name that the command line takes."""
