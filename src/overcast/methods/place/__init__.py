"""How much labels count as evidence of place."""
