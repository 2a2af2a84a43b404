"""From a predictor to a published map: prediction, files, accuracy, report."""
