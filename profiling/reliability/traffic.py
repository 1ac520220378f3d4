"""What callers send: mostly short texts, and everything else that a function on the net meets.

Each request comes with the statuses that are right for it, and a question with its right answer.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from model.classifier import Classifier
from profiling.bench import result
from profiling.reliability.protocols import Labels, Protocol, first_labels, protocols

CANARY = "Zanzibarzebra"
"""Part of every text, path and header that must never be seen in the log."""
DIFFERENT = {
    "short text": 200, "long text": 40, "list": 40, "gzip": 40, "bigquery": 40,
    "open inference": 40, "vertex": 40, "hugging face": 40,
}  # fmt: skip
"""Questions of a kind; they are answered for comparison before the server starts."""
KINDS = {
    "short text": 900, "long text": 20, "list": 20, "gzip": 10, "health": 30, "description": 10,
    "broken JSON": 20, "wrong field": 20, "unknown path": 10, "malformed head": 5,
    "too large": 2, "reset": 10, "stall": 5, "bigquery": 20, "open inference": 20, "vertex": 20,
    "hugging face": 20, "wrong protocol": 20, "unknown model": 5, "unknown task": 5,
}  # fmt: skip
"""And the weight of each."""


@dataclass(frozen=True)
class Exchange:
    """One request as bytes, and what may come back."""

    kind: str
    data: bytes
    statuses: frozenset[int]
    labels: Labels = ()
    """What is right; none: not a question."""
    protocol: Protocol | None = None
    """That of a question."""


class Traffic:
    """Requests of all kinds, drawn at random. Callers share it."""

    def __init__(self, classifier: Classifier, texts: Sequence[str], seed: int) -> None:
        self._classifier = classifier
        self._protocols = protocols(classifier.bundle)
        dice = random.Random(seed)
        self._by_kind = {kind: self._made(kind, texts, dice) for kind in KINDS}

    def draw(self, dice: random.Random) -> Exchange:
        (kind,) = dice.choices(list(KINDS), weights=list(KINDS.values()))
        return dice.choice(self._by_kind[kind])

    def _made(self, kind: str, texts: Sequence[str], dice: random.Random) -> list[Exchange]:
        if kind in DIFFERENT:
            questions = [_question(kind, texts, dice) for _ in range(DIFFERENT[kind])]
            return [self._asked(kind, question) for question in questions]
        return [Exchange(kind, data, frozenset(statuses)) for data, statuses in _SENT[kind]]

    def _asked(self, kind: str, texts: list[str]) -> Exchange:
        protocol = self._protocols.get(kind, self._protocols["own"])
        body, head = json.dumps(protocol.body(texts)).encode(), ""
        if kind == "gzip":
            body, head = gzip.compress(body, 1), "Content-Encoding: gzip\r\n"
        tasks = None if protocol.asks_all else protocol.compared
        labels = first_labels(self._classifier.predict(texts, tasks), protocol.compared)
        data = post(body, head, protocol.path)
        return Exchange(kind, data, frozenset((200, 429)), labels, protocol)


def post(body: bytes, headers: str = "", path: str = "/") -> bytes:
    """A POST as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nX-{CANARY}: {CANARY}\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def _question(kind: str, texts: Sequence[str], dice: random.Random) -> list[str]:
    if kind == "long text":
        return [", ".join(dice.choices(texts, k=dice.randint(20, 300)))[:9000]]
    if kind == "short text":
        return [dice.choice(texts)]
    return list(dict.fromkeys(dice.choices(texts, k=dice.randint(2, 12))))


HALF = post(json.dumps({"inputs": [CANARY * 10] * 100}).encode())[:-200]


def _wrong(path: str, body: object) -> tuple[bytes, tuple[int, ...]]:
    return post(json.dumps(body).encode(), path=path), (400,)


_SENT: dict[str, list[tuple[bytes, tuple[int, ...]]]] = {
    "health": [(_get("/health"), (200,)), (_get("/v2/health/live"), (200,))],
    "description": [(_get(path), (200,)) for path in ("/", "/v2")],
    "broken JSON": [(post(f'{{"inputs": "{CANARY}'.encode()), (400,))],
    "wrong field": [_wrong("/", {"inputs": "salt", CANARY: 1})],
    "wrong protocol": [
        _wrong("/bigquery", {"calls": [[CANARY, CANARY]]}),
        _wrong("/bigquery", {"calls": [[CANARY]], "userDefinedContext": {"task": CANARY}}),
        _wrong("/vertex", {"instances": [{"text": "salt", CANARY: CANARY}]}),
    ],
    "unknown model": [
        (_get(f"/v2/models/{CANARY}"), (404,)),
        (post(b"{}", path=f"/v2/models/{CANARY}/infer"), (400,)),
    ],
    "unknown task": [(post(b'{"inputs": "salt"}', path=f"/tasks/{CANARY}"), (404,))],
    "unknown path": [(_get(f"/{CANARY}"), (404,))],
    "malformed head": [(f"{CANARY}\r\n\r\n".encode(), (400,))],
    "too large": [(post(b" " * (2**20 + 2**18)), (413, 429))],
    "reset": [(HALF, ())],
    "stall": [(HALF, ())],
}


def shipped_texts(count: int = 5000) -> list[str]:
    """Short texts that the shipped bundle was made for."""
    return result.sample(result.TEXTS, count)
