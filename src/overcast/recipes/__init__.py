"""Training methods, one per file: a frozen dataclass of hyper-parameters."""
