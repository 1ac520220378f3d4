"""What would a caller reach? The revision that traffic picks, behind the check of the token."""

from __future__ import annotations

import http.client

from tests.deploy.standin.proxy import Cloud, RefusalError, Request, Response
from tests.deploy.standin.run import DOMAIN, Run, Service
from tests.deploy.standin.tokens import Tokens

HELLO = "us-docker.pkg.dev/cloudrun/container/hello"
STRIDE = 37  # prime to 100, so that a hundred requests meet every share exactly


class Running:
    """`ports` maps an image to the local port on which a real process serves it."""

    def __init__(self, cloud: Cloud, run: Run, tokens: Tokens) -> None:
        self.ports: dict[str, int] = {}
        self._run, self._tokens = run, tokens
        self._count = 0
        cloud.serve(lambda host: host.endswith(f"-abc.{DOMAIN}"), self._answer)

    def _answer(self, request: Request) -> Response:
        tag, _, host = request.host.rpartition("---")
        service = next((item for item in self._run.services.values() if item.host == host), None)
        if service is None or (tag and tag not in service.tags):
            raise RefusalError(404, "no such service")
        self._admit(request, service)
        revision = service.tags[tag] if tag else self._picked(service)
        image = service.revisions[revision]["spec"]["containers"][0]["image"]
        return Response(200, b"hello") if image == HELLO else _handed_on(request, self.ports[image])

    def _admit(self, request: Request, service: Service) -> None:
        """The service's own address is the audience, for its tags too."""
        annotations = service.document["metadata"]["annotations"]
        unchecked = annotations.get("run.googleapis.com/invoker-iam-disabled") == "true"
        if unchecked or "allUsers" in service.invokers():
            return
        who, audience = self._tokens.issued.get(request.token or "", (None, None))
        if audience != f"http://{service.host}":
            raise RefusalError(401, "no valid identity token for this audience")
        if who not in service.invokers():
            raise RefusalError(403, f"{who} may not call {service.name}")

    def _picked(self, service: Service) -> str:
        self._count += 1
        place = self._count * STRIDE % 100
        for revision, percent in service.traffic.items():
            if place < percent:
                return revision
            place -= percent
        raise AssertionError("traffic sums to 100")


def _handed_on(request: Request, port: int) -> Response:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(request.method, request.path, request.body or None)
        answer = connection.getresponse()
        return Response(answer.status, answer.read(), {"Content-Type": "application/json"})
    except OSError:
        return Response(503, b"The instance could not start.")
    finally:
        connection.close()
