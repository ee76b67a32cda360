"""Firmware that polls slows Linux on the same host as little as may be."""

import os
from pathlib import Path

from hybrid_hil.board import Board
from hybrid_hil.board.machine import AUXILIARY_NICE
from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.image import Image


def test_auxiliary_cores_take_what_linux_leaves(image: Image, board: Board) -> None:  # noqa: ARG001  is emulated
    assert isinstance(board, QemuBoard)
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    threads = [int(task.name) for task in Path(f"/proc/{board.qemu_pid}/task").iterdir()]
    niceness = [os.getpriority(os.PRIO_PROCESS, thread) for thread in threads]
    assert [nice for nice in niceness if nice != ours] == [AUXILIARY_NICE] * 2
