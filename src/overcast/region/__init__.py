"""Maps of regions: many tiles, one map."""
