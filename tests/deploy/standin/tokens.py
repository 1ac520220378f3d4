"""Who is calling? Identity tokens of service accounts, good for one audience each."""

from __future__ import annotations

import base64
import json
import re
import time

from tests.deploy.standin.proxy import Cloud, RefusalError, Request, Response, authorized, document

ISSUE = re.compile(r"/v1/projects/-/serviceAccounts/([^/:]+):(generateIdToken|generateAccessToken)")
FAR = "2099-01-01T00:00:00Z"


class Tokens:
    """`issued` maps a token to (who, audience)."""

    def __init__(self, cloud: Cloud) -> None:
        self.issued: dict[str, tuple[str, str]] = {}
        cloud.serve(lambda host: host == "iamcredentials.test", self._answer)

    def _answer(self, request: Request) -> Response:
        match = ISSUE.fullmatch(request.path)
        if match is None:
            raise RefusalError(404, f"no such method: {request.path}")
        account, method = match[1], match[2]
        if method == "generateAccessToken":
            authorized(request)
            return document({"accessToken": f"access-of-{account}", "expireTime": FAR})
        return document({"token": self.issue(account, request.json["audience"])})

    def issue(self, account: str, audience: str) -> str:
        """A token that no other is equal to."""
        token = _token(account, audience, len(self.issued))
        self.issued[token] = (f"serviceAccount:{account}", audience)
        return token


def _token(account: str, audience: str, number: int) -> str:
    """An unsigned JSON web token: gcloud reads its expiry."""
    claims = {"aud": audience, "email": account, "exp": int(time.time()) + 3600, "jti": number}
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    parts.append(b"local")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
