"""Sources of pixels: what a band is, and an opener for each kind of file."""
