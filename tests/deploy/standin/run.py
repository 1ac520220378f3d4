"""What would Cloud Run keep? Services, their revisions, their traffic and who may call them."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.deploy.standin.proxy import Cloud, RefusalError, Request, Response, authorized, document

SERVICES = re.compile(r"/apis/serving\.knative\.dev/v1/namespaces/([^/]+)/services(?:/([^/]+))?")
ACCESS = re.compile(r"/v1/projects/[^/]+/locations/[^/]+/services/([^/:]+):([gs]et)IamPolicy")
DOMAIN = "run.test"
HOSTS = (DOMAIN, f"europe-west1-{DOMAIN}")
INVOKER = "roles/run.invoker"
GEN2_LEAST_MIB = 512
UNITS_MIB = {"Mi": 1, "Gi": 1024, "M": 10**6 / 2**20, "G": 10**9 / 2**20}
THEN = "2026-01-01T00:00:00Z"
READY = ("Ready", "ConfigurationsReady", "RoutesReady")


@dataclass
class Service:
    """One service. `document` is what the API shows; `policy` its access policy."""

    document: dict[str, Any]
    policy: dict[str, Any] = field(default_factory=dict)
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Template of each revision, oldest first."""

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def host(self) -> str:
        return f"{self.name}-abc.{DOMAIN}"

    @property
    def traffic(self) -> dict[str, int]:
        """{revision: percent} of the revisions that get any."""
        shares: dict[str, int] = {}
        for target in self.document["status"]["traffic"]:
            if target.get("percent"):
                name = target["revisionName"]
                shares[name] = shares.get(name, 0) + target["percent"]
        return shares

    @property
    def tags(self) -> dict[str, str]:
        targets = self.document["status"]["traffic"]
        return {item["tag"]: item["revisionName"] for item in targets if item.get("tag")}

    def taken(self, name: str, template: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The latest revision's name, and the revisions with it; an old template makes no new."""
        template = deepcopy(template)
        revision_name = template["metadata"].pop("name", None)
        latest = next(reversed(self.revisions), None)
        if latest is None or template != self.revisions[latest]:
            latest = revision_name or f"{name}-{len(self.revisions) + 1:05d}-abc"
        elif revision_name not in (None, latest):
            raise RefusalError(409, f"revision {revision_name} would equal {latest}")
        return latest, {**self.revisions, latest: template}

    def invokers(self) -> set[str]:
        bindings = self.policy.get("bindings", [])
        return {
            member for item in bindings if item["role"] == INVOKER for member in item["members"]
        }


class Run:
    """The API. `history` has the traffic after each change, which `changed` is told of."""

    def __init__(self, cloud: Cloud) -> None:
        self.services: dict[str, Service] = {}
        self.history: list[dict[str, int]] = []
        self.changed: Callable[[Service], None] = lambda service: None
        self._cloud = cloud
        cloud.serve(lambda host: host in HOSTS, self._answer)

    def _answer(self, request: Request) -> Response:
        authorized(request)
        with self._cloud.lock:
            if match := ACCESS.fullmatch(request.path):
                return self._access(self._service(match[1]), request)
            match = SERVICES.fullmatch(request.path)
            if match is None:
                raise RefusalError(404, f"no such method: {request.method} {request.path}")
            return self._services(request, match[1], match[2])

    def _services(self, request: Request, project: str, name: str | None) -> Response:
        if request.method == "GET" and name is None:
            items = [service.document for service in self.services.values()]
            return document({"kind": "ServiceList", "items": items})
        if request.method == "GET":
            return document(self._service(str(name)).document)
        desired = request.json
        name = desired["metadata"]["name"]
        if desired["metadata"]["namespace"] != project:
            raise RefusalError(400, "metadata.namespace is not the project that was requested")
        if request.method == "POST" and name in self.services:
            raise RefusalError(409, f"{name} exists")
        if request.method == "PUT":
            self._service(name)
        if request.query.get("dryRun") == "all":
            checked(desired)
            return document(desired)
        return document(self._apply(name, desired).document)

    def _service(self, name: str) -> Service:
        if name not in self.services:
            raise RefusalError(404, f"Resource '{name}' of kind 'SERVICE' does not exist.")
        return self.services[name]

    def _access(self, service: Service, request: Request) -> Response:
        if request.path.endswith(":setIamPolicy"):
            service.policy = request.json["policy"]
        return document(service.policy)

    def _apply(self, name: str, desired: dict[str, Any]) -> Service:
        """Take the wanted state; a new template makes a new revision."""
        checked(desired)
        service = self.services.get(name) or Service({"metadata": {"generation": 0}})
        latest, revisions = service.taken(name, desired["spec"]["template"])
        targets = desired["spec"].setdefault("traffic", [{"latestRevision": True, "percent": 100}])
        status_traffic = resolved(targets, revisions, latest)
        generation = service.document["metadata"]["generation"] + 1
        desired["metadata"] |= {
            "generation": generation,
            "resourceVersion": f"v{generation}",
            "uid": f"uid-{name}",
            "selfLink": f"/apis/serving.knative.dev/v1/namespaces/x/services/{name}",
            "creationTimestamp": THEN,
        }
        service.document, service.revisions = desired, revisions
        for target in status_traffic:
            if target.get("tag"):
                target["url"] = f"http://{target['tag']}---{service.host}"
        desired["status"] = {
            "observedGeneration": generation,
            "conditions": [
                {"type": kind, "status": "True", "lastTransitionTime": THEN} for kind in READY
            ],
            "latestCreatedRevisionName": latest,
            "latestReadyRevisionName": latest,
            "traffic": status_traffic,
            "url": f"http://{service.host}",
            "address": {"url": f"http://{service.host}"},
        }
        self.services[name] = service
        self.history.append(service.traffic)
        self.changed(service)
        return service


def resolved(
    targets: list[dict[str, Any]], revisions: dict[str, Any], latest: str
) -> list[dict[str, Any]]:
    """Traffic with the revision that each target means. Refuses what Cloud Run refuses."""
    resolved = []
    for target in targets:
        name = latest if target.get("latestRevision") else target.get("revisionName")
        if name not in revisions:
            raise RefusalError(400, f"spec.traffic: there is no revision {name}")
        resolved.append({**target, "revisionName": name})
    total = sum(target.get("percent", 0) for target in targets)
    if total != 100:
        raise RefusalError(400, f"spec.traffic: percents sum to {total}, not 100")
    return resolved


def checked(desired: dict[str, Any]) -> None:
    """Refuse what Cloud Run refuses of these settings."""
    template = desired["spec"]["template"]
    environment = template["metadata"]["annotations"].get(
        "run.googleapis.com/execution-environment"
    )
    limits = template["spec"]["containers"][0].get("resources", {}).get("limits", {})
    memory = re.fullmatch(r"(\d+)(Mi|Gi|M|G)", limits.get("memory", "512Mi"))
    if memory is None:
        raise RefusalError(400, f"limits.memory: {limits['memory']}")
    if environment == "gen2" and int(memory[1]) * UNITS_MIB[memory[2]] < GEN2_LEAST_MIB:
        raise RefusalError(400, "gen2 needs at least 512Mi of memory")
