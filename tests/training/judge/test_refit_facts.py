"""What was checked of a refitted bundle is told in full, and what falls short is a warning."""

from __future__ import annotations

from typing import Any

import pytest

from training.judge.refit_facts import Facts, refit_lines, refit_paragraphs, shortfalls


def own(percent: float | None, enough: float = 99.5) -> dict[str, Any]:
    return {"rows": 2000, "wrong": 9, "percent": percent, "contradicted": 3, "enough": enough}


@pytest.fixture
def facts() -> Facts:
    return {
        "own_rows": {"topic": own(99.55), "tags": own(97.99, 98.0), "never": own(None)},
        "never_fitted": ["by hand"],
        "texts": {"unlabelled": True, "count": 12345},
        "same_as_held_out": {"topic": 98.5, "tags": 91.0, "never": 100.0},
        "same_as_fp32": {"topic": 99.9, "tags": 99.1, "never": 100.0},
    }


def test_a_task_whose_own_rows_are_forgotten_is_a_warning(facts: Facts) -> None:
    expected = (
        "tags: 97.99 % of its own rows are answered as they are labelled, where 98.0 % should be; "
        "9 of 2000 are not"
    )
    assert list(shortfalls(facts)) == [expected]
    facts["own_rows"]["tags"]["percent"] = 98.0
    assert list(shortfalls(facts)) == []


def test_the_terminal_tells_which_fit_the_figures_are_of(facts: Facts) -> None:
    text = "\n".join(refit_lines(facts))
    assert "figures are of the held-out fit" in text
    assert "all labelled rows but those of `by hand`" in text
    assert "topic 99.55 % of 2000" in text
    assert "on 12,345 unlabelled texts: as the held-out fit topic 98.5 %, tags 91.0 %" in text


def test_the_card_has_a_table_of_what_was_checked(facts: Facts) -> None:
    text = "\n\n".join(refit_paragraphs(facts))
    assert "| topic | 99.55 | 2000 | 98.5 | 99.9 |" in text
    assert "| never | - | 2000 |" in text
    facts["never_fitted"], facts["texts"]["unlabelled"] = [], False
    text = "\n\n".join(refit_paragraphs(facts))
    assert "then fitted on to all labelled rows, which leaves none" in text
    assert "of 12,345 test rows that get the same labels" in text
