"""How does a row of floats become small integers? One scale per row, of the least squared error."""

from __future__ import annotations

import numpy as np

CLIPS = (1.0, 0.9, 0.8, 0.7, 0.6)
"""Of a row's largest value: to cut it off may leave less error in the others."""


def limit_of(bits: int) -> int:
    """The largest integer, and less nought the smallest."""
    return int(2 ** (bits - 1) - 1)


def rows_to_integers(table: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """[rows, width] float -> int8 rows and float32 scales [rows, 1]; table ~ rows * scales."""
    limit = limit_of(bits)
    largest = np.maximum(np.abs(table).max(axis=1, keepdims=True), np.float32(1e-12))
    best = np.full((len(table), 1), np.inf, np.float32)
    rows, scales = np.zeros(table.shape, np.int8), np.zeros((len(table), 1), np.float32)
    for clip in CLIPS:
        scale = (largest * clip / limit).astype(np.float32)
        rounded = np.rint(table / scale).clip(-limit, limit)
        error = ((rounded * scale - table) ** 2).sum(axis=1, keepdims=True)
        better = error < best
        best, scales = np.where(better, error, best), np.where(better, scale, scales)
        rows = np.where(better, rounded.astype(np.int8), rows)
    return rows, scales
