"""What labels get wrong, estimated from a map that learned from them."""
