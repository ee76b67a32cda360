"""What is taken for proof, and what is not."""

import pytest

from hybrid_hil.console import Line
from hybrid_hil.device.proof import (
    NOMINAL_PERIOD_S,
    Beat,
    CoreStart,
    UnprovenError,
    beats,
    check_rising,
    core_starts,
    heartbeat_period,
)


def lines(*texts: str) -> list[Line]:
    return [Line(text, 10.0 + index / 10, 0.0) for index, text in enumerate(texts)]


def start(boot: int) -> CoreStart:
    return CoreStart("core0", "heartbeat", boot, "n", 0.0)


def test_a_start_is_a_whole_first_line() -> None:
    said = lines(
        "core0 heartbeat boot=3 nonce=ab12",
        "core1 hello boot=1 nonce=cd34",
        "core0 heartbeat boot=4 nonce=",
        "x core0 heartbeat boot=5 nonce=ef",
        "core0 heartbeat boot=6 nonce=ab12 and more",
        "core0 beat=1",
    )
    assert [(s.speaker, s.firmware, s.boot, s.nonce) for s in core_starts(said)] == [
        ("core0", "heartbeat", 3, "ab12"),
        ("core1", "hello", 1, "cd34"),
    ]
    assert [s.boot for s in core_starts(said, "core1")] == [1]


def test_beats_are_one_core_s_own() -> None:
    said = lines("core0 beat=1", "core1 beat=7", "core0 beat=2", "core0 beat=two")
    assert [beat.number for beat in beats(said, "core0")] == [1, 2]


def test_the_period_is_the_longest_recent_pause() -> None:
    assert heartbeat_period([]) == NOMINAL_PERIOD_S
    assert heartbeat_period([Beat(1, 0.0), Beat(2, 0.01)]) == NOMINAL_PERIOD_S
    assert heartbeat_period([Beat(1, 0.0), Beat(2, 0.1), Beat(3, 0.6), Beat(4, 0.7)]) == pytest.approx(0.5)
    slow_once = [Beat(0, -9.0), *(Beat(n, n * 0.1) for n in range(1, 40))]
    assert heartbeat_period(slow_once) == pytest.approx(0.1)


def test_rising_means_each_by_one_and_none_missing() -> None:
    check_rising([start(4), start(5), start(6)], 3)
    for wrong in ([], [start(1)], [start(1), start(3)], [start(2), start(2)], [start(2), start(1)]):
        with pytest.raises(UnprovenError, match="rising boot numbers"):
            check_rising(wrong, 2)
