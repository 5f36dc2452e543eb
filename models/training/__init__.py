"""What the loop in `models.train` is made of: settings, steps of the optimiser, state on disk.

Needs torch and numpy only; `config` needs neither.
"""
