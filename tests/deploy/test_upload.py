"""What does gcloud upload? Everything that is committed, and no secret, log or work folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.gcloud import Shell
from tests.docs_text import ROOT

pytestmark = pytest.mark.gcloud
STAYS = {
    ".env", ".env.local", ".git/config", "secrets.json", "key.pem", "server.key", "function.log",
    "credentials.json", "service-account.json", "model/.env", "function/http/key.pem", "log",
    "mine.work/replay.jsonl", "mine.work/rows.csv", "mine.report/mistakes.csv", ".venv/bin/python",
    "profiling/results/run.log",
}  # fmt: skip


def test_secrets_logs_and_work_folders_stay_here(gcloud_offline: Shell, tmp_path: Path) -> None:
    committed = set(Shell(ROOT, gcloud_offline.environment).run("git", "ls-files").stdout.split())
    assert len(committed) > 300
    for name in committed | STAYS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in (".gitignore", ".gcloudignore"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    done = gcloud_offline.run("gcloud", "meta", "list-files-for-upload", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.splitlines()) == committed
