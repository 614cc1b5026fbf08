"""Maven as a downloader: artifacts by their coordinates, kept in the cache outside the checkout."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("FER_MOBILE_CACHE") or Path.home() / ".cache/fer-mobile") / "android"
REPOSITORY = CACHE / "m2"

_DEPENDENCY = """<dependency>
<groupId>{0.group}</groupId><artifactId>{0.name}</artifactId>
<version>{0.version}</version><type>{1}</type>{2}
<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
</dependency>"""
_POM = """<project>
<modelVersion>4.0.0</modelVersion>
<groupId>org.fermobile</groupId><artifactId>offline</artifactId><version>1</version>
<packaging>pom</packaging>
<dependencies>
{}
</dependencies></project>
"""


@dataclass(frozen=True, order=True)
class Artifact:
    """One file of a Maven repository.  `packaging` is jar, aar, pom or signature."""

    group: str
    name: str
    version: str
    packaging: str = "jar"
    classifier: str = ""

    @classmethod
    def parse(cls, text: str) -> Artifact:
        """The artifact of ``group:name:version[:packaging[:classifier]]``."""
        return cls(*text.split(":"))

    def __str__(self) -> str:
        parts = (self.group, self.name, self.version, self.packaging, self.classifier)
        return ":".join(part for part in parts if part)

    @property
    def module(self) -> str:
        """Group and name, which a build has one version of."""
        return f"{self.group}:{self.name}"

    @property
    def path(self) -> Path:
        """Where the file lies once it was fetched."""
        end = f"-{self.classifier}" if self.classifier else ""
        folder = REPOSITORY / self.group.replace(".", "/") / self.name / self.version
        return folder / f"{self.name}-{self.version}{end}.{self.packaging}"

    @property
    def pom(self) -> Path:
        """Where the artifact's own POM lies."""
        return Artifact(self.group, self.name, self.version, "pom").path


def fetch(artifacts: Iterable[Artifact], *, poms: bool = False) -> None:
    """Download what the cache does not hold yet (only the POMs if `poms`).

    Where artifacts come from is up to Maven's own settings.  What cannot be found stays missing:
    the caller looks at the paths.
    """
    wanted = {a for a in artifacts if not (a.pom if poms else a.path).exists()}
    while wanted:  # a POM names each module once
        batch = {artifact.module: artifact for artifact in sorted(wanted)}
        _resolve(batch.values(), poms)
        wanted -= set(batch.values())


def _resolve(batch: Iterable[Artifact], poms: bool) -> None:
    entries = (
        _DEPENDENCY.format(
            artifact,
            "pom" if poms else artifact.packaging,
            f"<classifier>{artifact.classifier}</classifier>" if artifact.classifier else "",
        )
        for artifact in batch
    )
    with tempfile.TemporaryDirectory() as folder:
        pom = Path(folder, "pom.xml")
        pom.write_text(_POM.format("\n".join(entries)), encoding="utf-8")
        command = ["mvn", "-q", "-B", f"-Dmaven.repo.local={REPOSITORY}", "-f", str(pom)]
        subprocess.run([*command, "dependency:resolve"], check=False, capture_output=True)
