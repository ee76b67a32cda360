"""What a build needs before it may begin: room on the disk and programs, asked for before anybody's time is spent."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.host import Need, buildroot_needs, package_of
from hybrid_hil.image.diagnosis import FREE_SPACE

# What building each kind takes at its peak, measured and rounded up, in MiB.
MEBIBYTES = {
    "source": 500,
    "kernel": 1000,
    "interpreter": 200,
    "rootfs": 700,
    "platform": 20,
    "release": 200,
    "output": 6000,
    "output with engines": 12500,
    "buildroot": 700,
    "emulator": 400,
}

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
THINGS = {
    "source": ("mmdebstrap", KEYRING),
    "kernel": ("make", "gcc", "/usr/include/stdio.h", "flex", "bison", "bc", "xz", "aarch64-linux-gnu-gcc"),
    "interpreter": ("mmdebstrap", KEYRING),
    "rootfs": ("mmdebstrap", KEYRING, "mke2fs"),
    "platform": ("make", "dtc", "aarch64-linux-gnu-gcc", "arm-none-eabi-gcc"),
    "release": ("xz",),
    "emulator": ("mmdebstrap", KEYRING),
    "buildroot": ("make", "gcc", "/usr/include/stdio.h", "bc", "xz", *(need.thing for need in buildroot_needs())),
}


def check_prerequisites(folder: Path, kinds: Iterable[str]) -> None:
    """Raises RigError when components of `kinds` cannot be built in `folder` on this machine."""
    kinds = list(kinds)
    missing = missing_packages(kinds)
    if missing:
        raise RigError(f"this machine lacks {', '.join(missing)}", f"apt-get install {' '.join(missing)}")
    needed, free = needed_mebibytes(kinds), free_mebibytes(folder)
    if free < needed:
        raise RigError(f"building needs {needed} MiB at `{folder}`, where {free} MiB are free", FREE_SPACE)


def missing_packages(kinds: Iterable[str]) -> list[str]:
    """The packages without which `kinds` cannot be built, each once."""
    things = [thing for kind in kinds for thing in THINGS.get(kind, ())]
    unmet = [thing for thing in things if not Need(thing, "").met()]
    return sorted({package_of(thing) or thing for thing in unmet})


def needed_mebibytes(kinds: Iterable[str]) -> int:
    """Room for building `kinds` one after the other: each leaves less behind than it takes."""
    peaks = [MEBIBYTES.get(kind, 1) for kind in kinds]
    return max(peaks, default=0) + sum(peaks) // 4


def free_mebibytes(folder: Path) -> int:
    """Free space where `folder` is, or will be once it is made."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(existing).free >> 20
