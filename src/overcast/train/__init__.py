"""Learning: batches, streams, losses, the recipe protocol and the one loop."""
