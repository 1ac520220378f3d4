"""The page in a real browser: it draws, in light and dark, and fits a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from tests.profiling.report.conftest import Report

pytestmark = pytest.mark.browser
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars")  # fmt: skip
MEASURE = """<script>onload = () => parent.postMessage([innerWidth,
  document.documentElement.scrollWidth, document.querySelectorAll("svg").length,
  [...document.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().height < 40).length
], "*")</script>"""
# A window cannot be made as narrow as a phone, a frame can.
FRAME = """<!doctype html><title></title><script>
onmessage = event => document.title = JSON.stringify(event.data)
</script><iframe src="page.html" style="width: {width}px; height: 900px; border: 0"></iframe>"""
LIGHT, DARK = "preferredColorScheme=1", "preferredColorScheme=0"


def chromium(folder: Path, *arguments: str) -> str:
    browser = shutil.which("chromium")
    assert browser, "no chromium here: apt-get install chromium"
    process = subprocess.run(
        [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return process.stdout


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out(report: Report, tmp_path: Path, width: int) -> None:
    copy = tmp_path / "page.html"
    copy.write_text(report.page.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(width=width))
    dom = chromium(
        tmp_path, "--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom",
        frame.as_uri(),
    )  # fmt: skip
    title = re.search(r"<title>\[(.*?)\]</title>", dom)
    assert title
    inner, scroll, drawn, flat = map(int, title[1].split(","))
    assert inner == width
    assert scroll <= inner
    assert drawn == 8
    assert flat == 0


@pytest.mark.parametrize(("scheme", "paper"), [(LIGHT, (251, 250, 247)), (DARK, (22, 25, 29))])
def test_it_follows_the_readers_scheme(
    report: Report, tmp_path: Path, scheme: str, paper: tuple[int, ...]
) -> None:
    shot = tmp_path / "page.png"
    chromium(
        tmp_path, f"--blink-settings={scheme}", "--window-size=1100,4800", f"--screenshot={shot}",
        (report.folder / "report.html").as_uri(),
    )  # fmt: skip
    pixels = (np.asarray(imread(shot))[..., :3] * 255).round().astype(int)
    assert pixels.shape[:2] == (4800, 1100)
    assert tuple(pixels[2, 2]) == paper
    colours = np.unique(pixels @ [65536, 256, 1])
    assert len(colours) > 200, "there is more than paper on it"
