"""Blocks of files, read once and kept while they are wanted."""
