"""The kernel's source: Debian's package of it, kept so that another configuration needs no network."""

from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.kernel_release import KernelRelease
from hybrid_hil.image.debian.packages import extract_packages
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import write_manifest
from hybrid_hil.image.store import Component, remove_tree
from hybrid_hil.terminal import Step

TARBALLS = "linux-source-*.tar.xz"


def source_component(release: KernelRelease) -> Component:
    """Which version Debian has cannot be known offline: the first one fetched is kept until `--rebuild`."""
    inputs = Fingerprint()
    inputs.text("package", release.package, release.suite)
    return Component("source", inputs.digest())


def fetch_source(release: KernelRelease, folder: Path, runner: BuildRunner, step: Step) -> None:
    """Puts the kernel's tarball into `folder`."""
    step.detail("fetching from the Debian mirror")
    package, suite = release.package, release.suite
    unpacked = folder / "unpacked"
    versions = extract_packages(runner, [package], "arm64", unpacked, suite)
    tarball = tarball_in(unpacked / "usr/src")
    tarball.rename(folder / tarball.name)
    write_manifest(folder, {"package": package, "suite": suite, "version": versions[package]})
    remove_tree(unpacked)
    unpacked.with_name("unpacked.apt.conf").unlink()


def tarball_in(folder: Path) -> Path:
    """The one tarball there. Raises RigError when there is another number of them."""
    tarballs = sorted(folder.glob(TARBALLS))
    if len(tarballs) != 1:
        raise RigError(f"`{folder}` has {len(tarballs)} tarballs of Linux", "build the image again with --rebuild")
    return tarballs[0]
