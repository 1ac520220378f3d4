"""Cloud Logging on localhost: google.logging.v2 over gRPC and TLS, with a root and keys of its own.

It holds entries, checks who calls, answers the filters that we send and refuses others, and
hands out pages. The client is the real library in a process of its own, which gets the
root and the credentials as everywhere: by environment variables.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]  # its stubs are a package of others
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from google.auth import jwt
from google.cloud.logging_v2.types import (
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    LogEntry,
)

from profiling.logs.entry import parse_time

METHOD = "/google.logging.v2.LoggingServiceV2/ListLogEntries"
SECRET = serialization.NoEncryption()
PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
READER = "reader@testing.iam.gserviceaccount.com"


@dataclass
class CloudLogging(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc is untyped
    """The service; `failures` says which calls fail, and how: the first is 1."""

    entries: list[dict[str, Any]]
    certificate: bytes
    page: int = 1000
    failures: dict[int, tuple[grpc.StatusCode, str]] = field(default_factory=dict)
    calls: list[ListLogEntriesRequest] = field(default_factory=list)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self.list_entries, ListLogEntriesRequest.deserialize, ListLogEntriesResponse.serialize
        )

    def list_entries(
        self, request: ListLogEntriesRequest, context: grpc.ServicerContext
    ) -> ListLogEntriesResponse:
        self.calls.append(request)
        self._check_caller(dict(context.invocation_metadata()), context)
        if len(self.calls) in self.failures:
            context.abort(*self.failures[len(self.calls)])
        if request.order_by != "timestamp asc":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"order_by is {request.order_by!r}")
        try:
            entries = [entry for entry in self.entries if matches(request.filter, entry)]
        except ValueError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Unparseable filter: {error}")
        entries.sort(key=lambda entry: str(entry["timestamp"]))
        start = int(request.page_token or 0)
        end = start + min(self.page, request.page_size or 50)
        return ListLogEntriesResponse(
            entries=[LogEntry.from_json(json.dumps(entry)) for entry in entries[start:end]],
            next_page_token=str(end) if end < len(entries) else "",
        )

    def _check_caller(self, metadata: Mapping[str, str], context: grpc.ServicerContext) -> None:
        token = metadata.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(  # type: ignore[no-untyped-call]
                token, certs=self.certificate, clock_skew_in_seconds=10
            )
        except ValueError as error:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, f"Bad token: {error}")
        assert claims["iss"] == READER


def matches(text: str, entry: Mapping[str, Any]) -> bool:
    """Whether an entry passes a filter; raises ValueError at what this server does not know."""
    return all(_matches_line(line, entry) for line in text.splitlines())


def _matches_line(line: str, entry: Mapping[str, Any]) -> bool:
    if line == "(jsonPayload.profile:* OR severity>=ERROR)":
        severe = entry["severity"] in ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")
        return "profile" in entry.get("jsonPayload", {}) or severe
    if parts := re.fullmatch(r'timestamp(>=|<)"([^"]+)"', line):
        limit, at = parse_time(parts[2]), parse_time(entry["timestamp"])
        return at >= limit if parts[1] == ">=" else at < limit
    if parts := re.fullmatch(r'resource\.(type|labels\.\w+)="([^"]+)"', line):
        return _resource(entry, parts[1]) == parts[2]
    if parts := re.fullmatch(r'resource\.(labels\.\w+)=\(("[^"]+"(?: OR "[^"]+")*)\)', line):
        return _resource(entry, parts[1]) in re.findall(r'"([^"]+)"', parts[2])
    raise ValueError(line)


def _resource(entry: Mapping[str, Any], path: str) -> object:
    resource = entry["resource"]
    return resource["labels"].get(path.removeprefix("labels.")) if "." in path else resource[path]


@dataclass(frozen=True)
class Running:
    service: CloudLogging
    endpoint: str
    environment: dict[str, str]
    """What a client needs to trust the server, and to be trusted."""


@contextmanager
def running(entries: list[dict[str, Any]], folder: Path) -> Iterator[Running]:
    """The service on a free port of localhost; keys and certificates are made in `folder`."""
    root_key, root = _root()
    key, certificate = _signed(root_key, root)
    caller_key = rsa.generate_private_key(65537, 2048)
    public = caller_key.public_key().public_bytes(
        PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    service = CloudLogging(entries, public)
    server = grpc.server(ThreadPoolExecutor(4), handlers=[service])
    credentials = grpc.ssl_server_credentials([(key, certificate)])
    port = server.add_secure_port("localhost:0", credentials)
    (folder / "root.pem").write_bytes(root.public_bytes(PEM))
    (folder / "account.json").write_text(json.dumps(_account(caller_key)))
    environment = {
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(folder / "root.pem"),
        "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "account.json"),
    }
    server.start()
    try:
        yield Running(service, f"localhost:{port}", environment)
    finally:
        server.stop(None).wait()


def _account(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """A service account's key file, as `gcloud iam service-accounts keys create` writes it."""
    return {
        "type": "service_account",
        "project_id": "testing",
        "private_key_id": "1",
        "private_key": key.private_bytes(PEM, PKCS8, SECRET).decode(),
        "client_email": READER,
        "token_uri": "https://localhost:9/token",  # a self-signed token needs no exchange
    }


def _root() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a root for one test")])
    usage = x509.BasicConstraints(ca=True, path_length=None)
    made = _builder(name, name, key).add_extension(usage, critical=True)
    return key, made.sign(key, hashes.SHA256())


def _signed(root_key: ec.EllipticCurvePrivateKey, root: x509.Certificate) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = _builder(name, root.subject, key).add_extension(
        x509.SubjectAlternativeName(addresses), critical=False
    )
    certificate = made.sign(root_key, hashes.SHA256())
    return key.private_bytes(PEM, PKCS8, SECRET), certificate.public_bytes(PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
