"""The domain: rasters, classes, edits, scores, catalogue. Knows neither pages nor networks."""
