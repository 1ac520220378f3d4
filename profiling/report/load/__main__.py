"""Locust's own process: a Plan as JSON on stdin, an Outcome as JSON on stdout. See plan.py."""

from __future__ import annotations

from locust.env import Environment  # first: sockets and threads become gevent's  # isort: skip

import json
import logging
import sys

import gevent

from profiling.report.load.plan import Plan, arrivals_s
from profiling.report.load.recorder import Recorder
from profiling.report.load.users import ClosedUser, OpenUser, Schedule

LEAD_S = 0.2
"""From the start of the users to the first request."""


def main() -> None:
    logging.getLogger("locust").setLevel(logging.ERROR)
    plan = Plan(**json.load(sys.stdin))
    user = ClosedUser if plan.rate is None else OpenUser
    environment = Environment(user_classes=[user], host=plan.address)
    recorder = Recorder(plan)
    listen = recorder.listen
    environment.events.request.add_listener(listen)  # type: ignore[no-untyped-call]  # untyped there
    user.schedule = Schedule(plan, arrivals_s(plan), LEAD_S)
    runner = environment.create_local_runner()
    gevent.spawn_later(LEAD_S + plan.warmup_s, recorder.begin)
    runner.start(plan.users, spawn_rate=plan.users)
    assert runner.spawning_greenlet is not None
    runner.spawning_greenlet.join()
    runner.user_greenlets.join(LEAD_S + plan.warmup_s + plan.duration_s + plan.timeout_s)
    outcome = recorder.outcome(unsent=len(user.schedule.arrivals))
    runner.quit()
    json.dump(vars(outcome), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
