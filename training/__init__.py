"""Labelled rows in, bundle out. torch and transformers live here and nowhere else."""
