"""Kills, full disks, damaged files, commands at once, and hostile requests.

`python -m bench.faults` carries out all of it; docs/reliability.md has what it found.
"""
