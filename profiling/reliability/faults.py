"""What goes wrong meanwhile: kills, a log that nobody reads, files that somebody damages."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path

from profiling.reliability.kept_instance import KeptInstance, wait_until_ready
from profiling.server import ServerError

PAUSE_S = (0.2, 1.0)
"""Between two faults."""
LASTS_S = (0.2, 1.5)
STUCK_S = (0.5, 6.0)
GRACE_S = 0.5
"""An answer that was on its way when a fault ended may still come."""


class Faults:
    """Injects faults into an instance, one after another, until `stop`."""

    def __init__(self, instance: KeptInstance, installed: Path, seed: int) -> None:
        self.injected: Counter[str] = Counter()
        self.problems: list[str] = []
        self._instance = instance
        self._files = [*installed.glob("bundle/*"), *installed.glob(".graphs/*/*")]
        self._files += installed.glob(".bytecode/*")
        self._dice = random.Random(seed)
        self._breaking_until_s = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """After the one that is under way, whose damage is mended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def may_break(self) -> bool:
        """Whether a process was killed, or started over damage, just now."""
        return time.monotonic() < self._breaking_until_s

    def _run(self) -> None:
        kinds = (self._kill, self._stick, self._damage, self._kill_damaged)
        while not self._stopping.wait(self._dice.uniform(*PAUSE_S)):
            try:
                self._dice.choice(kinds)()
            except ServerError as error:
                self.problems.append(str(error))

    def _kill(self) -> None:
        self.injected["killed"] += 1
        self._breaking_until_s = float("inf")
        self._instance.kill()
        time.sleep(0.1)  # until the harness has seen it
        wait_until_ready(self._instance)
        self._breaking_until_s = time.monotonic() + GRACE_S

    def _stick(self) -> None:
        self.injected["log stuck"] += 1
        self._instance.log.hold_up(stuck=True)
        time.sleep(self._dice.uniform(*STUCK_S))
        self._instance.log.hold_up(stuck=False)

    def _damage(self) -> None:
        """While it serves, which nobody must notice."""
        file = self._dice.choice(self._files)
        content = file.read_bytes()
        self.injected[f"{self._harm(file, content)} while it served"] += 1
        time.sleep(self._dice.uniform(*LASTS_S))
        file.write_bytes(content)

    def _kill_damaged(self) -> None:
        """It starts over the damage, and answers rightly or not at all until that is mended."""
        file = self._dice.choice(self._files)
        content = file.read_bytes()
        self._breaking_until_s = float("inf")
        self.injected[f"{self._harm(file, content)} when it started"] += 1
        self._instance.kill()
        time.sleep(self._dice.uniform(*LASTS_S))
        file.write_bytes(content)
        wait_until_ready(self._instance)
        self._breaking_until_s = time.monotonic() + GRACE_S

    def _harm(self, file: Path, content: bytes) -> str:
        harm = self._dice.choice(("altered", "cut off", "removed"))
        if harm == "removed":
            file.unlink()
        elif harm == "cut off":
            with file.open("r+b") as opened:
                opened.truncate(self._dice.randrange(len(content)))
        else:
            place = self._dice.randrange(len(content))
            with file.open("r+b") as opened:
                opened.seek(place)
                opened.write(bytes([content[place] ^ 1]))
        return f"{file.name} {harm}"
