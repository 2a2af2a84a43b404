"""Land-cover maps from SAR and optical imagery with labels that are not good enough.

Importing this package imports neither torch nor rasterio; take what is needed from
`overcast.geo`, `overcast.learn`, `overcast.models`, `overcast.recipes` and
`overcast.maps`.
"""

__version__ = "0.1.0"
