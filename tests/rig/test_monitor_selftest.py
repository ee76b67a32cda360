"""The platform firmware by itself: a payload in Linux' place makes every call, right and malformed, and counts."""

import subprocess
from pathlib import Path

import pytest

from hybrid_hil.checkout import checkout_root

WHOLE_S = 120.0


def check(folder: Path, monitor: str) -> subprocess.CompletedProcess[str]:
    """`make check` with its own output folder."""
    command = ["make", "-C", str(checkout_root() / "qemu"), "check", f"O={folder}", f"CHECKED_MONITOR={monitor}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=WHOLE_S, check=False)


def test_every_call_is_answered_and_malformed_ones_get_an_error(tmp_path: Path) -> None:
    done = check(tmp_path, "monitor.elf")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("monitor", ["monitor-wakeup-lies.elf", "monitor-powerdown-lies.elf"])
def test_the_check_finds_a_monitor_that_lies(tmp_path: Path, monitor: str) -> None:
    done = check(tmp_path, monitor)
    assert done.returncode != 0
    assert "FAIL" in done.stdout.upper()
