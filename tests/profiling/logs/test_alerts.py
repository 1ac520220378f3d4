"""Alert policies: metrics that there are, values that can be compared, as gcloud sends them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of others

from tests.docs_text import PAGES, ROOT
from tests.profiling.logs.test_gcloud_lines import (
    GCLOUD,
    PARSING,
    Api,
    api,
    as_gcloud_reads,
    gcloud,
    with_api,
)

__all__ = ["api"]

CONSOLE = ROOT / "profiling" / "console"
POLICIES = sorted((CONSOLE / "alerts").glob("*.yaml"))
EACH_POLICY = pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
NEEDS_GCLOUD = pytest.mark.skipif(GCLOUD is None, reason="gcloud is not installed")
CREATE = "gcloud alpha monitoring policies create"
USER = "logging.googleapis.com/user/"
CLOUD_RUN = {
    "run.googleapis.com/request_count": ("INT64", {"response_code", "response_code_class"}),
    "run.googleapis.com/container/memory/utilizations": ("DISTRIBUTION", set()),
}
"""Value type and labels, by https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run."""
ALIGNED = {
    ("ALIGN_DELTA", "INT64"): "INT64",
    ("ALIGN_DELTA", "DISTRIBUTION"): "DISTRIBUTION",
    ("ALIGN_PERCENTILE_99", "DISTRIBUTION"): "DOUBLE",
    ("REDUCE_SUM", "INT64"): "INT64",
    ("REDUCE_MAX", "DOUBLE"): "DOUBLE",
    ("REDUCE_MEAN", "DISTRIBUTION"): "DOUBLE",
}
"""What an aligner or reducer makes of delta metrics, as the API's reference has it."""
CLAUSE = re.compile(r'(resource|metric)\.(type|labels\.(\w+))="([^"]+)"')


def documented(start: str) -> list[list[str]]:
    """The lines of docs/observe.md that begin so, as words."""
    lines = [line.strip() for line in PAGES["docs/observe.md"].splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(start)]


def declared_metrics() -> dict[str, tuple[str, set[str]]]:
    """Value type and labels of each metric that the documented lines make."""
    metrics = {}
    for words in documented("gcloud logging metrics create"):
        (path,) = (word.partition("=")[2] for word in words if "config-from-file" in word)
        descriptor = yaml.safe_load((ROOT / path).read_text())["metricDescriptor"]
        labels = {label["key"] for label in descriptor["labels"]}
        metrics[USER + words[4]] = (descriptor["valueType"], labels)
    return metrics


def value_type(text: str, aggregations: list[dict[str, str]]) -> str:
    """Of the one series that a filter and its aggregations make."""
    clauses = [CLAUSE.fullmatch(clause) for clause in text.split(" AND ")]
    named = {clause[1] + clause[2]: clause[4] for clause in clauses if clause}
    assert len(named) == len(clauses), text
    assert named["resourcetype"] == "cloud_run_revision"
    assert named["resourcelabels.service_name"] == "polyhead"
    kind, labels = (declared_metrics() | CLOUD_RUN)[named["metrictype"]]
    used = {clause[3] for clause in clauses if clause and clause[1] == "metric" and clause[3]}
    assert used <= labels
    (aggregation,) = aggregations
    for step in ("perSeriesAligner", "crossSeriesReducer"):
        kind = ALIGNED[aggregation[step], kind]
    return kind


def test_each_policy_has_a_documented_line() -> None:
    files = [words[-1].partition("=")[2] for words in documented(CREATE)]
    assert sorted(files) == [path.relative_to(ROOT).as_posix() for path in POLICIES]


@EACH_POLICY
def test_a_policy_compares_numbers_of_metrics_that_there_are(path: Path) -> None:
    for condition in yaml.safe_load(path.read_text())["conditions"]:
        threshold = condition["conditionThreshold"]
        assert value_type(threshold["filter"], threshold["aggregations"]) != "DISTRIBUTION"
        if "denominatorFilter" in threshold:
            below = threshold["denominatorAggregations"]
            assert value_type(threshold["denominatorFilter"], below) != "DISTRIBUTION"
            (above,) = threshold["aggregations"]
            assert above["alignmentPeriod"] == below[0]["alignmentPeriod"]


@pytest.mark.gcloud
@NEEDS_GCLOUD
def test_a_documented_line_is_parsed_and_a_wrong_one_told_apart(tmp_path: Path) -> None:
    for words in documented("gcloud alpha monitoring"):
        right = gcloud(words, tmp_path)
        assert right.returncode == 1, right.stderr
        assert "You do not currently have an active account selected" in right.stderr
    wrong = gcloud([*words, "--no-such-flag"], tmp_path)
    assert wrong.returncode == PARSING


@pytest.mark.gcloud
@NEEDS_GCLOUD
@EACH_POLICY
def test_a_policy_is_sent_as_it_is_written(api: Api, path: Path, tmp_path: Path) -> None:
    policy = yaml.safe_load(path.read_text())
    (words,) = (words for words in documented(CREATE) if words[-1].endswith(f"/{path.name}"))
    made = gcloud(words, tmp_path, **with_api(api, tmp_path))
    assert made.returncode == 0, made.stderr
    channel = "projects/my-project/notificationChannels/CHANNEL"
    sent = {**policy, "notificationChannels": [channel]}
    assert api.seen == [("/v3/projects/my-project/alertPolicies", sent)]
    read = as_gcloud_reads("AlertPolicy", policy, tmp_path)
    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout) == policy


@pytest.mark.gcloud
@NEEDS_GCLOUD
def test_a_policy_with_another_word_is_told_apart(tmp_path: Path) -> None:
    text = POLICIES[0].read_text()
    for wrong_text, field in (
        (text.replace("ALIGN_DELTA", "ALIGN_DELTAS"), "perSeriesAligner"),
        (text.replace("thresholdValue", "threshold"), "threshold"),
    ):
        read = as_gcloud_reads("AlertPolicy", yaml.safe_load(wrong_text), tmp_path)
        assert (read.returncode, f"['{field}']" in read.stderr) == (1, True), read.stderr
