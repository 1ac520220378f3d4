"""Requests in, replies out: the routes, their answers, and the replies to errors."""

from __future__ import annotations

import json

from function.http.body import parse_json, read_body
from function.http.contract import PredictRequest, check_tasks, parse_request
from function.http.errors import RequestError, error_document
from function.http.loading import LazyClassifier
from function.http.turns import Turn, Turns
from function.record.log import stack_trace
from function.settings import Settings
from model.bundle import BundleError
from profiling.timer import startup, timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from function.http.request import Request
    from model.classifier import Classifier, Detailed

    Document = dict[str, object]
    Answer = Callable[[Request, "RequestFacts", Turn], Document]

LARGE_BYTES, LARGE_TEXTS = 2**16, 128
"""A request with a larger body, or with more texts, waits for its turn."""
WARM_UP = "ready"
"""Text that /ready predicts: the first run of a graph is slower than those after it."""


class Reply:
    """An answer before it is HTTP; the body is JSON or empty."""

    def __init__(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = headers or {}


class RequestFacts:
    """Facts of a request for its log line, filled in as it is answered."""

    def __init__(self) -> None:
        self.cold = False
        """The first request to use the bundle, and any that waited for it to load."""
        self.texts = 0
        self.tokens = 0
        self.failure: str | None = None
        """Why the answer is a 5xx; holds nothing that the user sent."""
        self.stack: str | None = None


class Service:
    """Everything behind the handler. Costs nothing to make; the bundle waits for a request."""

    def __init__(self, settings: Settings, classifier: LazyClassifier | None = None) -> None:
        """With a `classifier` that may be loading already, else with one that loads when asked."""
        self._settings = settings
        self.classifier = classifier or LazyClassifier(settings.bundle, settings.threads)
        self._turns = Turns(settings.threads)
        self._routes: dict[str, dict[str, Answer]] = {
            "/": {"GET": self._describe, "POST": self._predict},
            "/health": {"GET": self._health},
            "/ready": {"GET": self._ready},
        }

    def knows(self, path: str) -> bool:
        return path in self._routes

    def answer(
        self, request: Request, facts: RequestFacts, refusal: RequestError | None = None
    ) -> Reply:
        """The reply to any request, whatever goes wrong; `refusal`: the server's own reason."""
        try:
            if refusal is not None:
                raise refusal
            return self._reply(request, facts)
        except RequestError as error:
            return Reply(error.status, serialize(error.document), error.headers)
        except BundleError as error:
            facts.failure = f"the bundle cannot be used: {error}"
            facts.stack = stack_trace(error)
            problem = f"The server's bundle cannot be used: {error.problem}."
            message = f"{problem} No request can be answered until it is replaced."
            return Reply(503, serialize(error_document("bundle_unusable", message)))
        except Exception as error:
            facts.failure = type(error).__qualname__
            facts.stack = stack_trace(error)
            message = "The server failed and wrote down where; your request may be sent again."
            return Reply(500, serialize(error_document("internal", message)))

    def _reply(self, request: Request, facts: RequestFacts) -> Reply:
        methods = self._routes.get(request.path)
        if methods is None:
            message = f"There is nothing here; send POST / or GET {', '.join(self._routes)}."
            raise RequestError(404, "not_found", message)
        allow = ", ".join([*methods, "HEAD", "OPTIONS"])
        if request.method == "OPTIONS":
            return Reply(204, "", {"Allow": allow})
        answer = methods.get("GET" if request.method == "HEAD" else request.method)
        if answer is None:
            message = f"This path takes {allow}; send one of those."
            raise RequestError(405, "method_not_allowed", message, headers={"Allow": allow})
        with Turn(self._turns) as turn:
            return Reply(200, serialize(answer(request, facts, turn)))

    def _predict(self, request: Request, facts: RequestFacts, turn: Turn) -> Document:
        parsed = self._parse(request, turn)
        facts.texts = len(parsed.texts)
        classifier = self._load(facts)
        check_tasks(parsed, [task.name for task in classifier.bundle.tasks])
        if facts.texts > LARGE_TEXTS:
            turn.take()
        detailed = classifier.predict_detailed(
            parsed.texts, parsed.tasks, parsed.top_k, parsed.min_score
        )
        facts.tokens = detailed.tokens
        return predictions_document(detailed, classifier.bundle.identity)

    @timer.span("parse")
    def _parse(self, request: Request, turn: Turn) -> PredictRequest:
        settings = self._settings
        body = read_body(request, settings.max_bytes)
        if len(body) > LARGE_BYTES:
            turn.take()
        return parse_request(parse_json(body), settings.max_texts, settings.max_chars)

    def _describe(self, _request: Request, _facts: RequestFacts, _turn: Turn) -> Document:
        bundle = self.classifier.manifest()
        tasks = [
            {"name": task.name, "kind": task.kind, "labels": list(task.labels)}
            for task in bundle.tasks
        ]
        limits = ("max_bytes", "max_texts", "max_chars")
        return {
            "service": "polyhead",
            "bundle": bundle.identity,
            "base": bundle.base,
            "max_tokens": bundle.max_tokens,
            "tasks": tasks,
            "limits": {name: getattr(self._settings, name) for name in limits},
        }

    def _health(self, _request: Request, _facts: RequestFacts, _turn: Turn) -> Document:
        return {"status": "alive"}

    def _ready(self, _request: Request, facts: RequestFacts, _turn: Turn) -> Document:
        classifier = self._load(facts)
        if facts.cold:
            classifier.predict([WARM_UP])
        return {"status": "ready", "bundle": classifier.bundle.identity}

    def _load(self, facts: RequestFacts) -> Classifier:
        facts.cold = not (self.classifier.loaded and self.classifier.requested)
        self.classifier.requested = True
        classifier = self.classifier.get()
        if facts.cold:
            startup.hand_over(timer.current)
        return classifier


def predictions_document(detailed: Detailed, identity: str) -> Document:
    """The answer of POST / and of the command line; `truncated` only when a text was cut."""
    document: Document = {"predictions": detailed.predictions, "bundle": identity}
    if detailed.truncated:
        document["truncated"] = detailed.truncated
    return document


@timer.span("respond")
def serialize(document: Document) -> str:
    """JSON in ASCII: an error may quote a lone surrogate, which UTF-8 cannot hold."""
    return json.dumps(document, allow_nan=False)
