"""The Buildroot release this project pins: downloaded once, checked, unpacked into the cache."""

import hashlib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.store import Component
from hybrid_hil.terminal import Step

SITE = "https://buildroot.org/downloads"
BLOCK = 1 << 16
SILENCE_S = 60.0


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
        archive = folder / self._release.archive
        step.detail("downloading")
        uri = f"{self._site}/{self._release.archive}"
        digest = download(uri, archive, step)
        if digest != self._release.sha256:
            raise RigError(
                f"`{uri}` has the SHA-256 `{digest}`, not `{self._release.sha256}`",
                "do not use it; try again on another network, or give a release of your own: `--buildroot DIR`",
            )
        step.detail("unpacking")
        runner.run(["tar", "-xf", archive, "-C", folder, "--strip-components=1"])
        archive.unlink()


def download(uri: str, target: Path, step: Step) -> str:
    """Writes what `uri` has into `target`; returns its SHA-256 in hex.

    Raises:
        RigError: the server cannot be reached, refuses, or stops early.
        OSError: `target` cannot be written.
    """
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for block in _blocks(uri, step):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _blocks(uri: str, step: Step) -> Iterator[bytes]:
    try:
        with urllib.request.urlopen(uri, timeout=SILENCE_S) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            done = 0
            # Of a known length, read() raises IncompleteRead itself only when it is asked for everything.
            while block := answer.read(BLOCK):
                done += len(block)
                step.advance(done, max(total, done))
                yield block
            if done < total:
                raise IncompleteRead(b"", total - done)
    except (OSError, HTTPException) as error:
        remedy = "connect this machine, or give the folder of an unpacked release: `--buildroot DIR`"
        raise RigError(f"cannot download `{uri}`: {error}", remedy) from error
