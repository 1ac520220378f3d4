"""Which APIs are on? Nobody here may ask: gcloud must do without, as the build's account does."""

from __future__ import annotations

from tests.deploy.standin.proxy import Cloud, RefusalError, Request, Response


def refuse_usage(cloud: Cloud) -> None:
    cloud.serve(lambda host: host == "serviceusage.test", _refuse)


def _refuse(request: Request) -> Response:
    raise RefusalError(403, f"Permission denied to get service: {request.path}")
