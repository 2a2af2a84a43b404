"""What options of a place and a time say, and what is mapped of what was fetched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from overcast import map_folder
from overcast.cli.arguments import absolute
from overcast.cli.showing import say
from overcast.plan_images import DILATION

if TYPE_CHECKING:
    from overcast.acquire.fetch import Fetched
    from overcast.acquire.survey import Request
    from overcast.cli.option_values import MapOptions, RegionOptions
    from overcast.progress import Progress
    from overcast.region.from_catalogues import Acquire

_FILES = ("s1", "s2", "s2_mask", "others")


def request_of(given: RegionOptions, products: tuple[str, ...]) -> Request:
    """The `Request` that PLACE and the options of `region` describe."""
    from overcast.acquire.catalogue import load_catalogue
    from overcast.acquire.period import period_of
    from overcast.acquire.place import area_of, given_place
    from overcast.acquire.survey import Request

    if not products:
        raise ValueError("nothing to fetch: leave out --no-s1 or --no-s2")
    place = given_place(given["bbox"], given["where"])
    area = area_of(place, given["resolution"], given["grid"])
    south = area.outline.centroid.y < 0
    period = period_of(
        given["year"], given["first"], given["last"], given["season"], south
    )
    names = given["sources"] or ("planetary-computer",)
    return Request(
        area=area,
        period=period,
        catalogues=tuple(load_catalogue(name) for name in names),
        products=tuple(dict.fromkeys(products)),
        count=given["dates"],
        clear=given["clear"],
        skip=tuple(given["skip"]),
    )


def is_region(given: Mapping[str, object]) -> bool:
    """Return whether a place is given, and not files.

    Raises
    ------
    ValueError
        If there are both, or a time without a place.
    """
    if given["bbox"] is None and given["where"] is None:
        named = ("year", "first", "last", "season", "sources", "skip")
        for name in named:
            if given[name] not in (None, ()):
                option = {"first": "from", "last": "to", "sources": "source"}
                raise ValueError(
                    f"--{option.get(name, name)}: of which place? give --bbox or --area"
                )
        return False
    for name in _FILES:
        if given[name] not in (None, ()):
            shown = {"others": "image"}.get(name, name.replace("_", "-"))
            raise ValueError(
                f"--{shown}: a place is given, and its images are fetched; leave one out"
            )
    return True


def with_fetched(given: MapOptions, progress: Progress) -> tuple[MapOptions, Fetched]:
    """Fetch what a place needs into the folder ``data``, and say it as files.

    Returns
    -------
    tuple
        Options that name files, and the `Fetched`.
    """
    from overcast.acquire.fetch import fetch, fetched_before

    wanted = _label_products(given)
    products = ("sentinel-2", *_radar(given), *wanted.values())
    out, overwrite = given["out"], given["overwrite"]
    request = request_of(given, products)
    # The same command may have made the map, or have been stopped while files moved.
    mine = fetched_before(request, out / map_folder.DATA) is not None
    if (out / map_folder.MAP).exists() and not overwrite and not mine:
        raise ValueError(
            f"{out / map_folder.MAP}: exists; give another --out, or --overwrite"
        )
    fetched = fetch(request, out / map_folder.DATA, overwrite, progress)
    for line in fetched.said:
        say(line)
    return _as_files(given, fetched, wanted), fetched


def acquire_of(given: MapOptions) -> Acquire | None:
    """The `Acquire` that options of a time describe; None of a region of files.

    Raises
    ------
    ValueError
        If there are files as well.
    """
    from overcast.region.from_catalogues import Acquire

    if given["year"] is None and given["first"] is None and given["last"] is None:
        timeless = {"season": given["season"], "source": given["sources"]}
        for option, value in {**timeless, "skip": given["skip"]}.items():
            if value:
                raise ValueError(
                    f"--{option}: of which time? give --year, or --from and --to"
                )
        return None
    files = {"s1": given["s1"], "s2": given["s2"], "s2-mask": given["s2_mask"]}
    for option, value in {**files, "image": given["others"]}.items():
        if value:
            raise ValueError(
                f"--{option}: a time is given, and images are fetched; leave one out"
            )
    dilation = given["mask_dilation"]
    names = given["sources"] or ("planetary-computer",)
    return Acquire(
        year=given["year"],
        first=given["first"],
        last=given["last"],
        season=given["season"],
        source=tuple(absolute(n) if Path(n).is_file() else n for n in names),
        dates=given["dates"],
        clear=given["clear"],
        skip=tuple(given["skip"]),
        dilation=DILATION if dilation is None else dilation,
    )


def with_labels_fetched(given: MapOptions, progress: Progress) -> MapOptions:
    """Fetch the labels of a region in tiles into the folder ``data``; say them as files.

    Its images are no files: each tile reads its own.
    """
    from overcast.acquire.fetch import fetch
    from overcast.region.description import is_region_file

    file = given["region_file"]
    if not given["labels"] or (file is not None and is_region_file(file)):
        return given
    if not (wanted := _label_products(given)):
        return given
    where = given["where"] or file
    place: MapOptions = {
        **given,
        "where": None if where is None else str(where),
        "grid": None,
    }
    request = request_of(place, tuple(wanted.values()))
    fetched = fetch(
        request, given["out"] / map_folder.DATA, given["overwrite"], progress
    )
    return {**given, "labels": _as_files(given, fetched, wanted)["labels"]}


def _radar(given: RegionOptions) -> tuple[str, ...]:
    """Sentinel-1, unless no source has it; that is said."""
    from overcast.acquire.catalogue import load_catalogue

    names = given["sources"] or ("planetary-computer",)
    if any("sentinel-1" in load_catalogue(name).products for name in names):
        return ("sentinel-1",)
    say(f"note: no Sentinel-1 in {', '.join(names)}; mapped without it")
    return ()


def _label_products(given: MapOptions) -> dict[str, str]:
    """Products of labels by what names them; files of labels are none."""
    from overcast.acquire.catalogue import load_catalogue
    from overcast.acquire.survey import NEED_LOGIN

    names = given["sources"] or ("planetary-computer",)
    known = {
        product
        for name in names
        for product, about in load_catalogue(name).products.items()
        if about.legend
    }
    texts = given["labels"] or ((given["legend"],) if given["legend"] in known else ())
    if not texts:
        raise ValueError(
            f"--labels: give labels to fetch ({', '.join(sorted(known))}), or a file"
        )
    heads = {text: text.partition("|")[0] for text in texts}
    return {
        text: head
        for text, head in heads.items()
        if head in {*known, *NEED_LOGIN} and not Path(head).exists()
    }


def _as_files(
    given: MapOptions, fetched: Fetched, wanted: Mapping[str, str]
) -> MapOptions:
    """The options with the files that were fetched, of all days."""
    from overcast.acquire.data_folder import classes_of, optical_in, radar_in

    files = fetched.manifest["files"]
    folder = fetched.folder
    days, radar = optical_in(files), radar_in(files)
    masks = [mask for mask in map(classes_of, days) if mask in files]
    labels = []
    for text in given["labels"] or tuple(wanted):
        if (product := wanted.get(text)) is None:
            labels.append(text)
            continue
        (name,) = (n for n, about in files.items() if about["product"] == product)
        said = text.partition("|")[2]
        own = "" if "legend=" in said else f"|legend={files[name]['legend']}"
        labels.append(f"{folder / name}{own}{'|' if said else ''}{said}")
    return {
        **given,
        "s2": tuple(str(folder / name) for name in days),
        "s2_mask": tuple(str(folder / name) for name in masks),
        "s1": tuple(str(folder / name) for name in radar),
        "labels": tuple(labels),
    }
