"""A QEMU from the cache: the launcher runs what lies beside it, with what lies beside it."""

import subprocess
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.debian.emulator import (
    LAUNCHER,
    NEWEST,
    PACKAGE,
    SUITES,
    emulator_component,
    kept_emulator,
)
from hybrid_hil.image.debian.host_program import HostProgram, loader_of
from hybrid_hil.image.debian.mirror import Mirror
from hybrid_hil.image.retention import everything, superfluous
from hybrid_hil.image.store import Store

LOADER = """#!/bin/sh
for word; do echo "$word"; done
"""


def unpacked(folder: Path) -> Path:
    """A tree whose dynamic loader tells what it is asked to run."""
    libraries = folder / "tree/usr/lib/x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    loader = libraries / "ld-linux-x86-64.so.2"
    loader.write_text(LOADER)
    loader.chmod(0o755)
    return folder / "tree"


def test_launcher_uses_nothing_of_the_host_wherever_it_lies(tmp_path: Path) -> None:
    made = tmp_path / "being made"
    tree = unpacked(made)
    (made / LAUNCHER).write_text(HostProgram("sid", PACKAGE, LAUNCHER).script(loader_of(tree).relative_to(tree)))
    (made / LAUNCHER).chmod(0o755)
    home = made.rename(tmp_path / "its place")
    link = tmp_path / "qemu"
    link.symlink_to(home / LAUNCHER)
    done = subprocess.run([link, "-M", "a b"], check=True, capture_output=True, text=True, cwd="/")
    usr = f"{home}/tree/usr"
    assert done.stdout.splitlines() == [
        *("--library-path", f"{usr}/lib/x86_64-linux-gnu"),
        *(f"{usr}/bin/qemu-system-aarch64", "-M", "a b"),
    ]


def test_tree_without_a_loader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="0 dynamic loaders"):
        loader_of(tmp_path)


def test_it_stays_when_images_go(store: Store) -> None:
    component = emulator_component(NEWEST)
    assert kept_emulator(store, NEWEST) is None
    store.path(component).mkdir(parents=True)
    assert kept_emulator(store, NEWEST) == store.path(component) / LAUNCHER
    assert kept_emulator(store, "debian-13") is None
    assert superfluous(store, keep=0) == []
    assert everything(store) == [component]


def test_mirror_gives_any_release() -> None:
    mirror = Mirror("http://m.example/debian", "http://m.example/debian-security")
    assert mirror.lines("trixie") == [
        "deb http://m.example/debian trixie main",
        "deb http://m.example/debian trixie-updates main",
        "deb http://m.example/debian-security trixie-security main",
    ]


@pytest.mark.parametrize("release", SUITES)
def test_the_one_in_the_cache_runs(release: str) -> None:
    launcher = kept_emulator(Store(), release)
    if launcher is None:
        pytest.skip(f"no QEMU in the cache: `hil qemu --release {release}` fetches one")
    done = subprocess.run([launcher, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("QEMU emulator version 1")
    # Whatever it loads of the host's is of another build, and it says so.
    board = [str(launcher), "-M", "xlnx-versal-virt", "-S", "-display", "none", "-serial", "none", "-monitor", "stdio"]
    done = subprocess.run(board, input="quit\n", check=True, capture_output=True, text=True)
    assert done.stderr == ""
