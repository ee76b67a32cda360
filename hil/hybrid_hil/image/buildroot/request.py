"""What a person says about a Buildroot image: which sources, which configuration, and what is special here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TREE_VARIABLE = "BUILDROOT"
SETTINGS_VARIABLE = "BUILDROOT_SETTINGS"
DEFCONFIG = "hybrid_versal_virt_defconfig"


@dataclass(frozen=True)
class BuildrootRequest:
    """`tree` is a folder with Buildroot's sources (None: the pinned release, downloaded), `settings` are files
    whose lines count after those of `defconfig`: another toolchain, a mirror, more packages."""

    tree: Path | None = None
    defconfig: str = DEFCONFIG
    settings: tuple[Path, ...] = ()


def request_from_environment(environment: Mapping[str, str] = os.environ) -> BuildrootRequest:
    """BUILDROOT (of several folders, separated by colons, the first) and BUILDROOT_SETTINGS (files, likewise)."""
    trees = paths(environment.get(TREE_VARIABLE, ""))
    return BuildrootRequest(tree=trees[0] if trees else None, settings=paths(environment.get(SETTINGS_VARIABLE, "")))


def paths(text: str) -> tuple[Path, ...]:
    """Paths separated by colons, as in PATH."""
    return tuple(Path(part) for part in text.split(":") if part)
