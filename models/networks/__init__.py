"""Networks behind one interface."""
