"""A QEMU newer than the host's: of a Debian release, unpacked into the cache and run from there by its own loader."""

import os
import shlex
import subprocess
from functools import partial
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.host import find_program
from hybrid_hil.host.emulator import judge_machines, judge_qemu
from hybrid_hil.host.finding import Severity
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.packages import extract_packages
from hybrid_hil.image.diagnosis import explained, missing_program
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import write_manifest
from hybrid_hil.image.prerequisites import check_prerequisites
from hybrid_hil.image.store import Component, Store, remove_tree
from hybrid_hil.terminal import Reporter, Step

# By the names that `hil qemu --release` takes.
NEWEST = "newest"
SUITES = {"debian-13": "trixie", NEWEST: "forky"}
PACKAGE = "qemu-system-arm"
LAUNCHER = "qemu-system-aarch64"
TREE = "tree"
LEFT_OUT = ("dev", "usr/share/doc", "usr/share/locale", "usr/share/man", "var")

# Beside the program that runs, which is the loader, it stands for the root of everything QEMU loads (get_relocated_path
# of QEMU's util/cutils.c). An environment variable for modules would only be asked before the host's own.
BUNDLE = "qemu-bundle"

# The host's loader, C library and QEMU modules are of another release: none of them may slip in.
SCRIPT = """\
#!/bin/sh
# {package} of Debian {suite}, with its own dynamic loader, libraries, modules and data.
here=$(dirname -- "$(readlink -f -- "$0")")/{tree}
exec "$here"/{loader} --library-path "$here"/{libraries} "$here"/usr/bin/{program} "$@"
"""


def emulator_component(release: str) -> Component:
    """Of one of SUITES. Which version Debian has cannot be known offline: the first one fetched is kept until
    `--rebuild`."""
    inputs = Fingerprint()
    inputs.recipe(Path(__file__))
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
    tree = folder / TREE
    versions = extract_packages(runner, [PACKAGE], host_architecture(), tree, suite)
    tree.with_name(f"{TREE}.apt.conf").unlink()
    for name in LEFT_OUT:
        remove_tree(tree / name)
    launcher = folder / LAUNCHER
    loader = loader_of(tree)
    loader.with_name(BUNDLE).symlink_to(os.path.relpath(tree, loader.parent))
    launcher.write_text(launcher_script(loader.relative_to(tree), suite), encoding="ascii")
    launcher.chmod(0o755)
    step.detail("trying it")
    for finding in (
        judge_qemu(_said(runner, launcher, "--version")),
        judge_machines(_said(runner, launcher, "-machine", "help")),
    ):
        if finding.severity is Severity.FAIL:
            raise RigError(f"the fetched QEMU does not do: {finding.found}", f"look at `{runner.log}`")
    write_manifest(folder, {"suite": suite, "packages": versions, "version": versions[PACKAGE]})


def loader_of(tree: Path) -> Path:
    """Its dynamic loader. Raises RigError when it has none, or more than one."""
    loaders = sorted(tree.glob("usr/lib/*/ld-linux*.so.*"))
    if len(loaders) != 1:
        raise RigError(f"`{tree}` has {len(loaders)} dynamic loaders", "fetch it again: `hil qemu --rebuild`")
    return loaders[0]


def launcher_script(loader: Path, suite: str) -> str:
    """Runs the QEMU of the tree beside it by `loader`, a path in there, wherever both are moved together."""
    return SCRIPT.format(
        package=PACKAGE,
        suite=suite,
        tree=TREE,
        program=LAUNCHER,
        loader=shlex.quote(str(loader)),
        libraries=shlex.quote(str(loader.parent)),
    )


def host_architecture() -> str:
    """What Debian calls this machine's processor."""
    dpkg = find_program("dpkg")
    if dpkg is None:
        raise RigError("this machine has no `dpkg`", missing_program("mmdebstrap"))
    done = subprocess.run([dpkg, "--print-architecture"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _said(runner: BuildRunner, *command: str | Path) -> str:
    lines: list[str] = []
    runner.run(command, watch=lines.append)
    return "".join(lines)
