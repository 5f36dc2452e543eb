"""The overview map and the browser of tiles."""
