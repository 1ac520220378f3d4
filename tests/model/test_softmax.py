"""The softmax against float64 mathematics, head by head and logit by logit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from model.bundle import Task
from model.softmax import Softmax

TASKS = (
    Task("one", "single", ("a",), 10, temperature=2.0),
    Task("three", "single", ("a", "b", "c"), 11, temperature=0.7),
    Task("any", "multi", ("a", "b"), 12, temperature=1.3, thresholds=(0.5, 0.5)),
    Task("two", "single", ("a", "b"), 13),
)
WIDTH = 8


def reference(row: list[float], tasks: tuple[Task, ...]) -> list[float]:
    """Probabilities of one text, straight from the definitions, in Python's float64."""
    result: list[float] = []
    for task in tasks:
        logits, row = row[: len(task.labels)], row[len(task.labels) :]
        scaled = [logit / task.temperature for logit in logits]
        if task.kind == "multi":
            result += [sigmoid(value) for value in scaled]
        else:
            powers = [math.exp(value - max(scaled)) for value in scaled]
            result += [power / math.fsum(powers) for power in powers]
    return result


def sigmoid(value: float) -> float:
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))


def matrices(largest: float) -> st.SearchStrategy[NDArray[np.float32]]:
    bound = float(np.float32(largest))
    shape = st.tuples(st.integers(0, 5), st.just(WIDTH))
    return hnp.arrays(np.float32, shape, elements=st.floats(-bound, bound, width=32))


@given(matrices(50.0))
def test_agrees_with_float64(logits: NDArray[np.float32]) -> None:
    rows = [reference(row, TASKS) for row in logits.astype(float).tolist()]
    expected = np.reshape(rows, logits.shape)
    probabilities = Softmax(TASKS)(logits)
    assert probabilities.shape == logits.shape
    np.testing.assert_allclose(
        probabilities, np.reshape(expected, logits.shape), rtol=1e-12, atol=1e-300
    )


@given(matrices(50.0))
def test_the_form_for_one_text_agrees_with_float64_too(logits: NDArray[np.float32]) -> None:
    softmax = Softmax(TASKS)
    for row in logits.astype(float).tolist():
        np.testing.assert_allclose(
            softmax.of_text(row), reference(row, TASKS), rtol=1e-12, atol=1e-300
        )


@given(matrices(3.4e38))
def test_the_form_for_one_text_is_finite_for_any_finite_logits(
    logits: NDArray[np.float32],
) -> None:
    softmax = Softmax(TASKS)
    for row in logits.astype(float).tolist():
        probabilities = softmax.of_text(row)
        assert np.isfinite(probabilities).all()
        np.testing.assert_allclose(
            probabilities, softmax(np.array([row], np.float32))[0], rtol=1e-9
        )


@given(matrices(3.4e38))
def test_finite_and_a_distribution_for_any_finite_logits(logits: NDArray[np.float32]) -> None:
    probabilities = Softmax(TASKS)(logits)
    assert np.isfinite(probabilities).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    for head in (slice(0, 1), slice(1, 4), slice(6, 8)):
        np.testing.assert_allclose(probabilities[:, head].sum(axis=1), 1.0, rtol=1e-12)


@given(matrices(50.0), st.floats(-50, 50, width=32))
def test_a_single_head_ignores_a_shift(logits: NDArray[np.float32], shift: float) -> None:
    head = Softmax(TASKS[1:2])
    wide = logits[:, 1:4]
    np.testing.assert_allclose(head(wide + np.float32(shift)), head(wide), atol=1e-4)


@pytest.mark.parametrize("temperature", [1e-308, 1e-30, 1e30])
def test_extreme_temperatures(temperature: float) -> None:
    tasks = (
        Task("one", "single", ("a", "b"), 10, temperature=temperature),
        Task("any", "multi", ("a", "b", "c"), 11, temperature=temperature, thresholds=(0.5,) * 3),
    )
    probabilities = Softmax(tasks)(np.array([[3e38, -3e38, 3e38, -3e38, 0]], np.float32))
    expected = [[1, 0, 1, 0, 0.5]]
    np.testing.assert_allclose(probabilities, expected, atol=1e-7)
    alone = Softmax(tasks).of_text([3e38, -3e38, 3e38, -3e38, 0.0])
    np.testing.assert_allclose([alone], expected, atol=1e-7)


def test_a_head_does_not_see_its_neighbours() -> None:
    logits = np.arange(8, dtype=np.float32)[np.newaxis]
    other = logits.copy()
    other[:, 4:] = 3e38
    np.testing.assert_array_equal(Softmax(TASKS)(logits)[:, :4], Softmax(TASKS)(other)[:, :4])
