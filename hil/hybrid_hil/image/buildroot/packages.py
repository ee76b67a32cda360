"""What Buildroot is going to build, and what of it has been built in an output folder."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.store import remove_tree

INSTALLED = ".stamp_installed"


@dataclass(frozen=True)
class Package:
    """One package; programs of the build host have names that begin with `host-`. `folder` is where it is built, below
    the output folder."""

    name: str
    version: str
    folder: str

    def is_built(self, output: Path) -> bool:
        return (output / self.folder / INSTALLED).exists()


def packages_in(printed: Sequence[str]) -> list[Package]:
    """The packages in the lines that `make show-info` has printed, those that are only names for others left out.

    Raises:
        RigError: there is no list among them.
    """
    text = next((line for line in printed if line.startswith("{")), None)
    if text is None:
        raise RigError("Buildroot lists no packages", "look at what `make show-info` says in its log")
    return [
        Package(name, entry["version"] or "-", entry["stamp_dir"])
        for name, entry in json.loads(text).items()
        if entry.get("type") in ("target", "host") and not entry.get("virtual")
    ]


def discard_unfinished(output: Path, packages: Sequence[Package]) -> None:
    """Removes what a build that was killed has left of the packages it was at: their makefiles would take half-written
    files for whole ones, and patches would be applied twice."""
    for package in packages:
        if (output / package.folder).exists() and not package.is_built(output):
            remove_tree(output / package.folder)
            remove_tree(output / "per-package" / package.name)
