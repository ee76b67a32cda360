"""Which of QEMU's stops mean that a board stands still for want of space."""

import json
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from hybrid_hil.board.qmp import Qmp
from hybrid_hil.board.run_folder import RunFolder, RunInfo, filling
from hybrid_hil.board.standstill import Standstill
from hybrid_hil.board_health import BoardHealth, ending
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

STOP: dict[str, object] = {"event": "STOP"}
RESUME: dict[str, object] = {"event": "RESUME"}


def failing(action: str = "stop", nospace: bool = True) -> dict[str, object]:
    data = {"device": "disk", "operation": "write", "action": action, "nospace": nospace, "reason": "the reason"}
    return {"event": "BLOCK_IO_ERROR", "data": data}


def causes(folder: Path, *events: dict[str, object]) -> list[str]:
    standstill = Standstill(folder)
    return [cause for event in events if (cause := standstill.cause(event)) is not None]


def test_a_write_without_room_and_a_stop_are_a_standstill(tmp_path: Path) -> None:
    (cause,) = causes(tmp_path, failing(), STOP)
    assert cause.startswith(f"the board stands still: no space in `{tmp_path}` (")
    assert cause.endswith("iB free there)")


def test_another_failing_disk_is_told_by_its_reason(tmp_path: Path) -> None:
    assert causes(tmp_path, failing(nospace=False), STOP) == [
        "the board stands still: its disk does not write: the reason"
    ]


@pytest.mark.parametrize(
    "events",
    [
        [STOP],  # a snapshot, a debugger
        [STOP, RESUME, STOP],
        [failing("report"), STOP],  # the guest was told, and runs on
        [failing("ignore"), STOP],
        [failing()],  # its stop is still to come
        [STOP, failing(), RESUME, STOP],  # failed while it was halted; going on tries again
    ],
)
def test_a_wanted_stop_is_none(tmp_path: Path, events: list[dict[str, object]]) -> None:
    assert causes(tmp_path, *events) == []


def test_a_write_that_fails_again_after_a_wanted_stop_is_one(tmp_path: Path) -> None:
    assert len(causes(tmp_path, STOP, failing(), RESUME, failing(), STOP)) == 1


def test_a_cause_that_speaks_of_the_board_is_a_sentence() -> None:
    assert ending("the board stands still: x") == "the board stands still: x"
    assert ending("Kernel panic - not syncing: x") == "the board died: Kernel panic - not syncing: x"


class QemuDouble(threading.Thread):
    """Answers QMP's greeting like QEMU, then tells its events."""

    def __init__(self, line: socket.socket, events: list[dict[str, object]]) -> None:
        super().__init__(daemon=True)
        self._line = line
        self._events = events

    def run(self) -> None:
        version = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}
        self._say({"QMP": {"version": version, "capabilities": []}})
        self._line.recv(65536)  # qmp_capabilities
        self._say({"return": {}})
        for event in self._events:
            self._say({**event, "timestamp": {"seconds": 1, "microseconds": 0}})

    def _say(self, message: dict[str, object]) -> None:
        self._line.sendall(json.dumps(message).encode() + b"\r\n")


def test_events_are_told_as_they_come(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    standstill, health = Standstill(tmp_path), BoardHealth()
    QemuDouble(theirs, [{"event": "RTC_CHANGE", "data": {}}, failing(), STOP]).start()
    heard: list[object] = []

    def tell(event: Mapping[str, object]) -> None:
        heard.append(event["event"])
        cause = standstill.cause(event)
        if cause is not None:
            health.report(cause)

    qmp = Qmp(ours, Deadline(10), Standstill.heard, tell)
    assert health.wait(10)
    assert heard == ["BLOCK_IO_ERROR", "STOP"]
    theirs.close()
    qmp.close()


def test_what_a_file_system_refuses_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="takes no file: No space left on device") as caught, filling(tmp_path):
        Path("/dev/full").write_text("x")
    assert "iB free there)" in caught.value.message
    assert "XDG_RUNTIME_DIR" in caught.value.remedy


def test_a_board_that_cannot_be_published_says_why(tmp_path: Path) -> None:
    folder = RunFolder.make(tmp_path)
    (folder.path / "board.json.new").symlink_to("/dev/full")
    with pytest.raises(RigError, match=r"`.*board-.*` takes no file: No space left on device"):
        folder.publish(RunInfo("hil boot", "two-cores", 2200, "/keys/host", "/keys/login", 1))
    folder.remove()
