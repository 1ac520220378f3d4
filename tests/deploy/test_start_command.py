"""What is said in more than one place says the same: the start command, settings, prices."""

from __future__ import annotations

import json
import re
import shlex
import subprocess

from tests.docs_text import PAGES, ROOT

DEPLOY = PAGES["docs/deploy.md"]
DOCKERFILE = (ROOT / "function" / "Dockerfile").read_text(encoding="utf-8")
SERVICE = (ROOT / "service.yaml").read_text(encoding="utf-8")
PIPELINE = (ROOT / "cloudbuild.yaml").read_text(encoding="utf-8")


def image_command() -> list[str]:
    (found,) = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    command: list[str] = json.loads(found)
    return command


def test_the_image_starts_what_make_run_starts() -> None:
    dry_run = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    words = shlex.split(dry_run.stdout)
    started = [words[words.index("exec") + 1].removeprefix(".venv/bin/")]
    assert started + words[words.index("exec") + 2 :] == image_command()
    # What make sets before it, the image sets too: the bundle, the port, and how it is started.
    settings = {word.split("=")[0] for word in words[: words.index("exec")]}
    assert settings <= set(re.findall(r"^(?:ENV)?\s+([A-Z_]+)=", DOCKERFILE, re.MULTILINE))


def test_nothing_overrides_the_images_command() -> None:
    for text in (SERVICE, PIPELINE):
        assert not re.search(r"^\s*(?:- )?(?:command|args):|--command|--args", text, re.MULTILINE)
    assert "ENTRYPOINT" not in DOCKERFILE


def test_the_readme_tells_every_substitution() -> None:
    block = PIPELINE.split("substitutions:\n")[1].split("\noptions:")[0]
    for name in re.findall(r"^  (_[A-Z0-9_]+):", block, re.MULTILINE):
        assert f"`{name}`" in DEPLOY, name


def test_the_costs_follow_from_the_prices() -> None:
    prices = re.search(
        r"([\d.]+) \$\s+per vCPU-second, ([\d.]+) \$\s+per\s+GiB-second, ([\d.]+) \$\s+per million"
        r".*?are ([\d,]+)\s+vCPU-seconds, ([\d,]+)\s+GiB-seconds\s+and\s+(\d+) million requests",
        DEPLOY,
        re.DOTALL,
    )
    assert prices
    cpu, memory, requests = (float(found) for found in prices.groups()[:3])
    free_cpu, free_memory = (int(found.replace(",", "")) for found in prices.groups()[3:5])
    gib = int(re.findall(r"memory: (\d+)Mi", SERVICE)[0]) / 1024

    def dollars(calls: float, seconds: float) -> str:
        bill = (
            cpu * max(0, seconds - free_cpu)
            + memory * max(0, seconds * gib - free_memory)
            + requests * max(0, calls - int(prices[6]) * 1e6) / 1e6
        )
        return f"{bill:.2f} $"

    month_s = 30 * 24 * 3600
    for words, calls in (("10 thousand", 1e4), ("1 million", 1e6), ("100 million", 1e8)):
        alone, shared = calls * 0.1, min(calls * 0.1, month_s)
        assert f"| {words} | {dollars(calls, alone)} | {dollars(calls, shared)} |" in DEPLOY
