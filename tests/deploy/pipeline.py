"""What does Cloud Build do with a build? Steps' shell texts run as written, in their checkout."""

from __future__ import annotations

import io
import re
import shutil
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.deploy.gcloud import PROJECT, Shell
from tests.deploy.standin.builds import BUILD_ID
from tests.deploy.standin.storage import Storage


@dataclass(frozen=True)
class Pipeline:
    """One submitted build over one checkout."""

    build: dict[str, Any]
    shell: Shell

    @property
    def environment(self) -> dict[str, str]:
        """What options.env sets, after substitution."""
        known = {"PROJECT_ID": PROJECT, "BUILD_ID": BUILD_ID, **self.build["substitutions"]}
        pairs = [
            re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], entry)
            for entry in self.build["options"]["env"]
        ]
        return dict(pair.split("=", 1) for pair in pairs)

    def copied(self, folder: Path) -> Pipeline:
        """The same build in a workspace of its own."""
        shutil.copytree(self.shell.folder, folder)
        return replace(self, shell=replace(self.shell, folder=folder))

    def script(self, step: str) -> str:
        (found,) = [item["script"] for item in self.build["steps"] if item["id"] == step]
        return str(found)

    def run(self, step: str, **settings: str) -> CompletedProcess[str]:
        """Run a step by its first line, as Cloud Build does; `settings` replace options.env's."""
        file = self.shell.folder.parent / f"{step}.sh"
        file.write_text(self.script(step))
        file.chmod(0o755)
        environment = {**self.shell.environment, **self.environment, **settings}
        return replace(self.shell, environment=environment).run(str(file))


def unpack_source(build: dict[str, Any], storage: Storage, folder: Path) -> None:
    """The source that gcloud uploaded, which is all that a step sees."""
    source = build["source"]["storageSource"]
    content = storage.objects[source["bucket"], source["object"]]
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
