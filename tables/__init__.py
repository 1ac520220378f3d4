"""Rows in every format, read and written, and TOML files. Imports nothing of this project."""
