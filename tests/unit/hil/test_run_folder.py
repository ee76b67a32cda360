"""Run folders: held by the living, swept after the dead."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hybrid_hil.board.run_folder import RunFolder, RunInfo, running_boards, runs_root, sweep
from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.shell import Address

RUN_INFO = RunInfo("hil boot", "two-cores", 2200, "/keys/host", "/keys/login", 1)

HOLDER = """
import os, sys
from pathlib import Path
from hybrid_hil.board.run_folder import RunFolder
print(RunFolder.make(Path(sys.argv[1])).path, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield runs_root()


def test_the_root_is_ours_alone(root: Path) -> None:
    assert root.stat().st_mode & 0o777 == 0o700
    root.chmod(0o755)
    with pytest.raises(RigError, match="not a folder of ours alone"):
        runs_root()


def test_a_held_folder_is_not_swept(root: Path) -> None:
    folder = RunFolder.make(root)
    assert sweep(root) == []
    folder.remove()
    assert not folder.path.exists()


def test_the_folder_of_a_killed_owner_is_swept_by_the_next(root: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", HOLDER, root], capture_output=True, text=True, check=False)
    left = Path(dead.stdout.strip())
    assert dead.returncode == -9
    assert left.is_dir()
    folder = RunFolder.make(root)
    assert not left.exists()
    folder.remove()


def test_boards_are_found_while_they_can_be_reached(root: Path) -> None:
    assert list(running_boards(root)) == []
    older, newer = RunFolder.make(root), RunFolder.make(root)
    older.publish(RUN_INFO)
    newer.publish(RUN_INFO)
    assert {path for path, _ in running_boards(root)} == {older.path, newer.path}
    assert next(running_boards(root))[1] == RUN_INFO
    newer.withdraw()
    assert [path for path, _ in running_boards(root)] == [older.path]
    older.remove()
    assert list(running_boards(root)) == []
    newer.remove()


def test_a_card_says_whose_board_it_is() -> None:
    address = Address("127.0.0.1", 2200, "/keys/host", Path("/keys/login"))
    assert RunInfo.of("hil boot", "two-cores", address, 1) == replace(RUN_INFO, checkout=str(checkout_root()))


def test_cards_of_other_versions_are_read() -> None:
    saved = asdict(RUN_INFO)
    del saved["checkout"]
    assert RunInfo.parse(json.dumps(saved)) == RUN_INFO
    assert RunInfo.parse(json.dumps({**asdict(RUN_INFO), "of_a_later_version": 1})) == RUN_INFO
