"""What labels get wrong, and where."""
