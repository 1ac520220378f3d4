"""A headless Chromium that is told what to do over its DevTools protocol, through a pipe."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--remote-debugging-pipe")  # fmt: skip
WAIT_S, POLL_S = 60.0, 0.05
FAULTS = ("Runtime.exceptionThrown", "Log.entryAdded")


class Tab:
    """One page in the browser; what it logs, exceptions and violations of its policy too."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to_browser, self._from_browser = to_browser, from_browser
        self._unread = b""
        self._number = 0
        self._session: dict[str, str] = {}
        self.faults: list[Any] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """What a method of the protocol gives; fails where it says an error."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("method") in FAULTS:
                self.faults.append(answer["params"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self) -> Any:
        while b"\0" not in self._unread:
            received = os.read(self._from_browser, 2**16)
            assert received, "the browser has ended"
            self._unread += received
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def open(self, address: str, width: int = 1000, scheme: str = "light") -> None:
        """Load a page in a window of so many CSS pixels, for a reader who likes this scheme."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    def run(self, expression: str) -> Any:
        """The JSON value of an expression of JavaScript, awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Until an expression of JavaScript is true."""
        deadline = time.monotonic() + WAIT_S
        while not self.run(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(POLL_S)

    def type(self, text: str) -> None:
        """Put a text in where the focus is, as a keyboard does."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int) -> None:
        """One key, by its name and its Windows code."""
        fields = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": " "} if key == " " else {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **fields, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **fields)

    def shoot(self, target: Path, whole: bool = False) -> None:
        """Write a PNG of what is seen, or of the whole page."""
        image = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        target.write_bytes(base64.b64decode(image))


@contextmanager
def browsing(profile: Path) -> Iterator[Tab]:
    """A tab in a browser of its own, with its files in `profile`."""
    browser = shutil.which("chromium")
    assert browser, "no chromium here: apt-get install chromium"
    commands, to_browser = os.pipe()
    from_browser, answers = os.pipe()
    # The browser reads from descriptor 3 and writes to 4.
    script = f'exec "$@" 3<&{commands} 4>&{answers}'
    command = ["bash", "-c", script, "bash", browser, *FLAGS, f"--user-data-dir={profile}"]
    with subprocess.Popen(
        command, pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        os.close(commands)
        os.close(answers)
        try:
            yield Tab(to_browser, from_browser)
        finally:
            os.close(to_browser)
            process.terminate()
            process.wait(WAIT_S)
            os.close(from_browser)
