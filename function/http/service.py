"""Requests in, replies out: the routes, their answers, and the replies to errors.

These are the paths of the project's own protocol. Those of others are in function/http/dialects/,
each of which is imported when it is first asked.
"""

from __future__ import annotations

import json

from function.http.body import parse_json, read_body
from function.http.contract import PredictRequest, check_tasks, parse_request
from function.http.errors import RequestError, error_document
from function.http.loading import LazyClassifier
from function.http.turns import Turn, Turns
from function.record.log import stack_trace
from function.settings import Settings
from model.answers import AnswerCounts
from model.bundle import BundleError
from profiling.timer import startup, timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from function.http.request import Request
    from model.bundle import Bundle
    from model.classifier import Classifier, Detailed

    Document = dict[str, object]
    Answer = Callable[["Call"], object]
    """Answers a call with what is to be written as JSON, a string of JSON, or a whole reply."""
    ErrorWriter = Callable[[int, Document], tuple[int, Document]]

LARGE_BYTES, LARGE_TEXTS = 2**16, 128
"""A request with a larger body, or with more texts, waits for its turn."""
WARM_UP = "ready"
"""Text that /ready predicts: the first run of a graph is slower than those after it."""


class Reply:
    """An answer before it is HTTP; the body is empty, or JSON if no header says otherwise."""

    def __init__(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = headers or {}


class RequestFacts:
    """Facts of a request for its log line, filled in as it is answered."""

    def __init__(self) -> None:
        self.route: str | None = None
        """The path, as it is declared; None: there is no such path."""
        self.cold = False
        """The first request to use the bundle, and any that waited for it to load."""
        self.texts = 0
        self.tokens = 0
        self.explain_tokens = 0
        """Run for explanations, besides `tokens`."""
        self.answers = AnswerCounts()
        self.failure: str | None = None
        """Why the answer is a 5xx; holds nothing that the user sent."""
        self.stack: str | None = None


class Dialect:
    """One protocol: what its paths answer, and how it says errors."""

    def __init__(self, routes: dict[str, dict[str, Answer]], write_error: ErrorWriter) -> None:
        """`routes`: answers by path and method. A part of a path in capitals is any text.

        `write_error` makes status and body of those of an error as POST / answers it.
        """
        self.routes = routes
        self.write_error = write_error

    def route_of(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The declared path that `path` is one of, and its parts that were in capitals."""
        if path in self.routes:
            return path, {}
        parts = path.split("/")
        for route in self.routes:
            names = route.split("/")
            if len(names) == len(parts) and all(
                name == part or (name.isupper() and part)
                for name, part in zip(names, parts, strict=True)
            ):
                pairs = zip(names, parts, strict=True)
                return route, {name: part for name, part in pairs if name.isupper()}
        return None

    def routes_by_method(self) -> str:
        """What may be sent, as in `POST / or GET /, /health`."""
        by_method: dict[str, list[str]] = {}
        for route, methods in self.routes.items():
            for method in methods:
                by_method.setdefault(method, []).append(route)
        return " or ".join(
            f"{name} {', '.join(by_method[name])}" for name in sorted(by_method)[::-1]
        )


class Call:
    """A request that is being answered, and what any answer needs."""

    def __init__(
        self,
        request: Request,
        facts: RequestFacts,
        turn: Turn,
        settings: Settings,
        lazy_classifier: LazyClassifier,
        parts: Mapping[str, str],
    ) -> None:
        self.request = request
        self.facts = facts
        self.turn = turn
        self.settings = settings
        self.parts = parts
        """What stands in the path where its route has a name in capitals."""
        self._lazy_classifier = lazy_classifier
        self._classifier: Classifier | None = None

    def read_body(self) -> bytearray:
        """The body, whose turn has come; raises RequestError."""
        body = read_body(self.request, self.settings.max_bytes)
        if len(body) > LARGE_BYTES:
            self.turn.take()
        return body

    def read_json(self) -> Any:
        """The JSON value in the body; raises RequestError."""
        return parse_json(self.read_body())

    def load(self) -> Classifier:
        """The classifier, the same for the whole call; raises BundleError."""
        if self._classifier is None:
            lazy_classifier, facts = self._lazy_classifier, self.facts
            facts.cold = not (lazy_classifier.loaded and lazy_classifier.requested)
            lazy_classifier.requested = True
            self._classifier = lazy_classifier.get()
            if facts.cold:
                startup.hand_over(timer.current)
        return self._classifier

    def manifest(self) -> Bundle:
        """The bundle, without loading its graph; raises BundleError."""
        return self._lazy_classifier.manifest()

    def predict(self, parsed: PredictRequest, within: str = "") -> Detailed:
        """The answers to a request; raises RequestError for tasks that the bundle lacks.

        `within` is where the body names them, see `check_tasks`.
        """
        self.facts.texts = len(parsed.texts)
        classifier = self.load()
        check_tasks(parsed, [task.name for task in classifier.bundle.tasks], within)
        self.take_turn(len(parsed.texts))
        detailed = classifier.predict_detailed(
            parsed.texts, parsed.tasks, parsed.top_k, parsed.min_score, self.facts.answers
        )
        self.facts.tokens = detailed.tokens
        return detailed

    def take_turn(self, texts: int) -> None:
        """Wait for the turn of this request if it has so many texts that it needs one."""
        if texts > LARGE_TEXTS:
            self.turn.take()


class Service:
    """Everything behind the handler. Costs nothing to make; the bundle waits for a request."""

    def __init__(self, settings: Settings, classifier: LazyClassifier | None = None) -> None:
        """With a `classifier` that may be loading already, else with one that loads when asked."""
        self._settings = settings
        self.classifier = classifier or LazyClassifier(settings.bundle, settings.threads)
        self._turns = Turns(settings.threads)
        self._paths = {
            ("GET", settings.health_route): "/ready",
            ("POST", settings.predict_route): "/vertex",
        }
        """Paths that stand for others, by method."""

    def answer(
        self, request: Request, facts: RequestFacts, refusal: RequestError | None = None
    ) -> Reply:
        """The reply to any request, whatever goes wrong; `refusal`: the server's own reason."""
        dialect = OWN
        headers: dict[str, str] = {}
        try:
            if refusal is not None:
                raise refusal
            path = self._paths.get((request.method, request.path), request.path)
            dialect = self._dialect_of(path)
            return self._reply(dialect, path, request, facts)
        except RequestError as error:
            status, document, headers = error.status, error.document, error.headers
        except BundleError as error:
            facts.failure = f"the bundle cannot be used: {error}"
            facts.stack = stack_trace(error)
            problem = f"The server's bundle cannot be used: {error.problem}."
            message = f"{problem} No request can be answered until it is replaced."
            status, document = 503, error_document("bundle_unusable", message)
        except Exception as error:
            facts.failure = type(error).__qualname__
            facts.stack = stack_trace(error)
            message = "The server failed and wrote down where; your request may be sent again."
            status, document = 500, error_document("internal", message)
        status, document = dialect.write_error(status, document)
        return Reply(status, serialize(document), headers)

    def _dialect_of(self, path: str) -> Dialect:
        if path in OWN.routes:
            return OWN
        from function.http.dialects.choice import dialect_of  # few requests need it

        return dialect_of(path) or OWN

    def _reply(self, dialect: Dialect, path: str, request: Request, facts: RequestFacts) -> Reply:
        route = dialect.route_of(path)
        if route is None:
            message = f"There is nothing here; send {dialect.routes_by_method()}."
            raise RequestError(404, "not_found", message)
        facts.route, parts = route
        methods = dialect.routes[facts.route]
        allow = ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])
        if request.method == "OPTIONS":
            return Reply(204, "", {"Allow": allow})
        answer = methods.get("GET" if request.method == "HEAD" else request.method)
        if answer is None:
            message = f"This path takes {allow}; send one of those."
            raise RequestError(405, "method_not_allowed", message, headers={"Allow": allow})
        with Turn(self._turns) as turn:
            call = Call(request, facts, turn, self._settings, self.classifier, parts)
            document = answer(call)
            if isinstance(document, Reply):
                return document
            return Reply(200, document if isinstance(document, str) else serialize(document))


def answer_predictions(call: Call) -> Document:
    """POST /."""
    parsed = _parse(call)
    detailed = call.predict(parsed)
    document = predictions_document(detailed, call.load().bundle.identity)
    if parsed.explain:
        from model.occlusion import explain_and_count  # few requests ask for it

        call.turn.take()
        explained = explain_and_count(call.load(), parsed.texts, detailed.predictions)
        document["explanations"], call.facts.explain_tokens = explained
    return document


@timer.span("parse")
def _parse(call: Call) -> PredictRequest:
    return parse_request(call.read_json(), call.settings.max_texts, call.settings.max_chars)


def describe(call: Call) -> Reply:
    """GET /."""
    from function.http.description import page_or_description  # few requests ask for it

    return page_or_description(call)


def get_ready(call: Call) -> Document:
    """GET /ready."""
    classifier = call.load()
    if call.facts.cold:
        classifier.predict([WARM_UP])
    return {"status": "ready", "bundle": classifier.bundle.identity}


OWN = Dialect(
    {
        "/": {"GET": describe, "POST": answer_predictions},
        "/health": {"GET": lambda _call: {"status": "alive"}},
        "/ready": {"GET": get_ready},
    },
    write_error=lambda status, document: (status, document),
)


def predictions_document(detailed: Detailed, identity: str) -> Document:
    """The answer of POST / and of the command line; `truncated` only when a text was cut."""
    document: Document = {"predictions": detailed.predictions, "bundle": identity}
    if detailed.truncated:
        document["truncated"] = detailed.truncated
    return document


@timer.span("respond")
def serialize(document: object) -> str:
    """JSON in ASCII: an error may quote a lone surrogate, which UTF-8 cannot hold."""
    return json.dumps(document, allow_nan=False)
