"""Dataset readers and the demo scenes. Knows nothing of networks or pages."""
