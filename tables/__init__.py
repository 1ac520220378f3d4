"""Rows in every format, read and written. Imports nothing of this project."""
