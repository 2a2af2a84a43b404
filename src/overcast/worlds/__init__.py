"""Scenes with known truth, simulated from measured statistics. No torch here."""
