"""Labelling whole patches: the grid of patches in the browser, and what it is told."""
