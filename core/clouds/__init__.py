"""Clouds: levels of cover, how they are found, and how they are simulated."""
