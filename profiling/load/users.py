"""Who sends? The users of the open and of the closed model, as Locust runs them."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import time
from collections import deque
from typing import Any, ClassVar

import gevent
from geventhttpclient import HTTPClient
from locust import User, task
from locust.exception import StopUser

from profiling.load.plan import Plan

EARLY_S = 0.0015
"""gevent's timers are up to 1 ms late, so a user wakes early and yields until it is due."""
IDLE_S = 1.0
"""gunicorn closes connections that were idle for 2 s; those idle for this long are renewed."""


class Replay:
    """What the users of one run share: the schedule, the next question, the connections."""

    def __init__(self, plan: Plan, arrivals_s: list[float], before_s: float) -> None:
        self.plan = plan
        self.start_s = time.perf_counter() + before_s
        self.end_s = self.start_s + plan.warmup_s + plan.duration_s
        self.arrivals = deque(arrivals_s)
        self.questions = itertools.count()
        self.random = random.Random(plan.seed)
        self.headers = {"Content-Type": "application/json"}
        if plan.gzip:
            self.headers |= {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
        self._idle: list[tuple[HTTPClient, float]] = []

    def encode(self, index: int) -> bytes:
        """The body of a request, as any client would make it."""
        question: dict[str, Any] = {"inputs": self.plan.questions[index]}
        if self.plan.tasks:
            question["tasks"] = self.plan.tasks
        body = json.dumps(question).encode()
        return gzip.compress(body, 1) if self.plan.gzip else body

    def connection(self) -> HTTPClient:
        """The connection used last, so that few are kept open; a new one when all are busy."""
        if self._idle and time.perf_counter() - self._idle[-1][1] < IDLE_S:
            return self._idle.pop()[0]
        while self._idle:
            self._idle.pop()[0].close()
        timeout_s = self.plan.timeout_s
        return HTTPClient.from_url(
            self.plan.address,
            connection_timeout=timeout_s,
            network_timeout=timeout_s,
            concurrency=1,
        )

    def give_back(self, connection: HTTPClient) -> None:
        self._idle.append((connection, time.perf_counter()))


class ReplayUser(User):
    abstract = True
    replay: ClassVar[Replay]

    def ask(self, due_s: float | None) -> None:
        """Send the next question and fire Locust's request event with all that was measured."""
        replay = self.replay
        number = next(replay.questions)
        if replay.plan.requests is not None and number >= replay.plan.requests:
            raise StopUser
        sample: dict[str, Any] = {"question": number % len(replay.plan.questions)}
        began_s = time.perf_counter()
        body = replay.encode(sample["question"])
        sent_s = time.perf_counter()
        sample |= {"encode_ms": 1000 * (sent_s - began_s), "request_bytes": len(body)}
        fault: Exception | None = None
        connection = replay.connection()
        try:
            response = connection.post("/", body, replay.headers)
            sample["first_byte_s"] = time.perf_counter()
            sample["body"] = response.read()
            sample["status"] = response.status_code
            sample["server"] = response.get("server-timing", "")
            sample["encoding"] = response.get("content-encoding", "")
            done_s = time.perf_counter()
            replay.give_back(connection)
        except Exception as error:  # sockets, timeouts, half answers: all are samples
            done_s = time.perf_counter()
            fault = error
            connection.close()
        sample |= {"due_s": sent_s if due_s is None else due_s, "sent_s": sent_s, "done_s": done_s}
        self.environment.events.request.fire(
            request_type="POST",
            name="/",
            response_time=1000 * (done_s - sample["due_s"]),
            response_length=len(sample.get("body", b"")),
            exception=fault,
            context=sample,
        )


class ClosedUser(ReplayUser):
    """Sends again once it has its answer and has paused, until the time is up."""

    def on_start(self) -> None:
        gevent.sleep(max(0.0, self.replay.start_s - time.perf_counter()))

    def wait_time(self) -> float:
        pause_s = self.replay.plan.pause_s
        return self.replay.random.expovariate(1 / pause_s) if pause_s else 0.0

    @task
    def send(self) -> None:
        if time.perf_counter() >= self.replay.end_s:
            raise StopUser
        self.ask(None)


class OpenUser(ReplayUser):
    """Takes the arrival that is due next, waits for its moment, and sends."""

    due_s = 0.0

    def on_start(self) -> None:
        gevent.sleep(self.wait_time())

    def wait_time(self) -> float:
        """Until just before the arrival that this user takes."""
        if not self.replay.arrivals or time.perf_counter() > self.replay.end_s:
            raise StopUser
        self.due_s = self.replay.start_s + self.replay.arrivals.popleft()
        return max(0.0, self.due_s - EARLY_S - time.perf_counter())

    @task
    def send(self) -> None:
        while time.perf_counter() < self.due_s:
            gevent.sleep(0)
        self.ask(self.due_s)
