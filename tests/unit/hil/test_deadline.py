"""Deadlines on a clock of our own."""

import socket

import pytest

from hybrid_hil.deadline import PATIENCE_VARIABLE, Deadline, Unlimited, patience
from hybrid_hil.failure import RigError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATIENCE_VARIABLE, raising=False)


def test_remaining_falls_to_zero_and_no_further() -> None:
    clock = Clock()
    deadline = Deadline(2, clock=clock)
    assert deadline.remaining() == 2
    clock.now += 1.5
    assert deadline.remaining() == pytest.approx(0.5)
    assert not deadline.expired
    clock.now += 5
    assert deadline.remaining() == 0
    assert deadline.expired


def test_a_part_never_outlives_the_whole() -> None:
    clock = Clock()
    whole = Deadline(10, clock=clock)
    assert whole.after(3).remaining() == 3
    clock.now += 9
    assert whole.after(3).remaining() == pytest.approx(1)


def test_unlimited_never_expires_and_no_part_of_it_does() -> None:
    whole = Unlimited()
    part = whole.after(0.0)
    assert not part.expired
    assert part.remaining() > 24 * 3600
    with socket.socketpair()[0] as line:
        line.settimeout(part.remaining())


def test_patience_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE_VARIABLE, "2.5")
    assert Deadline(4, clock=Clock()).remaining() == 10


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf"])
def test_nonsense_patience_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(PATIENCE_VARIABLE, text)
    with pytest.raises(RigError, match=f"is `{text}`"):
        patience()


def test_ticks_come_at_least_once_and_once_after_the_end() -> None:
    assert list(Deadline(0).ticks(1)) == [0]
    deadline = Deadline(0.05)
    seen = [deadline.expired for _ in deadline.ticks(0.02)]
    assert seen[0] is False
    assert seen[-1] is True
    assert seen.count(True) == 1
