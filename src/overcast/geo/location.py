"""Where a file lies: on this machine, in an archive, on a server, or inside another file.

People name files as GDAL does (``/vsizip/a.zip/s2.tif``, ``NETCDF:"f.nc":var``), as
rasterio and fsspec do (``zip://a.zip!s2.tif``, ``s3://bucket/s2.tif``), and as browsers
do (``https://host/s2.tif``, ``file:///home/me/s2.tif``). A path from `pathlib` holds
none but the first kind: it makes one slash of two.
"""

from __future__ import annotations

import os
import re
import stat
import urllib.parse
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_ARCHIVES = {"zip": "vsizip", "tar": "vsitar", "gzip": "vsigzip"}
_REMOTE = {
    "http": "vsicurl",
    "https": "vsicurl",
    "ftp": "vsicurl",
    "s3": "vsis3",
    "gs": "vsigs",
    "az": "vsiaz",
    "abfs": "vsiadls",
    "abfss": "vsiadls",
    "oss": "vsioss",
}
ARRAY = "ARRAY:"
"""What a path begins with that names an array of Python; no file has it."""
LAYER = "|layername="
"""What lies between a vector file and its layer, as in QGIS."""
ITEM = "|item="
"""What lies between a collection of STAC items and the one that is meant."""
_WITHIN = re.compile("|".join(map(re.escape, (LAYER, ITEM))))
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.+-]+)://")
_DRIVER = re.compile(r"([A-Z][A-Z0-9_]+):(?!//)")
_IN_ARCHIVE = re.compile(r"/vsi(?:zip|tar|gzip|7z|rar)/")
_SERVED = re.compile(r"/vsi(?:curl|s3|gs|az|adls|oss|swift|webhdfs)[a-z_]*[/?]")
_ONE_SLASH = re.compile(
    rf"((?:[a-z]+\+)?(?:file|{'|'.join((*_ARCHIVES, *_REMOTE))})):/(?!/)"
)
_USER = re.compile(r"(://)[^/@\s\"'?]*@")
_QUERY = re.compile(r"(://[^\s\"'{}?]*|/vsicurl[a-z_]*)\?[^\s\"'{}!]*")
_SIGNED = re.compile(
    r"[?&][^=&]*(?:sig|token|key|secret|password|credential|policy|auth)[^=&]*=", re.I
)


@dataclass(frozen=True, slots=True)
class Location:
    """A raster or vector file, wherever it lies; make it with `Location.of`.

    Written into a sentence, it is an address without what may be secret.

    Attributes
    ----------
    text
        As it was written, but for relative paths: these are whole.
    """

    text: str

    @classmethod
    def of(cls, where: str | Path | Location, folder: Path | None = None) -> Location:
        """Locate a file; relative paths are relative to `folder`, or to this one.

        Links stay links: a side file such as ``FILE.aux.xml`` lies beside the link.

        Raises
        ------
        ValueError
            If it is an address of an unknown kind, has a password in it, is no text, or
            is a pipe, socket or device, which would wait for ever.
        """
        if isinstance(where, Location):
            return where
        text, folder = str(where), Path.cwd() if folder is None else folder
        if "\0" in text or not text:
            raise ValueError(f"{text!r}: no name of a file")
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ValueError(f"{text!a}: a name that is no text in UTF-8; rename it")
        if os.path.exists(folder / text):
            mode = os.stat(folder / text).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ValueError(f"{text}: a pipe, socket or device; give a file")
            return cls(os.path.abspath(folder / text))
        if isinstance(where, Path):
            text = _ONE_SLASH.sub(r"\1://", text)
        return cls(_whole(text, folder))

    @property
    def gdal(self) -> str:
        """The name that GDAL opens."""
        return _for_gdal(self.text)

    @property
    def local(self) -> Path | None:
        """The file or folder on this machine; None if it is another kind of place."""
        return Path(self.text) if _is_plain(self.text) else None

    @property
    def container(self) -> Path | None:
        """The file on this machine that holds it: an archive, or itself."""
        text = _WITHIN.split(self.gdal)[0]
        if self.local is not None:
            return Path(text) if os.path.exists(text) else None
        while match := _IN_ARCHIVE.match(text):
            text = text[match.end() :]
        if _SERVED.match(text.lstrip("{")) or text.startswith("/vsi"):
            return None
        if match := _DRIVER.match(text):
            rest = text[match.end() :]
            text = _file_of(rest, Path.cwd())
            if rest.startswith("/vsi"):
                return Location(rest).container
        return _holding(text.lstrip("{").replace("}", ""))

    @property
    def remote(self) -> bool:
        """Return whether a network is needed to read it."""
        return re.search(_SERVED.pattern, self.gdal) is not None

    @property
    def address(self) -> str | None:
        """The http or https address of a single file; None where there is none."""
        if not self.gdal.startswith("/vsicurl/"):
            return None
        address = self.gdal.removeprefix("/vsicurl/")
        return address if address.startswith("http") else None

    @property
    def shown(self) -> str:
        """The text without what may be secret: no query, no user, no password."""
        return self.text if self.local is not None else hide(self.text)

    @property
    def unsigned(self) -> str:
        """The text as a plan keeps it: an address that was signed loses its query."""
        if self.local is None and _SIGNED.search(urllib.parse.unquote(self.text)):
            return self.shown
        return self.text

    @property
    def name(self) -> str:
        """The last part: a short name for notes and reports."""
        if self.local is not None:
            return self.local.name
        if match := _DRIVER.match(self.text):
            rest = self.shown[match.end() :]
            file = _file_of(rest, Path.cwd())
            if not file:
                return PurePosixPath(rest).name
            return rest.replace(file, PurePosixPath(file).name).replace('"', "")
        text = re.split(r"!|::", self.shown)[-1 if "!" in self.shown else 0]
        return PurePosixPath(urllib.parse.unquote(text)).name or self.shown

    @property
    def stem(self) -> str:
        """The name without what follows its last dot."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Return the last dot of the name and all that follows it."""
        return PurePosixPath(self.name).suffix

    def is_file(self) -> bool:
        """Return whether it is a file of this machine."""
        return self.local is not None and self.local.is_file()

    def exists(self) -> bool:
        """Return whether there is such a file; of a server, that is not asked."""
        return self.remote or self.container is not None

    def hide(self, message: str) -> str:
        """A message of GDAL about this file, without what may be secret."""
        _, mark, query = self.text.partition("?")
        if mark and self.local is None:
            message = message.replace(f"?{query}", "")
        return hide(message)

    def href(self, folder: Path) -> str:
        """Address for a catalogue: relative to `folder`, or that of a server.

        Of what lies in an archive it is the archive's. Spaces, umlauts and such are
        written as addresses have them.
        """
        local = self.local
        if local is None or _WITHIN.search(self.text):
            local = self.container
        if local is not None:
            # Folders by where they really are, but a file by its own name.
            path = os.path.relpath(
                local.parent.resolve() / local.name, folder.resolve()
            )
            return urllib.parse.quote(Path(path).as_posix())
        shown = self.shown if self.address is None else hide(self.address)
        return urllib.parse.quote(shown, safe="/:!+~$&'()*,;=@%")

    def __str__(self) -> str:
        return self.shown

    def __fspath__(self) -> str:
        return self.gdal


FilePath = Path | Location
"""What functions take that open a file."""


def hide(text: str) -> str:
    """A message without queries, users and passwords of the addresses in it.

    Examples
    --------
    >>> hide("https://me:word@host/a.tif?sig=1: HTTP 404")
    'https://host/a.tif HTTP 404'
    """
    text = re.sub(r"/vsicurl\?[^\s\"']*?url=([^&\s\"']*)\S*", _decoded, text)
    return _QUERY.sub(r"\1", _USER.sub(r"\1", text))


def _decoded(match: re.Match[str]) -> str:
    return "/vsicurl/" + urllib.parse.unquote(match[1])


def _is_plain(text: str) -> bool:
    return not (
        text.startswith("/vsi")
        or ITEM in text
        or _SCHEME.match(text)
        or _DRIVER.match(text)
    ) or os.path.exists(text)


def _whole(text: str, folder: Path) -> str:
    """The same place in words that hold from anywhere."""
    if _USER.search(text) or re.search(r"password\s*=", text, re.I):
        raise ValueError(
            f"{hide(text).split('password')[0]}: a user or password in the address; "
            "leave it out, and give it as GDAL takes it (GDAL_HTTP_USERPWD, "
            "AWS_ACCESS_KEY_ID and the like in the environment)"
        )
    if match := _IN_ARCHIVE.match(text):
        rest = text[match.end() :]
        brace = "{" if rest.startswith("{") else ""
        return match[0] + brace + _whole_rest(rest.removeprefix("{"), folder)
    if text.startswith("/vsi"):
        return text
    if match := _SCHEME.match(text):
        return _whole_address(text, match[1].lower(), match.end(), folder)
    if match := _DRIVER.match(text):
        rest = text[match.end() :]
        if _IN_ARCHIVE.match(rest):
            return match[0] + _whole(rest, folder)
        file = _file_of(rest, folder)
        if file and (folder / file).exists():
            rest = rest.replace(file, os.path.abspath(folder / file), 1)
        return match[0] + rest
    return os.path.abspath(folder / text)


def _whole_rest(rest: str, folder: Path) -> str:
    """Return all that follows ``/vsizip/``."""
    if rest.startswith("/vsi") or _SCHEME.match(rest):
        return _whole(rest, folder)
    whole = os.path.abspath(folder / rest)
    # The second slash of /vsizip//home is often forgotten, and pathlib loses it.
    forgotten = _holding(whole.replace("}", "")) is None and _holding(f"/{rest}")
    return f"/{rest}" if forgotten else whole


def _holding(path: str) -> Path | None:
    """The file that a path is, or goes through: ``a.zip`` of ``a.zip/s2.tif``."""
    whole = Path(path)
    files = (p for p in (whole, *whole.parents) if p.is_file())
    return next(files, None)


def _whole_address(text: str, scheme: str, start: int, folder: Path) -> str:
    """An address; of those that name files of this machine, with whole paths."""
    rest = text[start:]
    if scheme == "file":
        path = urllib.parse.unquote(urllib.parse.urlsplit(text).path)
        return path.lstrip("/") if os.name == "nt" else path
    if scheme == "vrt":
        path, mark, query = rest.partition("?")
        return f"vrt://{os.path.abspath(folder / path)}{mark}{query}"
    parts = [part for part in scheme.split("+") if part != "file"]
    if not parts or any(part not in {*_ARCHIVES, *_REMOTE} for part in parts):
        known = ", ".join((*_REMOTE, *_ARCHIVES, "file", "vrt"))
        raise ValueError(f"{hide(text)}: no address that can be read; known: {known}")
    if parts[-1] in _REMOTE:
        return text
    inner, between, outer = _divided(rest)
    if "://" not in outer:
        outer = os.path.abspath(folder / outer)
    written = f"{outer}!{inner}" if between == "!" else f"{inner}::{outer}"
    return f"{text[:start]}{written if inner else outer}"


def _divided(rest: str) -> tuple[str, str, str]:
    """Member, sign and archive of ``a.zip!s2.tif``, or of fsspec's ``s2.tif::a.zip``."""
    if "::" in rest:
        return rest.partition("::")
    outer, between, inner = rest.partition("!")
    return inner, between, outer


def _for_gdal(text: str) -> str:
    """The name by which GDAL knows a whole text."""
    if (match := _SCHEME.match(text)) is None or match[1].lower() == "vrt":
        return text
    *archives, last = [p for p in match[1].lower().split("+") if p != "file"]
    rest = text[match.end() :]
    if last in _REMOTE and not archives:
        return f"/{_REMOTE[last]}/{text if _REMOTE[last] == 'vsicurl' else rest}"
    inner, _, outer = _divided(rest)
    if last in _REMOTE:
        outer = _for_gdal(f"{last}://{outer}")
    else:
        archives.append(last)
        outer = _for_gdal(outer)
    prefix = "/".join(_ARCHIVES[kind] for kind in archives)
    outer = f"{{{outer}}}" if inner and "?" in outer else outer
    return f"/{prefix}/{outer}" + (f"/{inner.lstrip('/')}" if inner else "")


def _file_of(rest: str, folder: Path) -> str:
    """The file in what follows ``NETCDF:``; the quoted one, or one that exists."""
    if match := re.search(r'"([^"]+)"', rest):
        return match[1]
    parts = rest.split(":")
    spans = ((i, j) for i in range(len(parts)) for j in range(len(parts), i, -1))
    for i, j in spans:
        if (name := ":".join(parts[i:j])) and (folder / name).is_file():
            return name
    return ""
