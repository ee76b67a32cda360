"""What the rig makes of a board after a test: cleaned, renewed, told of, refused."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from hybrid_hil.board_health import BoardHealth
from hybrid_hil.deadline import Deadline
from hybrid_hil.device import rig as rig_module
from hybrid_hil.device.change import Change
from hybrid_hil.device.deployment import RuntimePayload
from hybrid_hil.device.inspection import StaleRuntimeError
from hybrid_hil.device.rig import Rig
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Completed
from hybrid_hil.suite.board_session import expected_warnings, leaves, summary, warned

AS_IT_WAS = "tainted 0\nwarnings 0\nprintk 1 4 1 7\nprocess init 1\n"
WARNING = "kernel [    9.5] WARNING: CPU: 0 PID: 1 at kernel/x.c:1"
STALE = "the runtime on the board is not this checkout's: `COMMIT` differs"


class CareBoard:
    """A double of a board that answers each look with the next text, and cleans nothing unless told to."""

    name, exclusive, cores, boot_s = "double", True, (), 10.0

    def __init__(self) -> None:
        self.provision: Any = None
        self.inspection: Any = None
        self.boots, self.restores = 0, 0
        self.looks = [AS_IT_WAS]
        self.scripts: list[str] = []
        self.health = BoardHealth()
        self.shell = SimpleNamespace(run=self._run)

    def _run(self, text: str, *, deadline: Deadline) -> Completed:  # noqa: ARG002  as a shell has it
        if "/proc/self/mounts" not in text:
            self.scripts.append(text)
            return Completed(text, 0, "", "", 0.0)
        answer = self.looks[0] if len(self.looks) == 1 else self.looks.pop(0)
        if not answer:
            raise RigError("the board does not answer")
        return Completed(text, 0, answer, "", 0.0)

    def power_on(self, deadline: Deadline) -> None:
        self.boots += 1
        self.inspection(self, deadline)

    def power_cycle(self, deadline: Deadline) -> None:
        """Back to how it was, as from a snapshot."""
        self.looks = [AS_IT_WAS]
        self.restores += 1
        self.health.reset()
        self.inspection(self, deadline)


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What inspections say, one after the other; nothing more to say is a board that is as it should be."""
    said: list[str] = []

    def require(*_: object) -> None:
        if said:
            raise StaleRuntimeError(said.pop(0))

    monkeypatch.setattr(rig_module, "require_deployed", require)
    monkeypatch.setattr(rig_module, "checkout_payload", lambda: RuntimePayload(b"", {}, {}))
    return said


@pytest.fixture
def board(stale: list[str]) -> CareBoard:  # noqa: ARG001  stands in for the inspection
    return CareBoard()


@pytest.fixture
def rig(board: CareBoard) -> Rig:
    fresh = Rig(board)  # type: ignore[arg-type]
    fresh.boot()
    return fresh


def test_a_board_as_it_was_costs_one_look(rig: Rig, board: CareBoard) -> None:
    assert rig.look_after("this") == []
    assert (board.scripts, rig.account.cleaned, rig.account.renewed) == ([], [], [])


def test_what_can_be_cleaned_is_cleaned(rig: Rig, board: CareBoard) -> None:
    board.looks = [f"{AS_IT_WAS}process sleep 77\n", AS_IT_WAS]
    assert [str(one) for one in rig.look_after("this")] == ["process sleep 77"]
    assert "kill -9 77" in board.scripts[0]
    assert (rig.account.cleaned, board.restores) == (["this: process sleep 77"], 0)


def test_what_stays_after_the_cleaning_renews_the_board(rig: Rig, board: CareBoard) -> None:
    board.looks = [f"{AS_IT_WAS}address 10.9.9.9\n"] * 2 + ["never asked for"]
    rig.look_after("this")
    assert (rig.account.renewed, board.restores) == (["this: address 10.9.9.9"], 1)
    assert rig.look_after("next") == []


@pytest.mark.parametrize(
    "now",
    [
        f"{WARNING}\n{AS_IT_WAS}",
        AS_IT_WAS.replace("tainted 0", "tainted 512"),
        AS_IT_WAS.replace("warnings 0", "warnings 1"),
    ],
    ids=["line", "taint", "count"],
)
def test_a_complaint_of_the_kernel_is_told_and_renews_the_board(rig: Rig, board: CareBoard, now: str) -> None:
    """Before the board is renewed, so that its log can still be read; nothing is cleaned, since nothing would help."""
    heard: list[tuple[str, int]] = []

    def told(found: Sequence[Change]) -> None:
        heard.append((found[0].text, board.restores))

    board.looks = [now]
    (found, *_) = rig.look_after("this", told=told)
    assert heard == [(found.text, 0)]
    assert (board.scripts, board.restores) == ([], 1)
    assert rig.look_after("next", told=told) == []
    assert len(heard) == 1


def test_a_panic_is_a_complaint_too(rig: Rig, board: CareBoard) -> None:
    """Known by its console, and at once: such a board is not even asked."""
    heard: list[str] = []
    board.looks = ["a look that would wait for its deadline"]
    board.health.report("Kernel panic - not syncing: sysrq triggered crash")
    rig.look_after("this", told=lambda found: heard.extend(one.text for one in found))
    assert heard == ["kernel Kernel panic - not syncing: sysrq triggered crash"]
    assert board.restores == 1


def test_a_board_that_only_does_not_answer_is_renewed_without_blame(rig: Rig, board: CareBoard) -> None:
    heard: list[object] = []
    board.looks = [""]
    board.health.report("the board is powered off")
    assert "does not answer" in str(rig.look_after("this", told=heard.append)[0])
    assert (heard, board.restores) == ([], 1)


def test_what_a_test_may_leave_stays_and_is_nobody_s_later(rig: Rig, board: CareBoard) -> None:
    board.looks = [f"{AS_IT_WAS}process dockerd 77\n"]
    assert rig.look_after("this", ["process"]) == []
    assert rig.look_after("next") == []
    assert board.scripts == []


def test_a_board_with_another_runtime_is_refused(board: CareBoard, stale: list[str]) -> None:
    stale.append(STALE)
    with pytest.raises(RigError, match=r"not this checkout's: `COMMIT` differs"):
        Rig(board).boot()  # type: ignore[arg-type]


def test_a_renewed_board_with_another_runtime_is_refused_too(rig: Rig, board: CareBoard, stale: list[str]) -> None:
    stale.append(STALE)
    board.looks = [f"{WARNING}\n{AS_IT_WAS}"]
    with pytest.raises(RigError, match="not this checkout's"):
        rig.look_after("this")
    assert rig.account.stale == [STALE]


class Marked:
    """A double of a test with markers."""

    def __init__(self, *marks: pytest.MarkDecorator) -> None:
        self._marks = [mark.mark for mark in marks]

    def iter_markers(self, name: str) -> Iterator[pytest.Mark]:
        return (mark for mark in self._marks if mark.name == name)


def test_markers_are_added_up() -> None:
    plain: Any = Marked()
    assert (expected_warnings(plain), leaves(plain)) == (None, [])
    any_line: Any = Marked(pytest.mark.kernel_warning)
    assert expected_warnings(any_line) == []
    both: Any = Marked(
        pytest.mark.kernel_warning("a"), pytest.mark.kernel_warning("b", "c"), pytest.mark.leaves("link")
    )
    assert (expected_warnings(both), leaves(both)) == (["a", "b", "c"], ["link"])


def test_the_failure_names_the_line_and_the_marker() -> None:
    text = warned([Change(WARNING), Change("tainted 512")])
    assert f"`{WARNING}`; `tainted 512`" in text
    assert text.endswith("(mark it kernel_warning if it expects that)")


def test_the_account_is_one_line() -> None:
    assert summary("gw0", rig_module.Account(boots=1, boot_s=4.0)).startswith("gw0: 1 boots, 4.0 s each; cleaned 0")
