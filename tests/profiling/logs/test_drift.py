"""Did the answers change? Noise raises no alarm, whoever sends how many texts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from model.bundle import read_bundle
from profiling.logs.answer_parts import Topic, of_held_out, of_requests, with_answers
from profiling.logs.comparison import Side
from profiling.logs.distributions import Distribution, shift_between
from profiling.logs.drift import CHANGED, NOISE, Drift, drift_of_sides, drift_over_time
from profiling.logs.source import SourceError
from tables.held_out import HeldOut, read_record, record_path, record_text
from tests.profiling.logs.lines import answer_counts, line, requests_of

SEEDS = 100
RATE = 0.05
MOST_ALARMS = int(stats.binom.ppf(1 - 1e-6, SEEDS, RATE))
"""More false ones in SEEDS draws come once in a million, if their rate is RATE."""
Rows = list[list[str]]


@pytest.fixture(scope="module")
def record(bundle_path: Path) -> HeldOut:
    """The recorded answers of the shipped bundle."""
    record = read_record(bundle_path, read_bundle(bundle_path).identity)
    assert record is not None
    return record


@pytest.fixture(scope="module")
def whole_task(record: HeldOut) -> tuple[Topic, Distribution, Rows]:
    """The task with most labels among those whose answers are of all kinds of texts."""
    distributions, _ = of_held_out(record)
    topic = max(distributions, key=lambda topic: len(distributions[topic].categories))
    return topic, distributions[topic], list(record.tasks[topic.task].values())


def in_parts(counts: np.ndarray, sizes: np.ndarray, parts: int = 30) -> Distribution:
    """Texts [texts, labels] that came in requests of these sizes, in stretches of requests."""
    request_of = np.repeat(np.arange(len(sizes)), sizes)
    part_of = (np.arange(len(sizes)) * parts // len(sizes))[request_of]
    summed = np.zeros((parts, counts.shape[1]))
    np.add.at(summed, part_of, counts)
    names = [str(label) for label in range(counts.shape[1])]
    return Distribution(names, summed, np.bincount(part_of, minlength=parts).astype(float))


def alarms(draw: Callable[[np.random.Generator], tuple[Distribution, Distribution]]) -> int:
    """In how many of SEEDS draws the two sides are called different."""
    randoms = map(np.random.default_rng, range(SEEDS))
    return sum(shift_between(*draw(random), RATE).chance < RATE for random in randoms)


def chi_square_alarms(
    draw: Callable[[np.random.Generator], tuple[Distribution, Distribution]],
) -> int:
    """The same by Pearson's test, which takes each text for a fact of its own."""
    count = 0
    for random in map(np.random.default_rng, range(SEEDS)):
        table = np.array([side.counts.sum(0) for side in draw(random)])
        count += stats.chi2_contingency(table[:, table.sum(0) > 0]).pvalue < RATE
    return count


@pytest.mark.parametrize(("requests", "most_texts"), [(60, 1), (600, 1), (60, 20)])
def test_texts_drawn_from_the_held_out_answers_raise_no_alarm(
    whole_task: tuple[Topic, Distribution, Rows], requests: int, most_texts: int
) -> None:
    _, held_out, _ = whole_task
    held = Distribution(
        [str(n) for n in range(len(held_out.categories))], held_out.counts, held_out.totals
    )

    def draw(random: np.random.Generator) -> tuple[Distribution, Distribution]:
        sizes = random.integers(1, most_texts + 1, requests)
        rows = random.integers(0, len(held.counts), sizes.sum())
        return held, in_parts(held.counts[rows], sizes)

    assert alarms(draw) <= MOST_ALARMS


def test_requests_whose_texts_are_alike_raise_no_alarm(
    whole_task: tuple[Topic, Distribution, Rows],
) -> None:
    _, held_out, _ = whole_task
    requests = 150
    counts = held_out.counts[np.lexsort(held_out.counts.T)]

    def side(random: np.random.Generator) -> Distribution:
        sizes = random.integers(1, 21, requests)
        begins = np.repeat(random.integers(0, len(counts) - 40, requests), sizes)
        return in_parts(counts[begins + random.integers(0, 40, len(begins))], sizes)

    def draw(random: np.random.Generator) -> tuple[Distribution, Distribution]:
        return side(random), side(random)

    assert alarms(draw) <= MOST_ALARMS
    assert chi_square_alarms(draw) > SEEDS / 2, "texts of a request are no independent facts"


def test_stretches_in_which_one_label_prevails_raise_no_alarm() -> None:
    def side(random: np.random.Generator) -> Distribution:
        of_stretch = np.repeat(random.beta(0.5, 0.5, 30), 20)
        counts = random.random(600) < of_stretch
        return in_parts(np.column_stack([counts, ~counts]), np.ones(600, int))

    def draw(random: np.random.Generator) -> tuple[Distribution, Distribution]:
        return side(random), side(random)

    assert alarms(draw) <= MOST_ALARMS
    assert chi_square_alarms(draw) > SEEDS / 2


def test_independent_texts_have_the_chance_that_pearson_gives_them() -> None:
    random = np.random.default_rng(3)
    shares = [0.5, 0.3, 0.15, 0.05]
    sizes = np.ones(4000, int)
    sides = [
        in_parts(np.eye(4)[random.choice(4, 4000, p=shares)], sizes, parts=4000) for _ in range(2)
    ]
    expected = stats.chi2_contingency(np.array([side.counts.sum(0) for side in sides])).pvalue
    assert shift_between(sides[0], sides[1], RATE).chance == pytest.approx(expected, rel=0.02)


def test_a_change_has_the_size_and_the_interval_of_what_changed() -> None:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(SEEDS):
        a, b = (
            in_parts(np.eye(3)[random.choice(3, 900, p=shares)], np.ones(900, int))
            for shares in ([0.6, 0.3, 0.1], [0.3, 0.6, 0.1])
        )
        shift = shift_between(a, b, RATE)
        assert shift.chance < 1e-6
        assert shift.moved == pytest.approx(0.3, abs=0.12)
        assert {change.category for change in shift.changes} >= {"0", "1"}
        assert shift.missed >= max(abs(change.low) for change in shift.changes)
        true = {"0": -0.3, "1": 0.3, "2": 0.0}
        covered += all(
            change.low <= true[change.category] <= change.high for change in shift.changes
        )
    assert covered >= SEEDS - MOST_ALARMS


def traffic(
    seed: int, rows: Rows, requests: int, kind: str = "multi", **fields: Any
) -> Iterator[dict[str, Any]]:
    """Lines of requests whose texts are answered as rows that are drawn; a seed has its day."""
    random = np.random.default_rng(seed)
    for number in range(requests):
        drawn = [rows[n] for n in random.integers(0, len(rows), random.integers(1, 5))]
        texts = [{"topic": row if kind == "multi" else row[0]} for row in drawn]
        yield line(
            at_s=86_400.0 * seed + 60.0 * number, texts=len(texts), tokens=6 * len(texts),
            answers=answer_counts(*texts), **fields,
        )  # fmt: skip


def over_time(lines: list[dict[str, Any]], bundle: Path | None = None) -> Drift:
    (drift,) = drift_over_time(requests_of(lines), bundle)
    return drift


def verdicts(drift: Drift) -> set[str]:
    return {row.verdict for row in drift.rows}


def write_record(folder: Path, answers: dict[str, Rows], bundle: str = "b@1") -> Path:
    """The directory of a bundle whose run held out these answers."""
    bundle_path = folder / "bundle"
    record_path(bundle_path).parent.mkdir(parents=True)
    keyed = {
        task: {f"{number:012x}": row for number, row in enumerate(rows)}
        for task, rows in answers.items()
    }
    record_path(bundle_path).write_text(record_text(HeldOut(bundle, keyed)))
    return bundle_path


def test_whole_logs_raise_no_more_alarms_than_one_in_twenty(
    whole_task: tuple[Topic, Distribution, Rows], tmp_path: Path
) -> None:
    _, _, rows = whole_task
    bundle = write_record(tmp_path, {"topic": rows})
    seeds = 20
    logs = [over_time(list(traffic(seed, rows, 200)), bundle) for seed in range(seeds)]
    assert all(len(drift.rows) == 5 for drift in logs)
    false_alarms = sum(CHANGED in verdicts(drift) for drift in logs)
    assert false_alarms <= stats.binom.ppf(1 - 1e-4, seeds, RATE)


def test_another_mix_of_labels_raises_one(
    whole_task: tuple[Topic, Distribution, Rows], tmp_path: Path
) -> None:
    _, _, rows = whole_task
    commonest = max(rows, key=rows.count)
    mixed = [row for row in rows if row != commonest] + [commonest]
    bundle = write_record(tmp_path, {"topic": rows})
    lines = [*traffic(1, rows, 300), *traffic(2, mixed, 300)]
    drift = over_time(lines, bundle)
    changed = {
        (row.topic, row.reference, row.column) for row in drift.rows if row.verdict == CHANGED
    }
    first, late = drift.columns[0], drift.columns[3:6]
    for reference in (first, "held out"):
        assert {("topic labels", reference, name) for name in late} <= changed
    early = [row for row in drift.rows if row.column in drift.columns[:3]]
    assert min(row.shift.chance for row in early if row.shift) > 1e-5


@pytest.mark.parametrize(
    ("late", "topic"),
    [
        (answer_counts({"topic": "a"}, unknown=1), "pieces"),
        (answer_counts({"topic": "a"}, score=0.55), "topic scores"),
    ],
)
def test_unknown_pieces_and_low_scores_raise_one(late: dict[str, Any], topic: str) -> None:
    usual = answer_counts({"topic": "a"})
    drift = over_time([line(at_s=n, answers=late if n >= 300 else usual) for n in range(600)])
    assert {row.topic for row in drift.rows if row.verdict == CHANGED} == {topic}


def test_one_text_over_and_over_is_a_change(
    whole_task: tuple[Topic, Distribution, Rows], tmp_path: Path
) -> None:
    _, _, rows = whole_task
    drift = over_time(list(traffic(1, rows[:1], 150)), write_record(tmp_path, {"topic": rows}))
    assert [row.verdict for row in drift.rows] == [CHANGED]


def test_a_task_that_few_held_out_rows_have_is_not_compared(tmp_path: Path) -> None:
    rows = [["a"], ["b"]] * 200
    bundle = write_record(tmp_path, {"topic": rows[:300], "whole": rows})
    drift = over_time(list(traffic(1, rows, 150)), bundle)
    assert drift.rows == []
    assert drift.notes[-1].startswith("topic is not compared with the held-out answers")


def test_the_sides_of_a_comparison_are_compared() -> None:
    one, other = [["a"], ["b"]], [["a"], ["a"], ["b"]]
    lines = [
        *traffic(1, one, 400, kind="single", revision="r1"),
        *traffic(2, one, 400, kind="single", revision="r2"),
        *traffic(3, other, 400, kind="single", revision="r3"),
    ]
    requests = requests_of(lines)
    sides = [Side(name, requests.of_revision(name)) for name in ("r1", "r2", "r3")]
    (same,) = drift_of_sides(sides[0], sides[1])
    assert verdicts(same) == {NOISE}
    (other_mix,) = drift_of_sides(sides[0], sides[2])
    changed = [row for row in other_mix.rows if row.verdict == CHANGED]
    assert [(row.topic, row.reference, row.column) for row in changed] == [
        ("topic labels", "r1", "r3")
    ]


def test_the_table_has_the_shares_of_the_lines() -> None:
    texts: list[dict[str, str | list[str]]] = [
        {"topic": "a", "tags": ["x", "y"]},
        {"topic": "b", "tags": []},
    ]
    lines = [
        line(at_s=number, texts=2, answers=answer_counts(*texts, pieces=4, unknown=1))
        for number in range(100)
    ]
    lines += [
        line(at_s=100 + number, answers=answer_counts({"topic": "a"})) for number in range(50)
    ]
    lines += [line(at_s=500), line(at_s=501, status=400)]
    drift = over_time(lines)
    assert (drift.requests, drift.texts) == ([150], [250])
    shares = {(row.topic, row.category): row.shares for row in drift.shares}
    assert shares["topic labels", "a"] == [pytest.approx(150 / 250)]
    assert shares["tags labels", "x"] == [0.5]
    assert shares["tags labels", "(none)"] == [0.5]
    assert shares["topic scores", "0.9-1.0"] == [1.0]
    assert shares["pieces", "unknown"] == [pytest.approx(200 / (200 * 4 + 50 * 4))]
    assert drift.verdict == "too few requests to tell a change"


def test_bundles_are_told_apart_and_lines_without_counts_left_out() -> None:
    one, other = (
        [line(answers=answer_counts({"t": "a"}), bundle=name)] * 3 for name in ("b@1", "b@2")
    )
    drifts = drift_over_time(requests_of([*one, *other, line()]), None)
    assert [(drift.title, drift.requests) for drift in drifts] == [
        ("Answers of b@1", [3]),
        ("Answers of b@2", [3]),
    ]
    with pytest.raises(SourceError, match="no line counts answers: an older version wrote them"):
        drift_over_time(requests_of([line()]), None)


def test_the_held_out_answers_of_another_bundle_are_refused(tmp_path: Path) -> None:
    requests = requests_of([line(answers=answer_counts({"t": "a"}))])
    with pytest.raises(SourceError, match=r"held_out\.json: no such file; training writes it"):
        drift_over_time(requests, tmp_path / "none")
    bundle = write_record(tmp_path, {"t": [["a"]]}, "b@2")
    with pytest.raises(SourceError, match="of another bundle than the log's: b@1"):
        drift_over_time(requests, bundle)


def test_parts_are_stretches_of_consecutive_requests() -> None:
    lines = [line(at_s=n, answers=answer_counts({"t": "ab"[n >= 450]})) for n in range(900)]
    requests = with_answers(requests_of([*lines, line(at_s=9000)]))
    labels = of_requests(requests)[Topic("t", "labels")]
    assert labels.counts.shape == (30, 2)
    assert set(map(tuple, labels.counts)) == {(30, 0), (0, 30)}
