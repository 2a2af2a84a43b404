"""Names of files as people write them, and what GDAL is given for them."""

import os
import zipfile
from pathlib import Path

import pytest

from overcast.geo.location import Location, hide


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.tif").write_bytes(b"1")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.tif", "in/a.tif")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "gdal"),
    [
        ("a.tif", "{0}/a.tif"),
        ("../x/a.tif", "{1}/x/a.tif"),
        ("/vsizip/a.zip/in/a.tif", "/vsizip/{0}/a.zip/in/a.tif"),
        ("/vsizip/{a.zip}/in/a.tif", "/vsizip/{{{0}/a.zip}}/in/a.tif"),
        ("/vsigzip/a.tif.gz", "/vsigzip/{0}/a.tif.gz"),
        ("/vsimem/a.tif", "/vsimem/a.tif"),
        ("/vsicurl/https://h/a.tif", "/vsicurl/https://h/a.tif"),
        ("/vsizip//vsicurl/https://h/a.zip/a.tif", None),
        ("https://h/a.tif?v=1", "/vsicurl/https://h/a.tif?v=1"),
        ("s3://b/k/a.tif", "/vsis3/b/k/a.tif"),
        ("gs://b/a.tif", "/vsigs/b/a.tif"),
        ("az://b/a.tif", "/vsiaz/b/a.tif"),
        ("zip://a.zip!in/a.tif", "/vsizip/{0}/a.zip/in/a.tif"),
        ("zip://a.zip!/in/a.tif", "/vsizip/{0}/a.zip/in/a.tif"),
        ("zip://in/a.tif::a.zip", "/vsizip/{0}/a.zip/in/a.tif"),
        ("zip+file://a.zip!in/a.tif", "/vsizip/{0}/a.zip/in/a.tif"),
        ("zip+https://h/a.zip!a.tif", "/vsizip//vsicurl/https://h/a.zip/a.tif"),
        ("zip://a.tif::https://h/a.zip", "/vsizip//vsicurl/https://h/a.zip/a.tif"),
        ("zip+s3://b/a.zip!a.tif", "/vsizip//vsis3/b/a.zip/a.tif"),
        ("tar://a.tar!a.tif", "/vsitar/{0}/a.tar/a.tif"),
        ('NETCDF:"a.tif":var', 'NETCDF:"{0}/a.tif":var'),
        ("NETCDF:a.tif:var", "NETCDF:{0}/a.tif:var"),
        ('HDF4_EOS:EOS_GRID:"a.tif":G:L', 'HDF4_EOS:EOS_GRID:"{0}/a.tif":G:L'),
        ("GPKG:a.tif:table", "GPKG:{0}/a.tif:table"),
        ("vrt://a.tif?bands=1", "vrt://{0}/a.tif?bands=1"),
        ("file:///d%20%C3%A9/a.tif", "/d é/a.tif"),
        ("C:/a.tif", "{0}/C:/a.tif"),
    ],
)
def test_gdal_is_given_what_it_opens(folder: Path, text: str, gdal: str | None) -> None:
    where = Location.of(text, folder)
    assert where.gdal == (gdal or text).format(folder, folder.parent)
    assert Location.of(where.text, Path("/elsewhere")) == where


def test_a_file_of_the_odd_name_is_that_file(tmp_path: Path) -> None:
    name = "NETCDF:x.nc"
    (tmp_path / name).write_bytes(b"1")
    assert Location.of(name, tmp_path).local == tmp_path / name


def test_links_stay_links(folder: Path) -> None:
    os.symlink("a.tif", folder / "link.tif")
    assert Location.of("link.tif", folder).text == str(folder / "link.tif")


def test_slashes_that_pathlib_takes_away_come_back(folder: Path) -> None:
    assert Location.of(Path("https://h/a.tif")).text == "https://h/a.tif"
    archive = Path(f"/vsizip/{folder}/a.zip/in/a.tif")  # one slash of two
    assert Location.of(archive).gdal == f"/vsizip/{folder}/a.zip/in/a.tif"


@pytest.mark.parametrize(
    ("text", "name", "href"),
    [
        ("d é/x#1%.tif", "x#1%.tif", "../d%20%C3%A9/x%231%25.tif"),
        ("zip://a.zip!in/a.tif", "a.tif", "../a.zip"),
        ('NETCDF:"a.tif":var', "a.tif:var", "../a.tif"),
        ("https://h/s%20a.tif?sig=1", "s a.tif", "https://h/s%20a.tif"),
        ("/vsicurl/https://h/a.tif", "a.tif", "https://h/a.tif"),
        ("s3://b/k/a.tif", "a.tif", "s3://b/k/a.tif"),
        ("zip+https://h/a.zip?sig=1!in/a.tif", "a.tif", "zip+https://h/a.zip!in/a.tif"),
    ],
)
def test_short_names_and_links(folder: Path, text: str, name: str, href: str) -> None:
    where = Location.of(text, folder)
    assert (where.name, where.href(folder / "out")) == (name, href)


@pytest.mark.parametrize(
    ("text", "unsigned"),
    [
        ("https://h/a.tif?X-Amz-Signature=abc&v=1", "https://h/a.tif"),
        ("https://h/a.tif?sv=1&sig=abc", "https://h/a.tif"),
        ("https://h/wcs?coverage=7", "https://h/wcs?coverage=7"),
        ("/vsicurl?url=https%3A%2F%2Fh%2Fa.tif%3Fsig%3D1", "/vsicurl/https://h/a.tif"),
    ],
)
def test_a_signature_is_neither_shown_nor_kept(text: str, unsigned: str) -> None:
    where = Location.of(text)
    assert where.unsigned == unsigned
    assert str(where) == unsigned.partition("?")[0]
    assert hide(f"HTTP 404 on {text}") == f"HTTP 404 on {where}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://me:word@h/a.tif", "https://h/a.tif: a user or password"),
        ("/vsicurl/https://me:word@h/a.tif", "https://h/a.tif: a user or password"),
        ("PG:host=h password=word", "a user or password"),
        ("ssh://h/a.tif", "ssh://h/a.tif: no address that can be read; known: http"),
        ("", "no name of a file"),
    ],
)
def test_addresses_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        Location.of(text)
    assert "word@" not in str(raised.value)
    assert "=word" not in str(raised.value)


def test_a_link_leads_out_of_a_linked_folder(folder: Path) -> None:
    (folder / "disk" / "deep").mkdir(parents=True)
    os.symlink(folder / "disk" / "deep", folder / "out")
    os.symlink("a.tif", folder / "link.tif")
    href = Location.of("link.tif", folder).href(folder / "out")
    assert href == "../../link.tif"
    assert (folder / "out" / href).is_file()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s2.tif")
    with pytest.raises(ValueError, match="a pipe, socket or device"):
        Location.of(tmp_path / "s2.tif")
