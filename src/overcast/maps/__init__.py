"""From a predictor to a map: whole rasters in constant memory, views, ensembles."""
