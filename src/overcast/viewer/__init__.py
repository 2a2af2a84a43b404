"""A page on this machine to look at a map with: tiles, a small server, the page."""
