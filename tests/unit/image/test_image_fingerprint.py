"""A component's name changes with any of its inputs, and with nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hybrid_hil.image.fingerprint import Fingerprint


def digest_of_tree(root: Path) -> str:
    inputs = Fingerprint()
    inputs.tree("overlay", root, leave_out=("build",))
    return inputs.digest()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "overlay"
    (root / "etc").mkdir(parents=True)
    (root / "etc/inittab").write_text("::sysinit:/etc/init.d/rcS\n")
    (root / "etc/resolv.conf").symlink_to("/proc/net/pnp")
    return root


CHANGES: dict[str, Callable[[Path], None]] = {
    "content": lambda root: (root / "etc/inittab").write_text("other\n") and None,
    "name": lambda root: (root / "etc/inittab").rename(root / "etc/inittab2") and None,
    "executable": lambda root: (root / "etc/inittab").chmod(0o755),
    "new file": lambda root: (root / "etc/new").touch(),
    "link": lambda root: (
        (root / "etc/resolv.conf").unlink(),
        (root / "etc/resolv.conf").symlink_to("/elsewhere"),
    )
    and None,
    "link to file": lambda root: (root / "etc/resolv.conf").unlink() or (root / "etc/resolv.conf").touch(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_changes_with_every_input(tree: Path, change: Callable[[Path], None]) -> None:
    before = digest_of_tree(tree)
    change(tree)
    assert digest_of_tree(tree) != before


def test_is_the_same_for_the_same_inputs_elsewhere_and_later(tree: Path, tmp_path: Path) -> None:
    before = digest_of_tree(tree)
    os.utime(tree / "etc/inittab", (1, 1))
    moved = tree.rename(tmp_path / "moved")
    assert digest_of_tree(moved) == before


def test_leaves_out_outputs_and_byte_code(tree: Path) -> None:
    before = digest_of_tree(tree)
    for name in ("build", "etc/__pycache__"):
        (tree / name).mkdir()
        (tree / name / "made").write_text("by a build")
    assert digest_of_tree(tree) == before


def test_frames_its_inputs() -> None:
    split, joined = Fingerprint(), Fingerprint()
    split.text("packages", "python3", "strace")
    joined.text("packages", "python3strace")
    assert split.digest() != joined.digest()
