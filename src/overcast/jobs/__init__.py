"""Whole jobs, as the commands ask for them."""
