"""Demo scenes from a seed."""
