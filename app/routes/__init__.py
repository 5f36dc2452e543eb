"""Web routes beside the pages."""
