"""Measures speed: the parts of `scripts/benchmark.py`, a module for each of its commands."""
