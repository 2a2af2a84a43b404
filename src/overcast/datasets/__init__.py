"""Public datasets, one file each: ``open(root)`` reads one, ``fake(root)`` writes one.

Nothing is downloaded. No torch here.
"""
