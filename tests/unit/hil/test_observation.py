"""What is asked of a board's kernel, test after test, over boots and restores."""

import re
import time
from types import SimpleNamespace

import pytest

from hybrid_hil.report.cores import CLOCK_MARK
from hybrid_hil.shell import Completed
from hybrid_hil.suite.observation import KernelLog

UP = "remoteproc remoteproc0: powering up 10000.r5f"


class AnsweringBoard:
    """A double of a board that answers what it is told to, and keeps the questions."""

    def __init__(self) -> None:
        self.boots, self.restores = 1, 0
        self.answer = ""
        self.questions: list[str] = []
        self.shell = SimpleNamespace(run=self._run)

    def _run(self, text: str, *, deadline: object) -> Completed:
        assert deadline is not None
        self.questions.append(text)
        return Completed(text, 0, self.answer, "", 0.0)

    @property
    def asked_since(self) -> float:
        found = re.search(r"since=([\d.]+)", self.questions[-1])
        assert found is not None
        return float(found[1])

    @property
    def compared(self) -> bool:
        return "/dev/kmsg" in self.questions[-1]


def events(log: KernelLog, board: AnsweringBoard, answer: str, ago: float = 1.0) -> list[tuple[float, str]]:
    board.answer = answer
    rig = SimpleNamespace(board=board)
    found = log.events(rig, time.monotonic() - ago)  # type: ignore[arg-type]
    return [(event.at_s, event.core) for event in found]


def test_each_line_is_fetched_once_and_clocks_are_compared_once() -> None:
    log, board = KernelLog(), AnsweringBoard()
    found = events(log, board, f"10.00\n[   10.120000] {CLOCK_MARK}10.00\n[    9.620000] {UP}\n")
    assert [core for _, core in found] == ["10000.r5f"]
    assert found[0][0] == pytest.approx(0.5, abs=0.05)
    assert (board.asked_since, board.compared) == (0.0, True)
    found = events(log, board, f"20.00\n[   19.870000] {UP}\n")
    assert found[0][0] == pytest.approx(0.75, abs=0.05)
    assert (board.asked_since, board.compared) == (9.62, False)
    events(log, board, "30.00\n")
    assert board.asked_since == 19.87


@pytest.mark.parametrize("life", ["boots", "restores"])
def test_a_board_that_came_up_again_is_asked_from_the_beginning(life: str) -> None:
    log, board = KernelLog(), AnsweringBoard()
    events(log, board, f"100.00\n[   99.9] {UP}\n")
    setattr(board, life, getattr(board, life) + 1)
    found = events(log, board, f"12.00\n[   12.000000] {CLOCK_MARK}12.00\n[   11.500000] {UP}\n")
    assert found[0][0] == pytest.approx(0.5, abs=0.05)
    assert (board.asked_since, board.compared) == (0.0, True)


def test_what_was_before_the_test_is_not_its_own() -> None:
    log, board = KernelLog(), AnsweringBoard()
    assert events(log, board, f"100.00\n[   50.0] {UP}\n") == []
