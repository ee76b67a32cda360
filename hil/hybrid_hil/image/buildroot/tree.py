"""Buildroot's own sources: a folder somebody has, or the unpacked release from the cache."""

import re
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.fingerprint import Fingerprint

# podman came with 2025.05.
OLDEST = "2025.05"
# What builds in the tree itself leave there.
LEFT_OUT = (".git", ".config", ".config.old", "dl", "local.mk", "output")
VERSION_LINE = re.compile(r"^export BR2_VERSION := (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Tree:
    """Sources of Buildroot `version` in `folder`; equal `identity` means equal sources."""

    folder: Path
    version: str
    identity: str


def open_tree(folder: Path, identity: str | None = None) -> Tree:
    """The tree in `folder`; every file of it is read unless its `identity` is known.

    Raises:
        RigError: these are no sources of Buildroot, or too old ones.
    """
    folder = folder.resolve()
    version = tree_version(folder)
    if identity is None:
        inputs = Fingerprint()
        inputs.tree("buildroot", folder, LEFT_OUT)
        identity = inputs.digest()
    return Tree(folder, version, identity)


def tree_version(folder: Path) -> str:
    """What the Makefile in `folder` says its version is. Raises RigError as `open_tree` does."""
    makefile = folder / "Makefile"
    text = makefile.read_text(encoding="utf-8", errors="replace") if makefile.is_file() else ""
    match = VERSION_LINE.search(text)
    if match is None or not (folder / "package/Makefile.in").is_file():
        raise RigError(
            f"`{folder}` does not hold Buildroot's sources",
            "give the folder of an unpacked release (`--buildroot DIR` or `BUILDROOT=DIR`), or none to download one",
            exit_code=2,
        )
    if match[1] < OLDEST:
        raise RigError(f"`{folder}` is Buildroot `{match[1]}`", f"give `{OLDEST}` or later", exit_code=2)
    return match[1]
