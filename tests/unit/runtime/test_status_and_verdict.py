"""The two tables: what a container's status is, and what a core's state means for it."""

import pytest

from hybrid_runtime.container.status import BEING_CREATED, CREATED, RUNNING, UNKNOWN, Status, decide
from hybrid_runtime.container.status import STOPPED as IS_STOPPED
from hybrid_runtime.processor.remoteproc import STATES
from hybrid_runtime.supervisor.verdict import (
    BROKEN_CODE,
    CRASHED,
    RECOVERY_SECONDS,
    START_FAILED,
    STOPPED,
    STOPPED_BY_ANOTHER,
    VANISHED,
    ExitReason,
    judge,
)

EVERY_STATE = (*STATES, "", "unheard-of")


@pytest.mark.parametrize(
    ("status", "start", "kill", "delete"),
    [(BEING_CREATED, 0, 1, 0), (CREATED, 1, 1, 1), (RUNNING, 0, 1, 0), (IS_STOPPED, 0, 0, 1)],
)
def test_what_may_be_asked(status: Status, start: bool, kill: bool, delete: bool) -> None:
    assert (status.can_start, status.can_kill, status.can_delete) == (start, kill, delete)


def test_names_are_those_of_the_spec() -> None:
    assert [str(each) for each in (BEING_CREATED, CREATED, RUNNING, IS_STOPPED)] == [
        *("creating", "created", "running", "stopped")
    ]


@pytest.mark.parametrize("phase", ["creating", "created", "started"])
@pytest.mark.parametrize("core", EVERY_STATE)
def test_dead_supervisor_is_stopped(phase: str, core: str) -> None:
    assert decide(alive=False, phase=phase, ours=True, core=core, kernel_recovers=True) is IS_STOPPED


@pytest.mark.parametrize("core", EVERY_STATE)
@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("recovers", [True, False])
def test_living_supervisor(core: str, ours: bool, recovers: bool) -> None:
    # Nothing is known of a core that could not be looked at: then the living supervisor's word counts.
    up = ours and (core in ("running", "suspended", UNKNOWN) or (recovers and core == "crashed"))
    # sysfs shows a core offline in the middle of a recovery.
    recovering = ours and recovers and core == "offline"

    def status(phase: str) -> Status:
        return decide(alive=True, phase=phase, ours=ours, core=core, kernel_recovers=recovers)

    assert status("creating") is BEING_CREATED
    assert status("created") is (RUNNING if up else CREATED)
    assert status("started") is (RUNNING if up or recovering else IS_STOPPED)


def as_read(core: str) -> str:
    """What is read from the kernel is no object of the module's."""
    return "".join([*core])


SOON = RECOVERY_SECONDS / 2
LATE = RECOVERY_SECONDS * 2


@pytest.mark.parametrize(
    ("core", "ours", "recovers", "crash_seen", "down", "expected"),
    [
        ("running", True, False, False, 0.0, None),
        ("running", False, False, False, 0.0, STOPPED_BY_ANOTHER),
        ("suspended", True, False, False, LATE, None),
        ("suspended", False, False, False, 0.0, STOPPED_BY_ANOTHER),
        ("crashed", True, False, False, 0.0, CRASHED),
        ("crashed", False, False, True, 0.0, STOPPED_BY_ANOTHER),
        ("crashed", False, True, True, SOON, STOPPED_BY_ANOTHER),
        ("crashed", True, True, True, SOON, None),
        ("crashed", True, True, True, RECOVERY_SECONDS, None),
        ("crashed", True, True, True, LATE, CRASHED),
        ("offline", True, False, False, 0.0, STOPPED_BY_ANOTHER),
        ("offline", True, False, True, 0.0, CRASHED),
        ("offline", True, True, False, SOON, None),
        ("offline", True, True, False, LATE, STOPPED_BY_ANOTHER),
        ("offline", True, True, True, LATE, CRASHED),
        ("offline", False, True, True, SOON, STOPPED_BY_ANOTHER),
        ("attached", True, False, False, 0.0, STOPPED_BY_ANOTHER),
        ("attached", False, False, False, 0.0, STOPPED_BY_ANOTHER),
        ("attached", True, True, True, SOON, STOPPED_BY_ANOTHER),
        ("detached", True, True, True, SOON, STOPPED_BY_ANOTHER),
        ("detached", False, False, False, 0.0, STOPPED_BY_ANOTHER),
        ("invalid", True, True, True, SOON, VANISHED),
        ("invalid", False, False, False, 0.0, VANISHED),
        ("deleted", True, True, True, SOON, VANISHED),
        ("deleted", False, False, False, 0.0, VANISHED),
        ("unheard-of", True, False, False, 0.0, STOPPED_BY_ANOTHER),
    ],
)
def test_verdict(
    core: str, ours: bool, recovers: bool, crash_seen: bool, down: float, expected: ExitReason | None
) -> None:
    verdict = judge(
        as_read(core), ours=ours, has_driver=True, kernel_recovers=recovers, crash_seen=crash_seen, seconds_down=down
    )
    assert verdict is expected


@pytest.mark.parametrize(
    ("core", "recovers", "crash_seen", "expected"),
    [
        ("running", False, False, None),
        ("offline", False, False, VANISHED),
        ("offline", True, False, VANISHED),
        ("offline", False, True, CRASHED),
        ("crashed", False, True, CRASHED),
        ("crashed", False, False, CRASHED),
    ],
)
def test_verdict_once_the_driver_is_unbound(
    core: str, recovers: bool, crash_seen: bool, expected: ExitReason | None
) -> None:
    verdict = judge(
        as_read(core), ours=True, has_driver=False, kernel_recovers=recovers, crash_seen=crash_seen, seconds_down=0.0
    )
    assert verdict is expected


def test_exit_codes() -> None:
    endings = (STOPPED, STOPPED_BY_ANOTHER, CRASHED, VANISHED, START_FAILED)
    assert [ending.code for ending in endings] == [0, 69, 70, 71, 72]
    assert BROKEN_CODE == 73


def test_what_the_kernel_gets_for_a_recovery() -> None:
    assert RECOVERY_SECONDS == 2.0
