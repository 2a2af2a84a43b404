"""A small catalogue of a simulated world, and servers of it that misbehave on request."""
