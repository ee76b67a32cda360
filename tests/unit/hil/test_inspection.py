"""Which runtime is on a board, by what the board says of its files and of its byte code."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_hil.device import inspection
from hybrid_hil.device.deployment import COMMIT, DIGESTS, LAUNCHER, LINK, SHIM, RuntimePayload, runtime_payload
from hybrid_hil.device.inspection import differences

MODULE = "hybrid_runtime/deep/module.py"
CACHED = f"hybrid_runtime/deep/__pycache__/module.{sys.implementation.cache_tag}.pyc"


@pytest.fixture
def packed(tmp_path: Path) -> RuntimePayload:
    source = tmp_path / "checkout/runtime"
    for name, text in {
        LAUNCHER: "#!/usr/bin/python3 -IS\n",
        SHIM: "#!/bin/sh\n",
        "engines/podman/drop-in.conf": "[engine]\n",
        "hybrid_runtime/__init__.py": "",
        MODULE: "X = 1\n",
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    return runtime_payload(source)


@pytest.fixture
def board(tmp_path: Path, packed: RuntimePayload) -> Path:
    """A double of a board's root, with the payload deployed by the same steps."""
    root = tmp_path / "board"
    folder = root / "usr/lib/hybrid-runtime"
    folder.mkdir(parents=True)
    (root / "usr/bin").mkdir()
    subprocess.run(["tar", "-xf", "-", "-C", folder], input=packed.tar, check=True)
    compiling = ["compileall", "-q", "--invalidation-mode", "timestamp", "hybrid_runtime"]
    subprocess.run([sys.executable, "-m", *compiling], cwd=folder, check=True)
    (root / "usr/bin/hybrid-runtime").symlink_to(folder / LAUNCHER)
    (root / f"usr/{SHIM}").symlink_to(folder / SHIM)
    return root


def answer(root: Path) -> bytes:
    """What the question that boards are asked gives there."""
    text = inspection._QUESTION.replace("/usr/", f"{root}/usr/")
    return subprocess.run(["sh", "-c", text], capture_output=True, check=True).stdout


def folder_of(root: Path) -> Path:
    return root / "usr/lib/hybrid-runtime"


def test_what_was_deployed_is_what_is_there(packed: RuntimePayload, board: Path) -> None:
    assert differences(packed, answer(board)) == []


def removed(path: Path) -> None:
    path.unlink()


def edited(path: Path) -> None:
    path.write_text("X = 2\n")


def added(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("Y = 1\n")


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9])


def of_another_source(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[12] += 1
    path.write_bytes(content)


def of_another_day(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] += 1
    path.write_bytes(content)


def not_looked_at(path: Path) -> None:
    """Python would take it, whatever becomes of the source."""
    content = bytearray(path.read_bytes())
    content[4] = 1
    path.write_bytes(content)


def linked_elsewhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("/bin/true")


@pytest.mark.parametrize(
    ("harm", "name", "told"),
    [
        (edited, MODULE, f"`{MODULE}` differs"),
        (edited, COMMIT, f"`{COMMIT}` differs"),
        (edited, LAUNCHER, f"`{LAUNCHER}` differs"),
        (edited, DIGESTS, f"`{DIGESTS}` differs"),
        (removed, MODULE, f"`{MODULE}` is missing"),
        (removed, DIGESTS, f"`{DIGESTS}` is missing"),
        (added, "hybrid_runtime/old.py", "`hybrid_runtime/old.py` does not belong there"),
        (added, "a name with spaces", "`a name with spaces` does not belong there"),
        (added, "hybrid_runtime/deep/module.pyc", "`hybrid_runtime/deep/module.pyc` does not belong there"),
        (added, CACHED.replace("module.", "gone."), f"`{CACHED.replace('module.', 'gone.')}` does not belong there"),
        (of_another_source, CACHED, f"`{CACHED}` is of another source"),
        (of_another_day, CACHED, f"`{CACHED}` is of another source"),
        (not_looked_at, CACHED, f"`{CACHED}` is of another source"),
        (shortened, CACHED, f"`{CACHED}` is of another source"),
        (removed, CACHED, f"`{MODULE}` has no byte code"),
        (linked_elsewhere, LINK, f"`{LINK}` leads elsewhere"),
        (removed, "../../bin/hybrid-runtime", "`/usr/bin/hybrid-runtime` leads elsewhere"),
        (linked_elsewhere, f"../../{SHIM}", f"`/usr/{SHIM}` leads elsewhere"),
    ],
)
def test_what_is_otherwise_is_named(
    packed: RuntimePayload, board: Path, harm: Callable[[Path], None], name: str, told: str
) -> None:
    harm(folder_of(board) / name)
    found = [text.replace(str(board), "") for text in differences(packed, answer(board))]
    assert found == [told]


def test_a_list_of_the_board_s_own_that_agrees_with_its_files_proves_nothing(
    packed: RuntimePayload, board: Path
) -> None:
    """As on a board that was kept with the runtime of another commit: everything there agrees with everything."""
    folder = folder_of(board)
    edited(folder / MODULE)
    listing = subprocess.run(["sha256sum", *packed.digests], cwd=folder, capture_output=True, text=True, check=True)
    (folder / DIGESTS).write_text(listing.stdout)
    subprocess.run(["sha256sum", "-c", DIGESTS], cwd=folder, capture_output=True, check=True)
    assert differences(packed, answer(board)) == [f"`{MODULE}` differs", f"`{DIGESTS}` differs"]


def test_nothing_there_at_all(packed: RuntimePayload, board: Path) -> None:
    shutil.rmtree(folder_of(board))
    assert f"`{LAUNCHER}` is missing" in differences(packed, answer(board))
