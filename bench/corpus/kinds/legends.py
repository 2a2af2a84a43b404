"""Legends as CSV, and what can be wrong with one."""

# ruff: noqa: E501
from __future__ import annotations

from functools import partial

from bench.corpus.case import Answer, add, case, noted, refused, right
from bench.corpus.runner import Outcome, Words
from bench.corpus.scene import LEGEND, Scene, map_of

KIND = "legends"
FILE = refused("legend.csv")
HEAD = "code,name,colour\n"


def _legend(text: str | bytes, s: Scene) -> Words:
    s.write("legend.csv", text)
    return map_of()


for title, text, ends in (
    ("a code twice", LEGEND + "4,Village,880000\n", (FILE,)),
    ("a name twice", LEGEND.replace("Forest", "Water"), (FILE,)),
    ("a name twice in other letters", LEGEND.replace("Forest", "water"), (FILE, right())),
    ("a name twice but for a space", LEGEND.replace("Forest", "Water "), (FILE,)),
    ("code 255", LEGEND + "255,Other,888888\n", (FILE,)),
    ("code 300", LEGEND + "300,Other,888888\n", (FILE,)),
    ("code -1", LEGEND + "-1,Other,888888\n", (FILE,)),
    ("code 1e400", LEGEND + "1e400,Other,888888\n", (FILE,)),
    ("codes as floats", LEGEND.replace("\n1,", "\n1.0,").replace("\n2,", "\n2.0,"), (right(), FILE)),
    ("codes with zeros before", LEGEND.replace("\n1,", "\n01,"), (right(), FILE)),
    ("codes in other digits", LEGEND.replace("\n1,", "\n\u0661,"), (right(), FILE)),
    ("codes in hexadecimal", LEGEND.replace("\n1,", "\n0x1,"), (FILE,)),
    ("codes with an underscore", LEGEND + "1_0,Other,888888\n", (FILE, right())),
    ("colours with #", LEGEND.replace(",0000ff", ",#0000ff"), (right(), FILE)),
    ("colours of three digits", LEGEND.replace("0000ff", "00f"), (right(), FILE)),
    ("colours by name", LEGEND.replace("0000ff", "blue"), (right(), FILE)),
    ("no colour", LEGEND.replace(",0000ff", ","), (right(), FILE)),
    ("no colours", "code,name\n1,Water\n2,Forest\n3,Crops\n4,Town\n", (right(), FILE)),
    ("color", LEGEND.replace("colour", "color"), (right(), FILE)),
    ("headings in capitals", LEGEND.replace(HEAD, HEAD.upper()), (right(), FILE)),
    ("headings with spaces", LEGEND.replace(HEAD, "code, name, colour\n"), (right(), FILE)),
    ("no headings", LEGEND.replace(HEAD, ""), (FILE,)),
    ("a column more", "id,code,name,colour\n" + LEGEND.partition("\n")[2].replace("\n", "\n0,").join(("0,", ""))[:-2], (right(), FILE)),
    ("semicolons", LEGEND.replace(",", ";"), (right(), FILE)),
    ("tabs", LEGEND.replace(",", "\t"), (right(), FILE)),
    ("a byte-order mark", b"\xef\xbb\xbf" + LEGEND.encode(), (right(),)),
    ("UTF-16", LEGEND.encode("utf-16"), (right(), FILE)),
    ("Latin-1", LEGEND.replace("Crops", "Äcker").encode("latin-1"), (FILE,)),
    ("CRLF", LEGEND.replace("\n", "\r\n"), (right(),)),
    ("empty lines", LEGEND.replace("\n", "\n\n"), (right(), FILE)),
    ("a comment", "# made by hand\n" + LEGEND, (right(), FILE)),
    ("nothing", "", (FILE,)),
    ("headings alone", HEAD, (FILE,)),
    ("a row too short", LEGEND + "5\n", (FILE,)),
    ("a row too long", LEGEND + "5,Ice,ffffff,yes,no\n", (right(), FILE)),
    ("an empty name", LEGEND.replace("Forest", ""), (FILE,)),
    ("a name of spaces", LEGEND.replace("Forest", "  "), (FILE,)),
    ("a name of two lines", LEGEND.replace("Forest", '"For\nest"'), (right(), FILE)),
    ("a NUL", LEGEND.replace("Forest", "For\0est"), (FILE,)),
    ("a control character", LEGEND.replace("Forest", "For\x08est"), (FILE,)),
    ("U+FFFF", LEGEND.replace("Forest", "For\uffffest"), (FILE,)),
    ("an open quote", LEGEND.replace("Forest", '"Forest'), (FILE,)),
    ("a name of 100,000 letters", LEGEND.replace("Forest", "F" * 100_000), (right(), FILE)),
    ("a million equal rows", HEAD + "1,Water,0000ff\n" * 1_000_000, (FILE,)),
    ("a million rows", HEAD + "".join(f"{i},C{i},000000\n" for i in range(1_000_000)), (FILE,)),
    ("three classes of the four in the labels", LEGEND.replace("4,Town,cc0000\n", ""), (refused("labels.tif"),)),
    ("one class", HEAD + "1,Water,0000ff\n", (refused("labels.tif"),)),
    ("a page of a web server", "<html>404</html>", (FILE,)),
    ("bytes", bytes(range(256)) * 9, (FILE,)),
    ("JSON", '[{"code": 1, "name": "Water", "colour": "0000ff"}]', (FILE,)),
):  # fmt: skip
    add(KIND, title, partial(_legend, text), *ends)


def _well_formed(s: Scene, outcome: Outcome) -> str | None:
    from xml.etree import ElementTree

    for name in ("o/map.tif.aux.xml", "o/map.qml"):
        try:
            ElementTree.parse(s / name)
        except ElementTree.ParseError as error:
            return f"{name} is no XML: {error}"
    return right().problem(s, outcome)


for name in ("<b>&amp;</b>", "a & b", '"quoted"', "]]>", "Wälder 森林 🌲", "=1+1", "\u202eRTL", "a/b", "None", "0", "nan", "true"):  # fmt: skip

    def _odd(s: Scene, name: str = name) -> Words:
        quoted = '"' + name.replace('"', '""') + '"'
        s.write("legend.csv", LEGEND.replace("Forest", quoted))
        return map_of()

    add(KIND, f"a class called {name!r}", _odd, Answer(_well_formed), FILE)


@case(KIND, "codes in another order", right())
def _(s: Scene) -> Words:
    head, *rows = LEGEND.splitlines()
    s.write("legend.csv", "\n".join([head, *rows[::-1]]) + "\n")
    return map_of()


@case(KIND, "classes that no label has", noted("Ice"), right())
def _(s: Scene) -> Words:
    s.write("legend.csv", LEGEND + "9,Ice,ffffff\n")
    return map_of()


@case(
    KIND,
    "a code for no data that is a class too",
    refused("labels.tif", "legend.csv"),
    noted("Unknown", "nodata"),
)
def _(s: Scene) -> Words:
    s.write("legend.csv", LEGEND + "0,Unknown,000000\n")
    values = s.truth.copy()
    values[:, :20] = 0
    s.save_labels(values, nodata=0)
    return map_of()


for legend in ("folder", "gone.csv", "IGBP", "worldcover ", "", "../legend", "corine--igbp", "s2.tif"):  # fmt: skip

    def _other(s: Scene, legend: str = legend) -> Words:
        (s / "folder").mkdir()
        return map_of(legend=legend)

    add(KIND, f"--legend '{legend}'", _other, refused("legend", "s2.tif"))
