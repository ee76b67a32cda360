"""The kernel's source: Debian's package of it, kept so that another configuration needs no network."""

from pathlib import Path

from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.mirror import SUITE
from hybrid_hil.image.debian.packages import extract_packages
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import write_manifest
from hybrid_hil.image.store import Component, remove_tree
from hybrid_hil.terminal import Step

PACKAGE = "linux-source-6.12"
TARBALL = f"{PACKAGE}.tar.xz"


def source_component() -> Component:
    """Which version Debian has cannot be known offline: the first one fetched is kept until `--rebuild`."""
    inputs = Fingerprint()
    inputs.text("package", PACKAGE, SUITE)
    return Component("source", inputs.digest())


def fetch_source(folder: Path, runner: BuildRunner, step: Step) -> None:
    """Puts the kernel's tarball into `folder`."""
    step.detail("fetching from the Debian mirror")
    unpacked = folder / "unpacked"
    versions = extract_packages(runner, [PACKAGE], "arm64", unpacked)
    (unpacked / "usr/src" / TARBALL).rename(folder / TARBALL)
    write_manifest(folder, {"package": PACKAGE, "suite": SUITE, "version": versions[PACKAGE]})
    remove_tree(unpacked)
    unpacked.with_name("unpacked.apt.conf").unlink()
