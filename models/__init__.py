"""Networks, losses, training and prediction. Knows nothing of pages."""
