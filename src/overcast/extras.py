"""Optional parts of overcast: which extra brings which package, said in one sentence."""

from __future__ import annotations

_PACKAGES = {
    "networks": (
        "lightning_fabric",
        "segmentation_models_pytorch",
        "skimage",
        "timm",
        "torch",
    ),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "fast": ("openvino",),
    "viewer": ("maplibre", "morecantile", "rio_tiler"),
    "indices": ("spyndex",),
    "notebook": ("dask", "folium", "matplotlib", "pandas", "rioxarray"),
    "dask": ("distributed",),
    "parquet": ("pyarrow",),
    "stac": ("rustac",),
    "acquire": ("pystac_client", "requests", "urllib3"),
}
"""Names of the extras in pyproject.toml, and what is imported of each."""


def advice(error: ImportError) -> str:
    """Return the sentence that says which extra is missing.

    Raises
    ------
    ImportError
        `error` itself, if no extra brings the package that is missing.

    Examples
    --------
    >>> advice(ModuleNotFoundError("No module named 'torch'", name="torch"))
    "torch is not installed; python -m pip install 'overcast[networks]'"
    """
    package = (error.name or "").partition(".")[0]
    for extra, packages in _PACKAGES.items():
        if package in packages:
            return (
                f"{package} is not installed; python -m pip install 'overcast[{extra}]'"
            )
    raise error
