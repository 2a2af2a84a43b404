"""What `--method NAME` means, one file each: fit on a stack, load a predictor."""
