"""Published results made again from the real data: one paper a file, found by name.

A file of this room that defines `BENCHMARKS` (name on the command line to function)
is a paper. What papers share (counting, scoring patches, tables) lies beside them.
"""
