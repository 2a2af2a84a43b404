"""Paths: archives, links, spaces, letters, and the folders that are written to."""

# ruff: noqa: E501
from __future__ import annotations

import os
import tarfile
import unicodedata
import zipfile
from typing import Any

from bench.corpus.case import add, case, noted, refused, right
from bench.corpus.runner import Command, Words
from bench.corpus.scene import Scene, map_of

KIND = "paths"

NAMES = (
    "with a space.tif",
    " begins with one.tif",
    "ends with one .tif",
    "Übersicht Straße.tif",
    unicodedata.normalize("NFD", "Übersicht.tif"),
    "森林.tif",
    "🌲.tif",
    "100%.tif",
    "a%20b.tif",
    "a#b.tif",
    "a?b=c.tif",
    "a&b;c.tif",
    "a:b.tif",
    "a,b.tif",
    "a'b.tif",
    'a"b.tif',
    "a\\b.tif",
    "a|b.tif",
    "a=b.tif",
    "$HOME.tif",
    "~.tif",
    "[a].tif",
    "(a).tif",
    "{a}.tif",
    "*.tif",
    "-a.tif",
    "--overwrite.tif",
    "a.b.c.tif",
    ".hidden.tif",
    "no-suffix",
    "UPPER.TIF",
    "a.tiff",
    "new\nline.tif",
    "tab\t.tif",
    "x" * 200 + ".tif",
    "GTIFF_DIR.tif",
    "NETCDF:a.tif",
    "GTIFF_DIR:1:s2.tif",
    "a!b.tif",
    "s2.tif.zip.tif",
)
for name in NAMES:

    def _image(s: Scene, name: str = name) -> Words:
        (s / "s2.tif").rename(s / name)
        given = f"./{name}" if name.startswith("-") else name
        return map_of(s2=given)

    shown = name if len(name) < 50 else f"{name[:20]} ..."
    add(KIND, f"s2 called {shown!r}", _image, right())

for name in NAMES[:22]:

    def _labels(s: Scene, name: str = name) -> Words:
        (s / "labels.tif").rename(s / name)
        (s / "legend.csv").rename(s / f"{name}.csv")
        return map_of(labels=name, legend=f"{name}.csv")

    add(KIND, f"labels and legend called {name!r}", _labels, right())


for folder in ("an out", "Ö", "out%20", "out#1", "a/b/c", "out.tif", "出", "o" * 150, "../scene/o", "a:b", "'o'", "new\nline"):  # fmt: skip
    words = (*map_of()[:-4], "--set", "clusters=[128]", "--out", folder)
    words = tuple(w for i, w in enumerate(map_of()) if w != "o")
    at = words.index("--out")
    words = (*words[: at + 1], folder, *words[at + 1 :])
    shown = folder if len(folder) < 50 else f"{folder[:20]} ..."
    add(
        KIND,
        f"--out {shown!r}",
        lambda s, words=words: words,
        right(out=f"{folder}/map.tif"),
    )


@case(KIND, "/vsizip/", right())
def _(s: Scene) -> Words:
    with zipfile.ZipFile(s / "s2.zip", "w") as archive:
        archive.write(s / "s2.tif", "in/s2.tif")
    return map_of(s2=f"/vsizip/{s.folder}/s2.zip/in/s2.tif")


@case(KIND, "/vsizip/ of a relative path", right(), refused("s2.zip"))
def _(s: Scene) -> Words:
    with zipfile.ZipFile(s / "s2.zip", "w") as archive:
        archive.write(s / "s2.tif", "s2.tif")
    return map_of(s2="/vsizip/s2.zip/s2.tif")


@case(KIND, "/vsizip/ in braces", right(), refused("s2.zip"))
def _(s: Scene) -> Words:
    with zipfile.ZipFile(s / "s2.zip", "w") as archive:
        archive.write(s / "s2.tif", "s2.tif")
    return map_of(s2=f"/vsizip/{{{s.folder}/s2.zip}}/s2.tif")


@case(KIND, "zip://", right(), refused("s2.zip"))
def _(s: Scene) -> Words:
    with zipfile.ZipFile(s / "s2.zip", "w") as archive:
        archive.write(s / "s2.tif", "s2.tif")
    return map_of(s2=f"zip://{s.folder}/s2.zip!s2.tif")


@case(KIND, "a zip of one raster", right(), refused("s2.zip"))
def _(s: Scene) -> Words:
    with zipfile.ZipFile(s / "s2.zip", "w") as archive:
        archive.write(s / "s2.tif", "s2.tif")
    return map_of(s2="s2.zip")


@case(KIND, "a file that is not in the archive", refused("s2.zip"))
def _(s: Scene) -> Words:
    with zipfile.ZipFile(s / "s2.zip", "w") as archive:
        archive.write(s / "s2.tif", "s2.tif")
    return map_of(s2=f"/vsizip/{s.folder}/s2.zip/gone.tif")


@case(KIND, "an archive that is cut", refused("s2.zip"))
def _(s: Scene) -> Words:
    with zipfile.ZipFile(s / "s2.zip", "w") as archive:
        archive.write(s / "s2.tif", "s2.tif")
    path = s / "s2.zip"
    path.write_bytes(path.read_bytes()[:9000])
    return map_of(s2=f"/vsizip/{s.folder}/s2.zip/s2.tif")


@case(KIND, "/vsitar/", right())
def _(s: Scene) -> Words:
    with tarfile.open(s / "s2.tar", "w") as archive:
        archive.add(s / "s2.tif", "s2.tif")
    return map_of(s2=f"/vsitar/{s.folder}/s2.tar/s2.tif")


@case(KIND, "/vsigzip/", right())
def _(s: Scene) -> Words:
    import gzip

    s.write("s2.tif.gz", gzip.compress((s / "s2.tif").read_bytes()))
    return map_of(s2=f"/vsigzip/{s.folder}/s2.tif.gz")


@case(KIND, "labels in /vsizip/", right())
def _(s: Scene) -> Words:
    with zipfile.ZipFile(s / "l.zip", "w") as archive:
        archive.write(s / "labels.tif", "labels.tif")
    return map_of(labels=f"/vsizip/{s.folder}/l.zip/labels.tif")


@case(KIND, "a zipped shapefile as labels", right(), refused("l.zip", "l.shp"))
def _(s: Scene) -> Words:
    from bench.corpus.kinds.vectors import save, squares

    save(s, "l.shp", *squares(s), driver="ESRI Shapefile")
    with zipfile.ZipFile(s / "l.zip", "w") as archive:
        for suffix in ("shp", "shx", "dbf", "prj"):
            archive.write(s / f"l.{suffix}", f"l.{suffix}")
            (s / f"l.{suffix}").unlink()
    return map_of(labels=f"/vsizip/{s.folder}/l.zip/l.shp")


@case(KIND, "file://", right(), refused("file://"))
def _(s: Scene) -> Words:
    return map_of(s2=f"file://{s.folder}/s2.tif")


for address in (
    "https://127.0.0.1:9/s2.tif",
    "http://127.0.0.1:9/s2.tif?token=a&b=c",
    "/vsicurl/http://127.0.0.1:9/s2.tif",
    "ftp://127.0.0.1:9/s2.tif",
    "s3://no-such-bucket.invalid/s2.tif",
    "gs://no-such-bucket.invalid/s2.tif",
    "/vsimem/s2.tif",
    "/vsistdin/",
    "postgresql://127.0.0.1/db",
    "PG:dbname=x",
    "WMS:http://127.0.0.1:9/",
    "C:\\data\\s2.tif",
    "\\\\server\\share\\s2.tif",
    "",
    ".",
    "/dev/null",
    "/dev/zero",
    "/proc/self/mem",
    "a\0b.tif",
    "~/s2.tif",
    "$HOME/s2.tif",
    "s2.tif/",
    "s2.tif/s2.tif",
    "x" * 300,
    "/".join("x" * 200 for _ in range(30)),
):
    shown = address if len(address) < 60 else f"{len(address)} letters"
    named = repr(address.rstrip("/"))[1:-1][:20] or "s2"
    quick = {"GDAL_HTTP_CONNECTTIMEOUT": "3", "GDAL_HTTP_TIMEOUT": "5"}
    quick |= {"AWS_NO_SIGN_REQUEST": "YES", "GS_NO_SIGN_REQUEST": "YES"}
    quick |= {"AWS_S3_ENDPOINT": "127.0.0.1:9", "AWS_HTTPS": "NO"}
    quick |= {"CPL_GS_ENDPOINT": "http://127.0.0.1:9/", "GDAL_HTTP_MAX_RETRY": "0"}

    def _address(s: Scene, address: str = address, quick: Any = quick) -> Command:
        return Command(map_of(s2=address), environment=quick)

    ends = (right(),) if address == "s2.tif/" else ()
    add(
        KIND,
        f"s2 at {shown!r}",
        _address,
        *ends,
        refused(named, address[:20] or "s2", "s2", "/mem", "a folder"),
    )
    if len(address) < 60 and address and "\0" not in address:

        def _labels_at(s: Scene, address: str = address, quick: Any = quick) -> Command:
            return Command(map_of(labels=address), environment=quick)

        ends = refused(named, address[:20], "labels", "/mem", "a folder"), right(0)
        ends = ends if address == "s2.tif/" else ends[:1]
        add(KIND, f"labels at {shown!r}", _labels_at, *ends)


@case(KIND, "a link, and a side file beside it", right())
def _(s: Scene) -> Words:
    values = s.s1.copy()
    values[:, :, :20] = -9999
    s.save("store/0a1b2c.tif", values)
    (s / "s1.tif").unlink()
    os.symlink("store/0a1b2c.tif", s / "s1.tif")
    bands = "".join(
        f'<PAMRasterBand band="{i}"><Description>{n}</Description><NoDataValue>-9999'
        "</NoDataValue></PAMRasterBand>"
        for i, n in ((1, "VV"), (2, "VH"))
    )
    s.write("s1.tif.aux.xml", f"<PAMDataset>{bands}</PAMDataset>")
    return map_of(s1="s1.tif")


@case(
    KIND,
    "a link, and an attribute of labels beside it",
    refused("labels.tif"),
    noted("labels"),
)
def _(s: Scene) -> Words:
    s.save("store/l.tif", s.truth)
    (s / "labels.tif").unlink()
    os.symlink("store/l.tif", s / "labels.tif")
    names = "".join(
        f"<Category>{n}</Category>" for n in ("", "Town", "Crops", "Forest", "Water")
    )
    s.write(
        "labels.tif.aux.xml",
        f'<PAMDataset><PAMRasterBand band="1"><CategoryNames>{names}</CategoryNames></PAMRasterBand></PAMDataset>',
    )
    return map_of()


@case(KIND, "a link that leads nowhere", refused("s2.tif"))
def _(s: Scene) -> Words:
    (s / "s2.tif").unlink()
    os.symlink("gone.tif", s / "s2.tif")
    return map_of()


@case(KIND, "a link that leads to itself", refused("s2.tif"))
def _(s: Scene) -> Words:
    (s / "s2.tif").unlink()
    os.symlink("s2.tif", s / "s2.tif")
    return map_of()


@case(KIND, "a pipe", refused("s2.tif"))
def _(s: Scene) -> Words:
    (s / "s2.tif").unlink()
    os.mkfifo(s / "s2.tif")
    return map_of()


@case(KIND, "a pipe as labels", refused("l.gpkg"))
def _(s: Scene) -> Words:
    os.mkfifo(s / "l.gpkg")
    return map_of(labels="l.gpkg")


@case(KIND, "a pipe as legend", refused("legend.csv"))
def _(s: Scene) -> Words:
    (s / "legend.csv").unlink()
    os.mkfifo(s / "legend.csv")
    return map_of()


@case(KIND, "a folder as the image", refused("folder"))
def _(s: Scene) -> Words:
    (s / "folder").mkdir()
    return map_of(s2="folder")


@case(KIND, "a name that is no text", refused("s2", "tif", "--s2"), right())
def _(s: Scene) -> Words:
    name = os.fsdecode(b"s2-\xff\xfe.tif")
    (s / "s2.tif").rename(s / name)
    return map_of(s2=name)


@case(
    KIND,
    "an output whose name is no text",
    refused("--out", "out"),
    right(out=os.fsdecode(b"out-\xff/map.tif")),
)
def _(s: Scene) -> Words:
    words = map_of()
    return tuple(os.fsdecode(b"out-\xff") if word == "o" else word for word in words)


@case(KIND, "a subdataset of a netCDF", right(), refused("s2.nc"))
def _(s: Scene) -> Words:
    from rasterio.shutil import copy

    copy(str(s / "s2.tif"), str(s / "s2.nc"), driver="netCDF")
    return map_of(s2="s2.nc")


@case(KIND, "a VRT that overcast has not seen", right())
def _(s: Scene) -> Words:
    from rasterio.shutil import copy

    copy(str(s / "s2.tif"), str(s / "s2.vrt"), driver="VRT")
    return map_of(s2="s2.vrt")


@case(KIND, "a VRT whose source is gone", refused("s2.vrt"))
def _(s: Scene) -> Words:
    from rasterio.shutil import copy

    copy(str(s / "s2.tif"), str(s / "s2.vrt"), driver="VRT")
    (s / "s2.tif").unlink()
    return map_of(s2="s2.vrt")


@case(KIND, "a VRT that leads to itself", refused("s2.vrt"))
def _(s: Scene) -> Words:
    from rasterio.shutil import copy

    copy(str(s / "s2.tif"), str(s / "s2.vrt"), driver="VRT")
    text = (s / "s2.vrt").read_text().replace("s2.tif", "s2.vrt")
    s.write("s2.vrt", text)
    return map_of(s2="s2.vrt")


@case(KIND, "a sensor in a folder with a colon", right())
def _(s: Scene) -> Words:
    from bench.corpus.kinds.sensors import TOML

    (s / "C:").mkdir()
    s.write("C:/planet.toml", TOML)
    return ("map", "--image", "planet=C:/planet.toml:s2.tif", *map_of(s2=None)[1:])
