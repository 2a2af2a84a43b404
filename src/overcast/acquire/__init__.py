"""From a place and a time to files: search catalogues, choose dates, read, write."""
