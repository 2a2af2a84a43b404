"""The catalogue: a file per kind of input; each adds its cases when it is imported."""
