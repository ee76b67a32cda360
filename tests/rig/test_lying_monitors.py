"""A board whose platform firmware lies: the lifecycle tests must fail, and name the proof they lack."""

import pytest

from hybrid_hil.host.checkout import checkout_root
from tests.rig.sandbox import Sandbox

LIFECYCLE = "test_create_start_logs_state_kill_delete"
WHOLE_S = 180.0


def lifecycle_output(sandbox: Sandbox, monitor: str) -> tuple[int, str]:
    """The exit code and output of the lifecycle test of core 0 on a board with this monitor."""
    test = checkout_root() / "tests" / "board" / "test_lifecycle.py"
    process = sandbox.pytest(
        f"--image={sandbox.image.folder}",
        f"--monitor={sandbox.image.platform / monitor}",
        f"{test}::{LIFECYCLE}[0]",
    )
    output, _ = process.communicate(timeout=WHOLE_S)
    return process.returncode, output


@pytest.mark.nightly
def test_an_honest_monitor_passes(sandbox: Sandbox) -> None:
    code, output = lifecycle_output(sandbox, "monitor.elf")
    assert code == pytest.ExitCode.OK, output


def test_a_wakeup_that_wakes_nobody_is_found_out(sandbox: Sandbox) -> None:
    code, output = lifecycle_output(sandbox, "monitor-wakeup-lies.elf")
    assert code == pytest.ExitCode.TESTS_FAILED, output
    assert "unproven: nonce on the core's console: " in output


def test_a_powerdown_that_stops_nobody_is_found_out(sandbox: Sandbox) -> None:
    code, output = lifecycle_output(sandbox, "monitor-powerdown-lies.elf")
    assert code == pytest.ExitCode.TESTS_FAILED, output
    assert "unproven: heartbeat silent after the stop: core0 still says `core0 beat=" in output
