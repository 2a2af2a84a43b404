"""Views of a batch for training: each file returns new batches."""
