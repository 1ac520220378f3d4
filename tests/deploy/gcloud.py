"""The real gcloud, sent to the stand-in: no credentials, a configuration of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.standin.proxy import ACCESS_TOKEN

PROJECT = "my-project"
REGION = "europe-west1"
GCLOUD = shutil.which("gcloud")
APIS = ("run", "iamcredentials", "storage", "cloudbuild", "serviceusage")


@dataclass(frozen=True)
class Shell:
    """Where commands run, and the environment they get."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command; its exit status is for the caller to judge."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=dict(self.environment),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )


def offline(folder: Path) -> dict[str, str]:
    """An environment in which gcloud has no account: right lines fail after parsing."""
    return {**_quiet(folder), "CLOUDSDK_CORE_PROJECT": PROJECT, "CLOUDSDK_RUN_REGION": REGION}


def _quiet(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "0",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
    }


def connected(folder: Path, port: int) -> dict[str, str]:
    """An environment in which every request of gcloud, curl and Python ends at the stand-in."""
    token = folder / "access-token"
    token.write_text(ACCESS_TOKEN)
    proxy = f"http://127.0.0.1:{port}"
    overrides = {
        f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}": f"http://{api}.test/" for api in APIS
    }
    return {
        **_quiet(folder),
        **overrides,
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
        "CLOUDSDK_PROXY_TYPE": "http",
        "CLOUDSDK_PROXY_ADDRESS": "127.0.0.1",
        "CLOUDSDK_PROXY_PORT": str(port),
        "http_proxy": proxy,
        "https_proxy": proxy,
        "no_proxy": "",
    }
