"""How right a map is: counts, areas and intervals, samples, calibration."""
