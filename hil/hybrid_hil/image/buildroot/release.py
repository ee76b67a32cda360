"""The Buildroot release this project pins: downloaded once, checked, unpacked into the cache."""

from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.pinned_archive import PinnedArchive
from hybrid_hil.image.store import Component
from hybrid_hil.terminal import Step

SITE = "https://buildroot.org/downloads"
OTHERWISE = "give a release of your own: `--buildroot DIR`"


@dataclass(frozen=True)
class Release:
    """An official release; `sha256` is that of its .tar.xz, from the signed list beside it (NAME.tar.xz.sign)."""

    version: str
    sha256: str

    @property
    def archive(self) -> str:
        return f"buildroot-{self.version}.tar.xz"


# The long-term release.
PINNED = Release("2026.02.3", "5a59e7501b0b4ec52c41f4bfa79412320e0b37eae5f719605a258e8d0c6fc7fb")


def release_component(release: Release) -> Component:
    inputs = Fingerprint()
    inputs.text("release", release.version, release.sha256)
    return Component("release", inputs.digest())


class ReleaseRecipe:
    """Downloads `release` from `site` and unpacks it: afterwards the component's folder holds Buildroot's tree."""

    def __init__(self, release: Release, site: str = SITE) -> None:
        self._release = release
        self._site = site

    def build(self, folder: Path, runner: BuildRunner, step: Step) -> None:
        """Raises RigError when it cannot be downloaded or is not what was pinned."""
        uri = f"{self._site}/{self._release.archive}"
        archive = PinnedArchive(uri, self._release.sha256, "sha256", OTHERWISE).fetch(folder, step)
        step.detail("unpacking")
        runner.run(["tar", "-xf", archive, "-C", folder, "--strip-components=1"])
        archive.unlink()
