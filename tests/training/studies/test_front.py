"""The front holds what nothing beats, and the pick is the best of what fits."""

from dataclasses import replace

import pytest

from training.studies.sweep.front import COSTS, BundleLimits, NothingFitsError, Point, front, pick

PLAIN = Point(
    name="", network="student", precision="int8", layers=3, width=384, pieces=9000,
    max_tokens=32, bundle="", mb=0, accuracy=0, test=0, validation_tasks={}, test_tasks={},
)  # fmt: skip


def point(name: str, accuracy: float, ms: float, mb: float) -> Point:
    return replace(PLAIN, name=name, accuracy=accuracy, latency_ms=ms, mb=mb)


LARGE = point("large", 92.0, 4.0, 20)
MIDDLE = point("middle", 91.0, 2.0, 10)
SLIM = point("slim", 90.0, 2.5, 5)
TINY = point("tiny", 85.0, 0.5, 2)
BEATEN = point("beaten", 84.0, 3.0, 12)
EQUAL = point("equal", 91.04, 2.2, 11)
POINTS = [BEATEN, TINY, EQUAL, LARGE, SLIM, MIDDLE]


def test_each_front_holds_what_nothing_equals_at_its_cost() -> None:
    assert front(POINTS, COSTS["latency"]) == [TINY, MIDDLE, LARGE]
    assert front(POINTS, COSTS["size"]) == [TINY, SLIM, MIDDLE, LARGE]


def test_a_front_agrees_with_comparing_every_pair() -> None:
    for cost in COSTS.values():
        unbeaten = {
            one.name
            for one in POINTS
            if not any(
                round(other.accuracy, 1) >= round(one.accuracy, 1) and cost(other) < cost(one)
                for other in POINTS
            )
        }
        assert {one.name for one in front(POINTS, cost)} == unbeaten


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (BundleLimits(max_mb=8), SLIM),
        (BundleLimits(max_latency_ms=2), MIDDLE),
        (BundleLimits(max_latency_ms=1, max_mb=8), TINY),
        (BundleLimits(min_accuracy=90), MIDDLE),
        (BundleLimits(min_accuracy=90, max_mb=8), SLIM),
        (BundleLimits(min_accuracy=84, max_latency_ms=3), TINY),
        (BundleLimits(min_accuracy=84, max_latency_ms=3, max_mb=10), MIDDLE),
    ],
)
def test_the_pick_is_best_in_what_has_no_limit(limits: BundleLimits, expected: Point) -> None:
    assert pick(POINTS, limits) is expected


def test_limits_that_nothing_meets_say_what_there_is() -> None:
    with pytest.raises(
        NothingFitsError,
        match=r"max_mb 1, min_accuracy 95: .*smallest tiny \(85.0 %, 0.50 ms, 2.0 MB\).*large",
    ):
        pick(POINTS, BundleLimits(max_mb=1, min_accuracy=95))
