"""A deployment from submission to full traffic, and back: each step's shell text as written."""

from __future__ import annotations

import re

import pytest

from tests.deploy.conftest import StandIn
from tests.deploy.operator import lines
from tests.deploy.pipeline import Pipeline
from tests.deploy.standin.run import Service
from tests.docs_text import PAGES
from tests.serving import Server

pytestmark = pytest.mark.gcloud
Deployed = tuple[StandIn, Pipeline]
(SHOWN,) = re.findall(r"```console\n(Traffic:.*?)```", PAGES["docs/deploy.md"], re.DOTALL)
OLD = "polyhead-00001-abc"


def plain(text: str) -> str:
    """Without colours, and with one name for the new revision, whose end gcloud draws by lot."""
    return re.sub(r"-00002-\w{3}", "-00002-dox", re.sub(r"\x1b\[\d*m", "", text))


def new_revision(service: Service) -> str:
    return service.tags["candidate"]


def test_the_new_revision_gets_all_traffic_in_steps(deployed: Deployed) -> None:
    cloud, pipeline = deployed
    new = new_revision(cloud.service)
    assert cloud.service.traffic == {OLD: 100}
    smoke = pipeline.run("smoke")
    assert (smoke.returncode, "3 of 3 answered, 401 without a token" in smoke.stdout) == (0, True)
    assert cloud.service.traffic == {OLD: 100}
    cloud.run.history.clear()
    rollout = pipeline.run("rollout")
    assert rollout.returncode == 0, rollout.stderr
    assert cloud.run.history == [{OLD: 90, new: 10}, {OLD: 50, new: 50}, {new: 100}]
    assert rollout.stdout.count("50 of 50 answered") == 3


def test_a_fault_under_way_takes_all_traffic_back(deployed: Deployed, broken: Server) -> None:
    cloud, pipeline = deployed
    new = new_revision(cloud.service)
    assert pipeline.run("smoke").returncode == 0
    cloud.run.history.clear()

    def fail_at_half(service: Service) -> None:
        if service.traffic.get(new, 0) == 50:
            cloud.running.ports[pipeline.environment["IMAGE"]] = broken.port

    cloud.run.changed = fail_at_half
    rollout = pipeline.run("rollout")
    assert rollout.returncode == 1
    assert cloud.run.history == [{OLD: 90, new: 10}, {OLD: 50, new: 50}, {OLD: 100}]
    assert "answers 503" in rollout.stderr
    assert "bundle_unusable" in rollout.stderr
    assert f"rolling back to {OLD}=100" in rollout.stderr
    assert cloud.service.tags == {"candidate": new}, "the fault can still be looked at"
    output = plain(rollout.stdout + rollout.stderr)
    for line in SHOWN.splitlines():
        assert plain(line) in output


def test_a_split_is_restored_as_it_was(deployed: Deployed, broken: Server) -> None:
    cloud, pipeline = deployed
    first = new_revision(cloud.service)
    assert pipeline.run("smoke").returncode == 0
    cloud.typed(f"gcloud run services update-traffic polyhead --to-revisions={OLD}=30,{first}=70")
    assert pipeline.run("deploy", MEMORY="512Mi").returncode == 0
    assert cloud.service.traffic == {OLD: 30, first: 70}
    cloud.running.ports[pipeline.environment["IMAGE"]] = broken.port
    assert pipeline.run("rollout").returncode == 1
    assert cloud.service.traffic == {OLD: 30, first: 70}


def test_a_revision_that_fails_its_smoke_test_gets_no_traffic(
    deployed: Deployed, broken: Server
) -> None:
    cloud, pipeline = deployed
    cloud.running.ports[pipeline.environment["IMAGE"]] = broken.port
    smoke = pipeline.run("smoke")
    assert (smoke.returncode, "answers 503" in smoke.stderr) == (1, True)
    assert cloud.service.traffic == {OLD: 100}


def test_another_bundle_than_the_one_verified_is_noticed(
    deployed: Deployed,
) -> None:
    _, pipeline = deployed
    (pipeline.shell.folder / "bundle.identity").write_text("ingredients@000000000000")
    smoke = pipeline.run("smoke")
    assert smoke.returncode == 1
    assert "not of ingredients@000000000000" in smoke.stderr


def test_a_public_service_is_noticed(deployed: Deployed) -> None:
    cloud, pipeline = deployed
    cloud.typed(
        "gcloud run services add-iam-policy-binding polyhead "
        "--member=allUsers --role=roles/run.invoker"
    )
    smoke = pipeline.run("smoke")
    assert smoke.returncode == 1
    assert "answers 200 without a token; it must be private" in smoke.stderr


def test_by_hand_the_readme_goes_back(deployed: Deployed) -> None:
    cloud, pipeline = deployed
    assert pipeline.run("smoke").returncode == 0
    assert pipeline.run("rollout").returncode == 0
    (line,) = lines("gcloud run services update-traffic")
    cloud.typed(line.replace("REVISION", OLD))
    assert cloud.service.traffic == {OLD: 100}
