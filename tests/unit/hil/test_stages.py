"""Which stage a console has reached."""

import re

import pytest

from hybrid_hil.board.stages import FIRMWARE, INIT, KERNEL, NETWORK, SSH, STAGES, Stage, cause_of, marker_from
from hybrid_hil.board_health import BoardHealth
from hybrid_hil.console import ConsoleError
from hybrid_hil.failure import RigError

LINES = {
    FIRMWARE: "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd083]",
    KERNEL: "[    1.011489] Run /sbin/init as init process",
    INIT: "hybrid-board: init",
    NETWORK: "hybrid-board: network 10.0.2.15",
    SSH: "hybrid-board: ssh",
}


def done(stage: Stage, text: str) -> bool:
    return re.search(marker_from(stage), text, re.MULTILINE) is not None


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_is_done_by_its_own_line_or_any_later_one(stage: Stage) -> None:
    for other, line in LINES.items():
        assert done(stage, f"noise\n{line}\nnoise") is (STAGES.index(other) >= STAGES.index(stage))


@pytest.mark.parametrize("echo", ["# echo hybrid-board: ssh", "hybrid-board:~# ", "hybrid-board: network"])
def test_a_marker_does_not_match_what_somebody_types(echo: str) -> None:
    assert not done(INIT, echo)


def test_the_cause_is_what_killed_the_board_if_anything_did() -> None:
    """Also where SSH met its end before the console did."""
    late = ConsoleError("`console` did not show `x` in 4.0 s")
    health = BoardHealth()
    assert cause_of(late, health) == "`console` did not show `x` in 4.0 s"
    assert cause_of(RigError("no port", "a remedy"), health) == "no port"
    health.report("QEMU was killed by signal 9")
    for error in (late, RigError("cannot reach the board: QEMU was killed by signal 9")):
        assert cause_of(error, health) == "QEMU was killed by signal 9"
