"""Processor time of each verb, in units of the bare interpreter's; the double stands for the machine."""

from pathlib import Path

import pytest

from tests.bench.measured import Note, Row, ratio_row
from tests.bench.processor_time import BARE, measure

CHECKOUT = Path(__file__).resolve().parents[2]
AT_MOST = {
    "--version": 1.3,
    "state": 1.3,
    "start": 1.3,
    "kill": 1.3,
    "delete": 1.3,
    "create": 1.6,
    "create with a network namespace": 2.1,
}


@pytest.fixture(scope="module")
def samples(pytestconfig: pytest.Config, note: Note) -> dict[str, list[float]]:
    """All of one run, taken in turns."""
    found = measure(CHECKOUT / "runtime", pytestconfig.getoption("--interpreter"), pytestconfig.getoption("--rounds"))
    bare = sorted(found[BARE])
    note(Row(BARE, bare[len(bare) // 2] * 1e3, None, "ms"))
    return found


@pytest.mark.parametrize("verb", AT_MOST)
def test_verb(samples: dict[str, list[float]], note: Note, verb: str) -> None:
    row = note(ratio_row(verb, samples[verb], samples[BARE], AT_MOST[verb]))
    assert row.holds, f"{row.value:.2f} times a bare interpreter"
