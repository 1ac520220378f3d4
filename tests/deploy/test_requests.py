"""What is Cloud Run asked for? The requests that the pipeline, service.yaml and the docs send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.deploy.conftest import StandIn
from tests.deploy.gcloud import PROJECT
from tests.deploy.operator import block, lines
from tests.deploy.pipeline import Pipeline
from tests.docs_text import ROOT

pytestmark = pytest.mark.gcloud
Deployed = tuple[StandIn, Pipeline]
CLIENT = "run.googleapis.com/client-"
RUNTIME = f"polyhead-run@{PROJECT}.iam.gserviceaccount.com"
MEMBERS = {
    f"serviceAccount:polyhead-smoke@{PROJECT}.iam.gserviceaccount.com",
    "user:me@example.com",
}


def service_sent(stand_in: StandIn) -> Any:
    return stand_in.cloud.sent("PUT", "/services/polyhead")[-1].json


def settled(service: Any) -> Any:
    """The template's settings without names, gcloud's own marks and defaults sent or not."""
    template = service["spec"]["template"]
    annotations = {
        name: value.lower()
        for name, value in template["metadata"]["annotations"].items()
        if not name.startswith(CLIENT)
    }
    (container,) = template["spec"]["containers"]
    container = {key: value for key, value in container.items() if key not in ("image", "name")}
    container["resources"] = container["resources"]["limits"]
    rest = {key: value for key, value in template["spec"].items() if value and key != "containers"}
    return {"annotations": annotations, "container": container, **rest}


def test_the_pipeline_asks_for_what_was_measured(deployed: Deployed) -> None:
    cloud, pipeline = deployed
    sent = service_sent(cloud)
    assert settled(sent) == {
        "annotations": {
            "autoscaling.knative.dev/maxScale": "10",
            "run.googleapis.com/cpu-throttling": "true",
            "run.googleapis.com/execution-environment": "gen1",
            "run.googleapis.com/startup-cpu-boost": "true",
        },
        "container": {
            "env": [{"name": "GOOGLE_CLOUD_PROJECT", "value": PROJECT}],
            "resources": {"cpu": "1", "memory": "256Mi"},
            "startupProbe": {
                "httpGet": {"path": "/ready"},
                "periodSeconds": 1,
                "timeoutSeconds": 1,
                "failureThreshold": 60,
            },
            "livenessProbe": {
                "httpGet": {"path": "/health"},
                "periodSeconds": 30,
                "timeoutSeconds": 5,
                "failureThreshold": 3,
            },
        },
        "containerConcurrency": 8,
        "serviceAccountName": RUNTIME,
        "timeoutSeconds": 60,
    }
    (container,) = sent["spec"]["template"]["spec"]["containers"]
    assert container["image"] == pipeline.environment["IMAGE"]
    new = sent["spec"]["template"]["metadata"]["name"]
    assert sent["spec"]["traffic"] == [
        {"percent": 100, "revisionName": "polyhead-00001-abc"},
        {"revisionName": new, "tag": "candidate"},
    ]


def test_service_yaml_asks_for_the_same(deployed: Deployed) -> None:
    cloud, _ = deployed
    by_pipeline = service_sent(cloud)
    cloud.typed(f"cp {ROOT}/service.yaml .\n{block('gcloud run services replace')}")
    declared = service_sent(cloud)
    assert settled(declared) == settled(by_pipeline)
    for name in ("ingress", "invoker-iam-disabled"):
        documents = [
            service["metadata"]["annotations"][f"run.googleapis.com/{name}"].lower()
            for service in (declared, by_pipeline)
        ]
        assert documents[0] == documents[1]
    (container,) = declared["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"europe-west1-docker.pkg.dev/{PROJECT}/polyhead/polyhead:TAG"


def test_no_stranger_is_let_in(deployed: Deployed) -> None:
    """Nothing that is sent opens the service: neither its policy nor the check of it."""
    cloud, pipeline = deployed
    before = len(cloud.cloud.requests)
    for step in ("smoke", "rollout"):
        done = pipeline.run(step)
        assert done.returncode == 0, done.stderr
    pipelines = cloud.cloud.requests[before:]
    assert not any("IamPolicy" in request.path for request in pipelines), (
        "not the pipeline's affair"
    )
    policies = cloud.cloud.sent("POST", ":setIamPolicy")
    assert policies, "the first block of docs/deploy.md grants roles"
    assert not any(b"allUsers" in request.body for request in policies)
    assert not any(b"allAuthenticatedUsers" in request.body for request in policies)
    assert cloud.service.invokers() == MEMBERS
    disabled = "run.googleapis.com/invoker-iam-disabled"
    assert service_sent(cloud)["metadata"]["annotations"][disabled] == "False"
    url = cloud.service.document["status"]["url"]
    for header in ("Accept: */*", "Authorization: Bearer made-up"):
        answer = cloud.shell.run("curl", "-s", "-w", "%{http_code}", url, "-H", header)
        assert answer.stdout.endswith("401")


def test_the_readme_asks_and_is_answered(deployed: Deployed) -> None:
    """Its curl line, by an account that may call: a person's token would need a browser."""
    cloud, pipeline = deployed
    cloud.typed("gcloud run services update-traffic polyhead --to-tags=candidate=100")
    impersonated = (
        "print-identity-token --audiences=$URL "
        f"--impersonate-service-account={pipeline.environment['SMOKE_TESTER']}"
    )
    script = block("curl -s $URL").replace("print-identity-token", impersonated)
    done = cloud.shell.run("bash", "-euc", script)
    assert '"bundle": "ingredients@' in done.stdout, done.stderr


def test_settings_are_substitutions(created: StandIn, tmp_path: Path) -> None:
    options = "--substitutions=_MEMORY=1Gi,_CPU=2,_CONCURRENCY=4,_EXECUTION=gen2,_MIN_INSTANCES=1"
    assert created.submit(tmp_path / "w", options).run("deploy").returncode == 0
    service = settled(service_sent(created))
    assert service["container"]["resources"] == {"cpu": "2", "memory": "1Gi"}
    assert service["containerConcurrency"] == 4
    assert service["annotations"]["run.googleapis.com/execution-environment"] == "gen2"
    assert service["annotations"]["autoscaling.knative.dev/minScale"] == "1"


def test_the_environment_that_cannot_hold_the_memory_is_refused(deployed: Deployed) -> None:
    cloud, pipeline = deployed
    done = pipeline.run("deploy", EXECUTION="gen2")
    assert done.returncode == 1
    assert "gen2 needs at least 512Mi" in done.stderr
    assert cloud.service.traffic == {"polyhead-00001-abc": 100}


def test_the_build_runs_as_its_own_account(submitted: Pipeline) -> None:
    assert submitted.build["serviceAccount"].endswith(
        f"/polyhead-build@{PROJECT}.iam.gserviceaccount.com"
    )
    roles = {line.split("--role=")[1].split()[0] for line in lines("gcloud") if "--role=" in line}
    assert not roles & {"roles/owner", "roles/editor", "roles/run.admin", "roles/storage.admin"}
