"""Benchmarks; python -m tests.bench NAME prints JSON."""
