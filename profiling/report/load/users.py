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
from locust import User, task
from locust.exception import StopUser

from profiling.report.load.connection import Connection
from profiling.report.load.plan import Plan

EARLY_S = 0.0015
"""gevent's timers are up to 1 ms late, so a user wakes early and yields until it is due."""
IDLE_S = 1.0
"""gunicorn closes connections that were idle for 2 s; those idle for this long are renewed."""


class Schedule:
    """What the users of one run share: the arrivals, the next question, the connections."""

    def __init__(self, plan: Plan, arrivals_s: list[float], lead_s: float) -> None:
        """Arrivals count from the start, which is `lead_s` from now."""
        self.plan = plan
        self.start_s = time.perf_counter() + lead_s
        self.end_s = self.start_s + plan.warmup_s + plan.duration_s
        self.arrivals = deque(arrivals_s)
        """Moments that no user has taken yet, in seconds since the start."""
        self.questions = itertools.count()
        self.random = random.Random(plan.seed)
        host = plan.address.partition("//")[2].rstrip("/")
        self._head = f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        if plan.gzip:
            self._head += "Content-Encoding: gzip\r\nAccept-Encoding: gzip\r\n"
        self._idle: list[tuple[Connection, float]] = []
        """Connections and since when they are idle, in seconds of time.perf_counter."""

    def milliseconds(self, moment_s: float) -> float:
        """Since the start, of a moment of time.perf_counter."""
        return round(1000 * (moment_s - self.start_s), 3)

    def encode(self, index: int) -> bytes:
        """The body of a request, as any client would make it."""
        question: dict[str, Any] = {"inputs": self.plan.questions[index]}
        if self.plan.tasks:
            question["tasks"] = self.plan.tasks
        body = json.dumps(question).encode()
        return gzip.compress(body, 1) if self.plan.gzip else body

    def request(self, body: bytes) -> bytes:
        """Head and body, ready to send."""
        return f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def connection(self) -> Connection:
        """The connection used last, so that few are kept open; a new one when all are busy."""
        if self._idle and time.perf_counter() - self._idle[-1][1] < IDLE_S:
            return self._idle.pop()[0]
        while self._idle:
            self._idle.pop()[0].close()
        return Connection(self.plan.address, self.plan.timeout_s)

    def give_back(self, connection: Connection) -> None:
        self._idle.append((connection, time.perf_counter()))


class ReplayUser(User):
    abstract = True
    schedule: ClassVar[Schedule]

    def ask(self, due_s: float | None) -> None:
        """Send the next question and fire Locust's request event with all that was measured.

        `due_s`: when it was due, of time.perf_counter; None: when it is sent.
        """
        schedule = self.schedule
        number = next(schedule.questions)
        if schedule.plan.requests is not None and number >= schedule.plan.requests:
            raise StopUser
        question = number % len(schedule.plan.questions)
        began_s = time.perf_counter()
        body = schedule.encode(question)
        sample: dict[str, Any] = {
            "question": question,
            "request_bytes": len(body),
            "encode_ms": round(1000 * (time.perf_counter() - began_s), 4),
        }
        fault: Exception | None = None
        request, connection = schedule.request(body), schedule.connection()
        sent_s = time.perf_counter()
        try:
            response = connection.ask(request)
            done_s = response.last_byte_s
            sample |= {
                "first_byte": schedule.milliseconds(response.first_byte_s),
                "status": response.status,
                "server": response.headers.get("server-timing", ""),
                "encoding": response.headers.get("content-encoding", ""),
                "body": response.body,
            }
            schedule.give_back(connection)
        except Exception as error:  # sockets, timeouts, half responses: all are samples
            done_s = time.perf_counter()
            fault = error
            connection.close()
        sample["due"] = schedule.milliseconds(sent_s if due_s is None else due_s)
        sample["sent"] = schedule.milliseconds(sent_s)
        sample["done"] = schedule.milliseconds(done_s)
        self.environment.events.request.fire(
            request_type="POST",
            name="/",
            response_time=sample["done"] - sample["due"],
            response_length=len(sample.get("body", b"")),
            exception=fault,
            context=sample,
        )


class ClosedUser(ReplayUser):
    """Sends again once it has its answer and has paused, until the time is up."""

    def on_start(self) -> None:
        gevent.sleep(max(0.0, self.schedule.start_s - time.perf_counter()))

    def wait_time(self) -> float:
        pause_s = self.schedule.plan.pause_s
        return self.schedule.random.expovariate(1 / pause_s) if pause_s else 0.0

    @task
    def send(self) -> None:
        if time.perf_counter() >= self.schedule.end_s:
            raise StopUser
        self.ask(None)


class OpenUser(ReplayUser):
    """Takes the arrival that is due next, waits for its moment, and sends."""

    due_s = 0.0

    def on_start(self) -> None:
        gevent.sleep(self.wait_time())

    def wait_time(self) -> float:
        """Until just before the arrival that this user takes."""
        if not self.schedule.arrivals or time.perf_counter() > self.schedule.end_s:
            raise StopUser
        self.due_s = self.schedule.start_s + self.schedule.arrivals.popleft()
        return max(0.0, self.due_s - EARLY_S - time.perf_counter())

    @task
    def send(self) -> None:
        while time.perf_counter() < self.due_s:
            gevent.sleep(0)
        self.ask(self.due_s)
