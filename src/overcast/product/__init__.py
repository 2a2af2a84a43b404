"""The files that leave the tool, and what catalogues and viewers read beside them."""
