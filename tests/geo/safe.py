"""A miniature Sentinel-2 product in the layout that ESA delivers, of JPEG 2000 files."""

import shutil
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

FINE = ("B02", "B03", "B04", "B08")
COARSE = ("B05", "B06", "B07", "B8A", "B11", "B12")
PLACE = (600000.0, 5300000.0)
SIDE = 96
NAME = "S2A_MSIL2A_20220615T101559_N0400_R065_T32UPU_20220615T140000"


def band(path: Path, values: NDArray[np.generic], pixel: float) -> Path:
    """Write one band without loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    driver = {".jp2": "JP2OpenJPEG", ".tif": "GTiff"}[path.suffix]
    lossless = {"REVERSIBLE": "YES", "QUALITY": "100"} if driver != "GTiff" else {}
    with rasterio.open(
        path,
        "w",
        driver=driver,
        count=1,
        height=values.shape[0],
        width=values.shape[1],
        dtype=values.dtype,
        crs="EPSG:32632",
        transform=from_origin(*PLACE, pixel, pixel),
        **lossless,
    ) as dataset:
        dataset.write(values, 1)
    return path


def numbers(offset: int = -1000) -> dict[str, NDArray[np.uint16]]:
    """Digital numbers of every band: reflectance .02 to .4, rising to the east."""
    ramps = {}
    for number, name in enumerate((*FINE, *COARSE)):
        side = SIDE if name in FINE else SIDE // 2
        ramp = np.linspace(200, 3800, side)[None].repeat(side, 0) + 10 * number
        ramps[name] = (ramp - offset).astype(np.uint16)
    return ramps


def write_safe(
    folder: Path, offset: int = -1000, level: str = "L2A", name: str = NAME
) -> Path:
    """Write a product; clouds (SCL 9) hide its upper left eighth."""
    safe = folder / f"{name.replace('L2A', level)}.SAFE"
    granule = safe / "GRANULE" / f"{level}_T32UPU_A036463_20220615T102000"
    start = "T32UPU_20220615T101559"
    for key, values in numbers(offset).items():
        size = 10 if key in FINE else 20
        if level == "L1C":
            band(granule / "IMG_DATA" / f"{start}_{key}.jp2", values, size)
            continue
        images = granule / "IMG_DATA"
        band(images / f"R{size}m" / f"{start}_{key}_{size}m.jp2", values, size)
        if size == 10:  # ESA delivers every band at 20 m and 60 m as well
            fewer = values[::2, ::2].copy()
            band(images / "R20m" / f"{start}_{key}_20m.jp2", fewer, 20)
    if level == "L2A":
        classes = np.full((SIDE // 2, SIDE // 2), 4, np.uint8)
        classes[: SIDE // 8, : SIDE // 4] = 9
        band(granule / "IMG_DATA/R20m" / f"{start}_SCL_20m.jp2", classes, 20)
    band(granule / "QI_DATA" / "MSK_CLASSI_B00.jp2", np.ones((8, 8), np.uint8), 60)
    (granule / "MTD_TL.xml").write_text("<n1:Tile xmlns:n1='urn:tile'/>")
    (safe / f"MTD_MSI{level}.xml").write_text(_metadata(offset, level))
    return safe


def _metadata(offset: int, level: str) -> str:
    boa = level == "L2A"
    tag = "BOA_ADD_OFFSET" if boa else "RADIO_ADD_OFFSET"
    quantification = "BOA_QUANTIFICATION_VALUE" if boa else "QUANTIFICATION_VALUE"
    offsets = "".join(f'<{tag} band_id="{i}">{offset}</{tag}>' for i in range(13))
    return (
        f"<n1:Level-{level[1:]}_User_Product xmlns:n1='urn:product'><n1:General_Info>"
        f"<Product_Image_Characteristics><{quantification} unit='none'>10000"
        f"</{quantification}>{offsets if offset else ''}</Product_Image_Characteristics>"
        f"</n1:General_Info></n1:Level-{level[1:]}_User_Product>"
    )


def zipped(safe: Path, name: str = "") -> Path:
    """The product as a zip archive, as browsers save it."""
    name = name or f"{safe.name}.zip"
    made = shutil.make_archive(
        str(safe.parent / name[:-4]), "zip", safe.parent, safe.name
    )
    return Path(made)
