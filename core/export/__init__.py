"""Corrected labels and logs out again."""
