"""Tests of `overcast.region`."""
