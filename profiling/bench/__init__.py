"""Benchmarks of the function beside its peers."""
