"""A QEMU newer than the host's: of a Debian release, unpacked into the cache and run from there by its own loader."""

import os
from functools import partial
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.host.emulator import judge_machines, judge_qemu
from hybrid_hil.host.finding import Severity
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian import host_program
from hybrid_hil.image.debian.host_program import TREE, HostProgram, host_architecture, loader_of
from hybrid_hil.image.debian.release import RELEASES
from hybrid_hil.image.diagnosis import explained
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import write_manifest
from hybrid_hil.image.prerequisites import check_prerequisites
from hybrid_hil.image.store import Component, Store
from hybrid_hil.terminal import Reporter, Step

# By the names that `hil qemu --release` takes.
NEWEST = "newest"
SUITES = {"debian-13": RELEASES["13"].suite, NEWEST: RELEASES["testing"].suite}
PACKAGE = "qemu-system-arm"
LAUNCHER = "qemu-system-aarch64"

# Beside the program that runs, which is the loader, it stands for the root of everything QEMU loads (get_relocated_path
# of QEMU's util/cutils.c). An environment variable for modules would only be asked before the host's own.
BUNDLE = "qemu-bundle"


def emulator_component(release: str) -> Component:
    """Of one of SUITES. Which version Debian has cannot be known offline: the first one fetched is kept until
    `--rebuild`."""
    inputs = Fingerprint()
    inputs.recipe(Path(__file__))
    inputs.recipe(Path(host_program.__file__))
    inputs.text("package", PACKAGE, SUITES[release], host_architecture())
    return Component("emulator", inputs.digest())


def kept_emulator(store: Store, release: str) -> Path | None:
    """The launcher of the one in the cache, None when there is none."""
    component = emulator_component(release)
    return store.path(component) / LAUNCHER if store.has(component) else None


def ensure_emulator(release: str, reporter: Reporter, store: Store | None = None, *, rebuild: bool = False) -> Path:
    """The launcher of that release's QEMU, fetched when the cache lacks it.

    Raises:
        RigError: no space, program or network; or what was fetched does not run here.
    """
    store = store or Store()
    component = emulator_component(release)
    fetch = partial(fetch_emulator, SUITES[release])
    try:
        with store.occupied():
            store.sweep()
            if rebuild or not store.has(component):
                check_prerequisites(store.root, [component.kind])
            title = f"fetching QEMU of Debian {SUITES[release]}"
            return store.ensure(component, fetch, reporter, title, rebuild=rebuild) / LAUNCHER
    except OSError as error:
        raise explained(error, store.root) from error


def fetch_emulator(suite: str, folder: Path, runner: BuildRunner, step: Step) -> None:
    """Puts the unpacked packages and a launcher into `folder`, and runs it."""
    step.detail("fetching and unpacking packages")
    versions = HostProgram(suite, PACKAGE, LAUNCHER).fetch(folder, runner)
    tree, launcher = folder / TREE, folder / LAUNCHER
    loader = loader_of(tree)
    loader.with_name(BUNDLE).symlink_to(os.path.relpath(tree, loader.parent))
    step.detail("trying it")
    for finding in (
        judge_qemu(_said(runner, launcher, "--version")),
        judge_machines(_said(runner, launcher, "-machine", "help")),
    ):
        if finding.severity is Severity.FAIL:
            raise RigError(f"the fetched QEMU does not do: {finding.found}", f"look at `{runner.log}`")
    write_manifest(folder, {"suite": suite, "packages": versions, "version": versions[PACKAGE]})


def _said(runner: BuildRunner, *command: str | Path) -> str:
    lines: list[str] = []
    runner.run(command, watch=lines.append)
    return "".join(lines)
