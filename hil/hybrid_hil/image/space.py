"""Room on the disk, asked for before hours of somebody's time are spent."""

import shutil
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.diagnosis import FREE_SPACE

# What building each kind takes at its peak, measured and rounded up, in MiB.
NEEDED = {"source": 500, "kernel": 1000, "rootfs": 700, "platform": 20, "keys": 1, "image": 1}


def needed_mebibytes(kinds: list[str]) -> int:
    """Room for building `kinds` one after the other: each leaves less behind than it takes."""
    return max((NEEDED[kind] for kind in kinds), default=0) + sum(NEEDED[kind] // 4 for kind in kinds)


def check_space(folder: Path, kinds: list[str]) -> None:
    """Raises RigError when the disk of `folder` has no room for building `kinds`."""
    needed, free = needed_mebibytes(kinds), free_mebibytes(folder)
    if free < needed:
        raise RigError(f"building needs {needed} MiB at `{folder}`, where {free} MiB are free", FREE_SPACE)


def free_mebibytes(folder: Path) -> int:
    """Free space where `folder` is, or will be once it is made."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(existing).free >> 20
