"""Comparisons of many trained networks: sweep, search, twins."""
