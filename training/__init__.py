"""Labelled rows in, bundle out. torch and transformers live here and nowhere else.

from training import train
"""

from training.call import train

__all__ = ["train"]
