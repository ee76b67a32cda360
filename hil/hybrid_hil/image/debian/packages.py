"""Debian packages unpacked into a folder, without root and without touching this machine's apt."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from hybrid_hil.failure import RigError
from hybrid_hil.host import find_program
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.mirror import find_mirror
from hybrid_hil.image.diagnosis import missing_program
from hybrid_hil.image.store import remove_tree

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ARCHIVES = "var/cache/apt/archives"
OUTSIDE_USR = ("bin", "lib", "sbin")

# How this machine reaches a mirror, as against which one and what it installs.
TRANSPORT = re.compile(r"^Acquire::(http|https|ftp|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])\b")


def extract_packages(
    runner: BuildRunner, packages: Sequence[str], architecture: str, target: Path, suite: str
) -> dict[str, str]:
    """Unpacks `packages` of `suite` and what they need into the new folder `target`; returns versions by name.

    No maintainer script is run. apt's state, cache and sources are private to the call; proxies and other
    settings of transport are this machine's.
    """
    transport = target.with_name(f"{target.name}.apt.conf")
    transport.write_text(transport_settings(apt_configuration()), encoding="utf-8")
    mirror = find_mirror()
    runner.run(
        [
            "mmdebstrap",
            "--mode=chrootless",
            "--variant=extract",
            f"--architectures={architecture}",
            f"--include={','.join(packages)}",
            # chrootless as root endangers the host by maintainer scripts only, and extract runs none
            "--skip=check/chrootless,check/signed-by,cleanup",
            f"--keyring={KEYRING}",
            f"--aptopt={transport}",
            suite,
            target,
            *(mirror.lines(suite) if mirror is not None else ()),
        ]
    )
    versions = package_versions([path.name for path in (target / ARCHIVES).glob("*.deb")])
    missing = [package for package in packages if package not in versions]
    if missing:
        raise RigError(f"the mirror gave no `{', '.join(missing)}`", f"look at `{runner.log}`")
    return versions


def merge_usr(root: Path) -> None:
    """Makes one /usr of unpacked packages, as Debian does: paths written either way then work. Since Debian 13 packages
    have nothing outside it."""
    for name in OUTSIDE_USR:
        old, new = root / name, root / "usr" / name
        if old.is_symlink():
            continue
        if old.exists():
            shutil.copytree(old, new, symlinks=True, dirs_exist_ok=True)
            remove_tree(old)
        new.mkdir(parents=True, exist_ok=True)
        old.symlink_to(f"usr/{name}")


def transport_settings(dump: str) -> str:
    """Those lines of `apt-config dump` that say how to reach a mirror."""
    return "".join(f"{line}\n" for line in dump.splitlines() if TRANSPORT.match(line))


def package_versions(files: Sequence[str]) -> dict[str, str]:
    """Versions by name, from what apt calls the archives it fetched: NAME_VERSION_ARCH.deb, quoted."""
    parts = [unquote(name).removesuffix(".deb").split("_") for name in files]
    return {name: version for name, version, _ in parts}


def apt_configuration() -> str:
    """What `apt-config dump` prints.

    Raises:
        RigError: this machine has no apt.
    """
    program = find_program("apt-config")
    if program is None:
        raise RigError("this machine has no `apt-config`", missing_program("mmdebstrap"))
    return subprocess.run([program, "dump"], check=True, capture_output=True, text=True).stdout
