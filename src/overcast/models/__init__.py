"""Networks, one architecture per file, each a `Segmenter`."""
