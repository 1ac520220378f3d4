"""Labelled rows: read, split, examined."""
