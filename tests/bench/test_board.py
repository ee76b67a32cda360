"""Latencies and contention on a board: the real driver, the real kernel, cores that run."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.bench.measured import Note, Row, percentile

SCRIPT = "/tmp/bench/on_board.py"
CONTENDERS = 50
# A thousand starts on an emulated board with a busy host take their time.
PATIENCE_S = 7200.0

Measure = Callable[[str, int], Any]


@pytest.fixture(scope="module")
def measure(shell: Shell, firmware: FirmwareMaker) -> Measure:
    """Runs one measurement of the script on the board."""
    shell.put(Path(__file__).with_name("on_board.py"), SCRIPT)
    silent = firmware("silent")

    def run(name: str, count: int) -> object:
        words = ["python3", SCRIPT, name, silent.path_on_board, silent.processor, str(count)]
        return json.loads(shell.run(words, deadline=Deadline(PATIENCE_S)).stdout)

    return run


@pytest.mark.parametrize(("way", "at_most"), [("crashes", 60.0), ("crashes-by-tick", 300.0)], ids=["kmsg", "tick"])
def test_crash_to_end(pytestconfig: pytest.Config, measure: Measure, note: Note, way: str, at_most: float) -> None:
    samples = [seconds * 1e3 for seconds in measure(way, pytestconfig.getoption("--crashes"))]
    detail = {"median_ms": statistics.median(samples), "slowest_ms": max(samples)}
    spread = f"median {detail['median_ms']:.0f}, slowest {detail['slowest_ms']:.0f}"
    name = f"crash to end by {'tick' if 'tick' in way else 'kernel log'}, p95 of {len(samples)}"
    row = note(Row(name, percentile(samples, 95), at_most, "ms", spread, detail))
    assert row.holds


def test_no_start_is_lost(pytestconfig: pytest.Config, measure: Measure, note: Note) -> None:
    counted = measure("lost-starts", pytestconfig.getoption("--starts"))
    assert note(Row(f"starts lost of {counted['starts']}", counted["lost"], 0)).holds


def test_one_of_many(measure: Measure, note: Note) -> None:
    counted = measure("contenders", CONTENDERS)
    rows = [
        note(Row(f"creates of one id that succeed, of {CONTENDERS}", counted["created"], 1)),
        note(Row(f"starts of one container that succeed, of {CONTENDERS}", counted["started"], 1)),
    ]
    assert [row.value for row in rows] == [1, 1]


def test_supervisor(pytestconfig: pytest.Config, measure: Measure, note: Note) -> None:
    seconds = int(pytestconfig.getoption("--idle-seconds"))
    facts = measure("supervisor", seconds)
    idle = facts["ticks"] / max(1, facts["bare_ticks"])
    detail = {"ticks": facts["ticks"], "bare_ticks": facts["bare_ticks"], "seconds": seconds}
    rows = [
        note(Row("supervisor: private dirty", facts["private_dirty_kib"], 3072, "KiB")),
        note(Row("supervisor: threads", facts["threads"], 1)),
        note(Row("supervisor: idle CPU of a bare loop's", idle, 3, detail=detail)),
    ]
    assert all(row.holds for row in rows), rows
