"""A component's name changes with any of its inputs, and with nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_hil.image.fingerprint import Fingerprint, statements


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


def edit(root: Path) -> None:
    (root / "etc/inittab").write_text("other\n")


def rename(root: Path) -> None:
    (root / "etc/inittab").rename(root / "etc/inittab2")


def make_executable(root: Path) -> None:
    (root / "etc/inittab").chmod(0o755)


def add(root: Path) -> None:
    (root / "etc/new").touch()


def link_elsewhere(root: Path) -> None:
    (root / "etc/resolv.conf").unlink()
    (root / "etc/resolv.conf").symlink_to("/elsewhere")


def turn_link_into_file(root: Path) -> None:
    (root / "etc/resolv.conf").unlink()
    (root / "etc/resolv.conf").write_text("/proc/net/pnp")


@pytest.mark.parametrize("change", [edit, rename, make_executable, add, link_elsewhere, turn_link_into_file])
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


RECIPE = '''
"""A module."""
TARGET = "Image"


def build(jobs: int) -> str:
    """Builds."""
    return f"make -j{jobs} {TARGET}"  # fast
'''


@pytest.mark.parametrize(
    "wording",
    [
        RECIPE.replace("A module.", "Another text."),
        RECIPE.replace("  # fast", ""),
        RECIPE.replace('"""Builds."""', '"""Builds it."""\n'),
        RECIPE.replace("def build(jobs: int)", "def build(\n    jobs: int,\n)"),
    ],
)
def test_wording_of_a_recipe_is_no_input(wording: str) -> None:
    assert wording != RECIPE
    assert statements(wording) == statements(RECIPE)


@pytest.mark.parametrize("change", [("Image", "vmlinux"), ("-j", "-l"), ("jobs: int", "jobs: str")])
def test_what_a_recipe_does_is_an_input(change: tuple[str, str]) -> None:
    assert statements(RECIPE.replace(*change)) != statements(RECIPE)
