"""Tests of networks and training."""
