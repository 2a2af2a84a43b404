"""Published results made again from the real data.

python -m bench.published dfc2020 --root DIR --out DIR
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from overcast.cli import main
from overcast.cli.arguments import absolute
from overcast.cli.option_types import FILE
from overcast.cli.options import HELP, Command, threads, writing
from overcast.cli.showing import bar, show


@click.command(cls=Command, context_settings=HELP)
@click.argument("name", metavar="BENCHMARK")
@click.option("--root", type=FILE, required=True, help="Folder of the dataset.")
@click.option(
    "--test-root", type=FILE, help="Folder of the dataset tested on, if other."
)
@click.option("--quick", is_flag=True, help="Small and few of everything, as a trial.")
@click.option("--settings", type=FILE, help="YAML of settings, instead of the paper's.")
@click.option("--seed", type=int, default=0, show_default=True)
@threads
@writing
def command(name: str, **given: Any) -> None:
    """Make the published results of a dataset again, beside the paper's own.

    BENCHMARK is sen12ms (learned on SEN12MS, tested on DFC2020) or dfc2020 (both on
    DFC2020): tables 3 and 4 of Schmitt et al. 2020; oem-sar: losses for noisy labels
    on OpenEarthMap-SAR, after Liu 2025; whu-opt-sar: labels on few scenes, after Han
    2025; m3m-cr: maps under clouds, and whu-opt-sar-clouds: under drawn ones, after Xu
    2024; or dfc2020-ssl: few labels after learning without, after Chen and Bruzzone
    2022. Nothing is downloaded.
    Writes results.json, report.md, arms/, which holds what was learned, and panels/.

    \b
    Examples:
      python -m bench.published dfc2020 --root dfc2020/ --out target/
      python -m bench.published sen12ms --root sen12ms/ --test-root dfc2020/ --out transfer/
      python -m bench.published oem-sar --root oem/ --out noisy/
      python -m bench.published m3m-cr --root M3M-CR/ --out clouds/
      python -m bench.published whu-opt-sar --root whu/ --out few/
      python -m bench.published whu-opt-sar-clouds --root whu/ --out drawn/
      python -m bench.published dfc2020-ssl --root dfc2020/ --out ssl/
    """
    from bench.published.benchmark import run_benchmark

    test_root = given["test_root"]
    asked = {
        "root": Path(absolute(given["root"])),
        "test_root": None if test_root is None else Path(absolute(test_root)),
        "quick": given["quick"],
        "settings": _settings(given["settings"]),
        "seed": given["seed"],
    }
    with bar() as progress:
        made = run_benchmark(name, given["out"], given["overwrite"], asked, progress)
    show(made)


def _settings(path: Path | None) -> dict[str, Any]:
    import yaml

    from overcast.strict_yaml import UniqueKeys

    if path is None:
        return {}
    if not path.is_file():
        raise ValueError(f"{path}: no such file of settings")
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not YAML: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: expected settings by name, such as `epochs: 3`")
    return found


if __name__ == "__main__":
    main(command)
