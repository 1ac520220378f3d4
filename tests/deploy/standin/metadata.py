"""Who does a program on Google Cloud run as? The metadata server, as its clients find it."""

from __future__ import annotations

from tests.deploy.standin.proxy import Cloud, RefusalError, Request, Response, document
from tests.deploy.standin.tokens import Tokens

HOSTS = ("metadata.google.internal", "169.254.169.254")
FLAVOR = {"Metadata-Flavor": "Google"}
TEXT = {**FLAVOR, "Content-Type": "application/text"}
ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default/"


class Metadata:
    """Issues identity tokens of one service account."""

    def __init__(self, cloud: Cloud, tokens: Tokens, account: str) -> None:
        self._tokens, self._account = tokens, account
        cloud.serve(lambda host: host in HOSTS, self._answer)

    def _answer(self, request: Request) -> Response:
        if request.headers.get("metadata-flavor") != "Google":
            raise RefusalError(403, "Missing required header: Metadata-Flavor")
        if request.path == "/":
            return Response(200, b"computeMetadata/\n", TEXT)
        if request.path == ACCOUNT:
            account = {"email": self._account, "aliases": ["default"], "scopes": []}
            return document(account, 200, **FLAVOR)
        if request.path == f"{ACCOUNT}identity":
            token = self._tokens.issue(self._account, request.query["audience"])
            return Response(200, token.encode(), TEXT)
        raise RefusalError(404, f"no such metadata: {request.path}")
