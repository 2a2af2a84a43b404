"""Tables of points as spreadsheets and libraries write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from overcast.geo.point_table import number_of, read_table


@pytest.mark.parametrize(
    "text",
    [
        "lon,lat,class\n8.5,47.25,4\n",
        "class,Longitude,LATITUDE\n4,8.5,47.25\n",
        "lng;lat;class\n8,5;47,25;4\n",
        "lon\tlat\tclass\n8,5\t47,25\t4\n",
        " lon , lat , class \n8.5,47.25,4\n",
        "x,y,lon,lat,class\n600000,5300000,8.5,47.25,4\n",
        "x,y,class\n8.5,47.25,4\n",
        "class,lon,lat,\n4,8.5,47.25,\n\n",
        '"lon","lat","class"\n"8.5","47.25","4"\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_columns_and_places(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding=encoding)
    columns, lon, lat = read_table(path)
    assert (lon, lat, list(columns["class"])) == ([8.5], [47.25], ["4"])


def test_letters_of_windows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("lon;lat;class\n8,5;47;Wälder\n".encode("cp1252"))
    assert read_table(path)[0]["class"] == ["Wälder"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lon,lat\n600005,5299995\n", "row 1 has lon '600005', expected degrees"),
        ("lon,lat\n8,47\n47,100\n", "row 2 has lat '100', expected degrees"),
        ("lon,lat\n8,\n", "row 1 has lat '', expected degrees"),
        ("lon,lat\nnan,47\n", "row 1 has lon 'nan', expected degrees"),
        ("east,north\n8,47\n", "columns lon and lat"),
        ("lon,lat,class,class\n8,47,1,2\n", "two columns are called class"),
        ("lon,lat,class\n8,47,a,b\n", "row 1 has 4 cells, and the header has 3"),
        ("", "columns lon and lat"),
    ],
)
def test_what_has_no_place_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=says) as error:
        read_table(path)
    assert "a.csv" in str(error.value)


def test_numbers_have_a_point_or_a_comma() -> None:
    assert [number_of(text) for text in ("1.5", "1,5", "-3")] == [1.5, 1.5, -3]
    with pytest.raises(ValueError, match="could not convert"):
        number_of("1.000,5")


def test_a_table_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    whole = "lon,lat,class,comment\n9,48,1,a\n9,48,2,b\n9,48,3,"
    path.write_text(whole + "\n", encoding="utf-8")
    assert read_table(path)[0]["class"] == ["1", "2", "3"]
    path.write_text(whole[:-2], encoding="utf-8")
    with pytest.raises(ValueError, match="last row ends after 3 of 4 cells"):
        read_table(path)
