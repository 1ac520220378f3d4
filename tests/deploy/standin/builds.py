"""What would Cloud Build be given? The build as gcloud read it, kept; nothing is run here."""

from __future__ import annotations

import re
from typing import Any

from tests.deploy.standin.proxy import Cloud, RefusalError, Request, Response, authorized, document

CREATE = re.compile(r"/v1/projects/([^/]+)/locations/([^/]+)/builds")
BUILD_ID = "0b8ae2f0-0000-0000-0000-000000000001"


class Builds:
    """`submitted` has every build as it was sent."""

    def __init__(self, cloud: Cloud) -> None:
        self.submitted: list[dict[str, Any]] = []
        cloud.serve(lambda host: host == "cloudbuild.test", self._answer)

    def _answer(self, request: Request) -> Response:
        authorized(request)
        match = CREATE.fullmatch(request.path)
        if match is None or request.method != "POST":
            raise RefusalError(404, f"no such method: {request.method} {request.path}")
        build = request.json
        self.submitted.append(build)
        name = f"operations/build/{match[1]}/{BUILD_ID}"
        about = {
            "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata"
        }
        return document(
            {
                "name": name,
                "metadata": {**about, "build": {**build, "id": BUILD_ID, "projectId": match[1]}},
            }
        )
