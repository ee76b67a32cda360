"""Reading QEMU's answers."""

import socket

import pytest

from hybrid_hil.board.machine import exit_text, is_power_off
from hybrid_hil.board.qmp import Qmp, forwarded_port
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

USERNET = """Hub -1 (net):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[HOST_FORWARD]  24       127.0.0.1 45981       10.0.2.15    22     0     0
  UDP[236 sec]       26       10.0.2.15 38312        10.0.2.3    53     0     0
"""


def test_the_port_is_the_host_s() -> None:
    assert forwarded_port(USERNET) == 45981


def test_no_forward_is_an_error() -> None:
    with pytest.raises(RigError, match="forwards no port"):
        forwarded_port("Hub -1 (net):\n")


def test_an_obituary_says_how() -> None:
    assert exit_text(-9, "") == "QEMU was killed by signal 9"
    assert exit_text(1, "no such file") == "QEMU ended with 1: no such file"


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (exit_text(0, ""), True),
        (exit_text(0, "qemu-system-aarch64: warning: an old disk"), True),
        (exit_text(0, "qemu-system-aarch64: terminating on signal 15 from pid 1 (init)"), False),
        (exit_text(1, ""), False),
        (exit_text(-9, ""), False),
        ("Kernel panic - not syncing: sysrq triggered crash", False),
    ],
)
def test_a_power_off_is_no_death(cause: str, expected: bool) -> None:
    assert is_power_off(cause) is expected


def test_a_session_that_does_not_come_about_closes_its_socket() -> None:
    ours, theirs = socket.socketpair()
    with pytest.raises(RigError, match="did not answer `greet` in"):
        Qmp(ours, Deadline(0.2))
    assert ours.fileno() == -1
    assert theirs.recv(1) == b""
    theirs.close()
