"""Recipes that are shipped, and the converter that one of them needs."""
