"""What a student is fitted to last, and what it cannot be asked to answer."""

from __future__ import annotations

from training.rows.own_rows import anchors, contradicted, own_rows, probes
from training.rows.table import LabelledTask, Row, Table

TASKS = (LabelledTask("kind", "single", ("a", "b")), LabelledTask("tags", "multi", ("x", "y")))


def row(
    text: str, kind: str | None, tags: str | None, split: str | None = "train", part: str = ""
) -> Row:
    targets = tuple(None if labels is None else frozenset(labels) for labels in (kind, tags))
    return Row(text, targets, split, text, part or None, "file:1")


def test_all_labelled_rows_are_own_rows_but_those_that_always_judge() -> None:
    rows = (
        row("salt", "a", None),
        row("pepper", "a", "x", "validation"),
        row("sugar", "b", "", "test", "easy"),
        row("  Honey", "b", "", "train"),
        row("honey", "b", "", "test", "by hand"),
        row("unlabelled", None, None, None),
    )
    table = Table(TASKS, rows)
    assert [own.text for own in own_rows(table, ())] == [row.text for row in rows[:5]]
    assert own_rows(table, ("by hand",)) == list(rows[:3]), "nor the same text elsewhere"


def test_half_of_the_unlabelled_text_anchors_a_student_and_half_probes_it() -> None:
    test = row("salt", "a", None, "test")
    unlabelled = tuple(row(str(number), None, None, None) for number in range(5))
    table = Table(TASKS, (test, *unlabelled))
    assert [text.text for text in anchors(table)] == ["0", "2", "4"]
    assert [text.text for text in probes(table)] == ["1", "3"]
    assert anchors(Table(TASKS, (test,))) == []
    assert probes(Table(TASKS, (test,))) == [test]


def test_a_text_with_two_labels_is_contradicted_in_that_task_alone() -> None:
    rows = [
        row("salt", "a", "x"),
        row("SALT", "b", "x"),
        row("salt ", None, "x"),
        row("pepper", "a", "xy"),
        row("pepper", "a", ""),
        row("sugar", "a", None),
        row("sugar", None, "x"),
    ]
    expected = [[True, False]] * 3 + [[False, True]] * 2 + [[False, False]] * 2
    assert contradicted(rows).tolist() == expected
