"""Weights that others published: where they lie, and what an encoder with them expects.

Names of the first table are ours. Addresses, bands and normalisations are those that
torchgeo 0.8 (MIT) states for the same files, checksums those of the files' own pages, or
the first eight digits that their names carry. Any RGB encoder of timm is known as well,
by timm's name with its tag (``resnet50.tv_in1k``), where timm states a checksum.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overcast.schema import from_tree, read_toml

DISPLAY = ""
"""Unit of weights that saw pictures: values from 0 to 1, whatever was measured."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of the first convolution: it was shown ``(x - mean) / spread``.

    `typical` is the value x that stands for the band where it is not at hand.
    """

    band: str
    mean: float = 0.0
    spread: float = 1.0
    typical: float = 0.0

    def __post_init__(self) -> None:
        if not self.spread > 0:
            raise ValueError(
                f"band {self.band}: spread must be positive, got {self.spread}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An encoder's weights.

    Attributes
    ----------
    name, encoder
        What they are called here, and whose layout they have.
    channels, unit
        What they expect, in order, and the unit of x: ``reflectance``, ``dB`` or
        `DISPLAY`.
    url
        Where they lie; empty for a file of one's own.
    sha256
        First digits of the checksum, eight or more; empty for a file of one's own
        whose owner does not state one.
    licence, citation
        As their publisher states them.
    file
        A local file, instead of one that is downloaded.
    """

    name: str
    encoder: str
    channels: tuple[Channel, ...]
    unit: str
    url: str = ""
    sha256: str = ""
    licence: str = ""
    citation: str = ""
    file: Path | None = None

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands, in order."""
        return tuple(channel.band for channel in self.channels)


_MEANS = {
    **{"B01": 0.16129, "B02": 0.13976, "B03": 0.13223, "B04": 0.13731},
    **{"B05": 0.15610, "B06": 0.21084, "B07": 0.23907, "B08": 0.23187},
    **{"B8A": 0.25810, "B09": 0.08377, "B10": 0.00220, "B11": 0.21952, "B12": 0.15374},
}
"""Mean reflectances of SSL4EO-S12, top of the atmosphere."""
_VISIBLE = ("B04", "B03", "B02")
_TRUE_COLOUR = 0.3558
"""Reflectance that is 255 in the true-colour image of an L1C product."""


def _reflectances(*bands: str) -> tuple[Channel, ...]:
    """Reflectances as they are: digital numbers over 10,000."""
    return tuple(Channel(band, typical=_MEANS[band]) for band in bands)


_ALL = _reflectances(*_MEANS)
_RGB = _reflectances(*_VISIBLE)
_BACKSCATTER = (
    Channel("VV", -12.59, 5.26, -12.59),
    Channel("VH", -20.26, 5.91, -20.26),
)
_SATLAS_RGB = tuple(Channel(band, 0.0, _TRUE_COLOUR, _MEANS[band]) for band in _VISIBLE)
_SATLAS = _SATLAS_RGB + tuple(
    Channel(band, 0.0, 0.816, _MEANS[band])
    for band in ("B05", "B06", "B07", "B08", "B11", "B12")
)
_SSL4EO = "Wang et al., SSL4EO-S12, IEEE GRSM, 2023, arXiv 2211.07044"
_DECUR = "Wang et al., Decoupling common and unique representations, arXiv 2309.05300"
_SATLAS_PAPER = "Bastani et al., SatlasPretrain, ICCV 2023, arXiv 2211.15660"


def _sentinel(
    name: str,
    where: str,
    sha256: str,
    channels: tuple[Channel, ...],
    source: tuple[str, str] = ("CC-BY-4.0", _SSL4EO),
) -> Published:
    return Published(
        name=name,
        encoder=name.partition("-")[0],
        channels=channels,
        unit="dB" if channels is _BACKSCATTER else "reflectance",
        url=f"https://hf.co/torchgeo/{where}",
        sha256=sha256,
        licence=source[0],
        citation=source[1],
    )


_TABLE = (
    _sentinel(
        "resnet18-sentinel2-moco",
        "resnet18_sentinel2_all_moco/resolve/5b8cddc9a14f3844350b7f40b85bcd32aed75918/"
        "resnet18_sentinel2_all_moco-59bfdff9.pth",
        "59bfdff99c7af41adfa2557e684ec59aec79f4cf6bb1a2e9714b802f08e2222e",
        _ALL,
    ),
    _sentinel(
        "resnet18-sentinel2-rgb-moco",
        "resnet18_sentinel2_rgb_moco/resolve/e1c032e7785fd0625224cdb6699aa138bb304eec/"
        "resnet18_sentinel2_rgb_moco-e3a335e3.pth",
        "e3a335e38d1d189ad3b0eba4be4004a9c52c5e846317b6737ac9f0fac57e1ac8",
        _RGB,
    ),
    _sentinel(
        "resnet50-sentinel1-moco",
        "resnet50_sentinel1_all_moco/resolve/e79862c667853c10a709bdd77ea8ffbad0e0f1cf/"
        "resnet50_sentinel1_all_moco-906e4356.pth",
        "906e4356da0ff06ce0388cba50dd4f310ba6abbee706c5303c129d8aead98082",
        _BACKSCATTER,
    ),
    _sentinel(
        "resnet50-sentinel1-decur",
        "decur/resolve/9328eeb90c686a88b30f8526ed757b4bc0f12027/"
        "rn50_ssl4eo-s12_sar_decur_ep100-f0e69ba2.pth",
        "f0e69ba2",
        _BACKSCATTER,
        ("Apache-2.0", _DECUR),
    ),
    _sentinel(
        "resnet50-sentinel2-moco",
        "resnet50_sentinel2_all_moco/resolve/da4f3c9dbe09272eb902f3b37f46635fa4726879/"
        "resnet50_sentinel2_all_moco-df8b932e.pth",
        "df8b932e2a23a0773febedf3f650aa7d342b805f7876ca5ed6b139d7245d7c09",
        _ALL,
    ),
    _sentinel(
        "resnet50-sentinel2-dino",
        "resnet50_sentinel2_all_dino/resolve/d7f14bf5530d70ac69d763e58e77e44dbecfec7c/"
        "resnet50_sentinel2_all_dino-d6c330e9.pth",
        "d6c330e99fb65d7a8ed9cdf06f6ec752b9db74718fa2edf42314bf3fdf132dd4",
        _ALL,
    ),
    _sentinel(
        "resnet50-sentinel2-decur",
        "decur/resolve/eba7ae5945d482a4319be046d34b552db5dd9950/"
        "rn50_ssl4eo-s12_ms_decur_ep100-fc6b09ff.pth",
        "fc6b09ff",
        _ALL,
        ("Apache-2.0", _DECUR),
    ),
    _sentinel(
        "resnet50-sentinel2-rgb-moco",
        "resnet50_sentinel2_rgb_moco/resolve/efd9723b59a88e9dc1420dc1e96afb25b0630a3c/"
        "resnet50_sentinel2_rgb_moco-2b57ba8b.pth",
        "2b57ba8b9964dbe1c409aac1bb79b4d97c19c874ffe7934799b7c8ad94ff85f0",
        _RGB,
    ),
    _sentinel(
        "resnet50-sentinel2-satlas",
        "satlas/resolve/081d6607431bf36bdb59c223777cbb267131b8f2/"
        "sentinel2_resnet50_si_ms-1f454cc6.pth",
        "1f454cc6",
        _SATLAS,
        ("Apache-2.0", _SATLAS_PAPER),
    ),
    _sentinel(
        "resnet50-sentinel2-rgb-satlas",
        "satlas/resolve/081d6607431bf36bdb59c223777cbb267131b8f2/"
        "sentinel2_resnet50_si_rgb-45fc6972.pth",
        "45fc6972",
        _SATLAS_RGB,
        ("Apache-2.0", _SATLAS_PAPER),
    ),
)
PUBLISHED: Mapping[str, Published] = {one.name: one for one in _TABLE}
"""Weights of Sentinel-1 and Sentinel-2 encoders, by name."""


def published(name: str) -> Published:
    """Return the weights of a name: one of `PUBLISHED`, or timm's with its tag.

    Raises
    ------
    ValueError
        If there are none, naming the nearest, or timm states no checksum for them.
    """
    if name in PUBLISHED:
        return PUBLISHED[name]
    from timm.models import get_pretrained_cfg, list_pretrained

    known = list_pretrained()
    if name not in known:
        near = difflib.get_close_matches(name, [*PUBLISHED, *known], 1, cutoff=0)
        raise ValueError(
            f"no published weights {name!r}; did you mean {near[0]}? There are "
            f"{', '.join(PUBLISHED)}, and timm's, such as resnet50.tv_in1k"
        )
    stated: Any = get_pretrained_cfg(name)
    digits = re.search(r"-([0-9a-f]{8,64})\.(pth|safetensors)$", str(stated.url))
    if digits is None or len(stated.mean) != len(_VISIBLE):
        raise ValueError(
            f"{name}: timm states no address with a checksum for these weights; take "
            f"others of {stated.architecture}, or give a file and describe it in a TOML"
        )
    return Published(
        name=name,
        encoder=stated.architecture,
        channels=tuple(map(Channel, _VISIBLE, stated.mean, stated.std, stated.mean)),
        unit=DISPLAY,
        url=str(stated.url),
        sha256=digits[1],
        licence=stated.license or "not stated",
        citation="Wightman, PyTorch Image Models, doi 10.5281/zenodo.4414861",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    """What a description of weights holds."""

    file: str
    unit: str
    bands: tuple[Channel, ...]
    sha256: str = ""


def described(path: Path) -> Published:
    """Weights of one's own, described in a TOML file beside them.

    The file holds ``file``, ``unit`` (reflectance, dB, or empty for pictures from 0 to
    1), optionally ``sha256``, and a ``[[bands]]`` table for every channel in order:
    ``band``, and optionally ``mean``, ``spread`` and ``typical``.

    Raises
    ------
    ValueError
        If a key is missing or unknown, or the file is not TOML.
    """
    description = from_tree(_Described, read_toml(path), path)
    sha256 = description.sha256.lower()
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(
            f"{path}: sha256 is {sha256[:70]!r}; expected the 64 hexadecimal digits that "
            "`sha256sum` prints"
        )
    if not description.bands:
        raise ValueError(f"{path}: no [[bands]]; expected one for every channel")
    return Published(
        name=path.stem,
        encoder="",
        channels=description.bands,
        unit=description.unit,
        sha256=sha256,
        file=path.parent / description.file,
    )
