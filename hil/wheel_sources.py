"""What a wheel of the rig carries of the checkout: what boards are made of and run, as one tar archive.

A wheel keeps no symbolic links, and its files may lie where nobody writes. So the rig unpacks the archive into its
cache (hybrid_hil.host.packaged_checkout).
"""

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = ("qemu", "runtime", "buildroot")
COMMIT = "COMMIT"
ARCHIVE = "hybrid_hil/host/checkout.tar"


class WheelSources(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's hook. An editable installation has the checkout itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        archive = Path(self._folder.name, "checkout.tar")
        archive.write_bytes(packed(Path(self.root)))
        build_data["force_include"][str(archive)] = ARCHIVE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002  hatchling's
        if version != "editable":
            self._folder.cleanup()


def packed(root: Path) -> bytes:
    """The tracked files of PARTS, and the commit they are of; equal files of one commit give equal bytes."""
    listed = git(root, "ls-files", "-z", "--", *PARTS).split("\0")
    changed = git(root, "status", "--porcelain", "--", *PARTS)
    commit = git(root, "rev-parse", "HEAD").strip() + ("-dirty" if changed else "") + "\n"
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(name for name in listed if name):
            archive.add(root / name, name, filter=anonymous)
        member = tarfile.TarInfo(COMMIT)
        member.size = len(commit)
        archive.addfile(member, io.BytesIO(commit.encode()))
    return stream.getvalue()


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without what differs between two checkouts of one commit."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member


def git(root: Path, *words: str) -> str:
    if not (root / ".git").exists():
        raise SystemExit("a wheel is built from a git checkout (git clone it, and build there)")
    return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout
