"""What follows from a kernel's log about its cores."""

from itertools import pairwise

import pytest

from hybrid_hil.report.cores import CoreState, Stretch, clock_difference, core_events, kernel_lines, stretches
from hybrid_hil.report.history import history, slotted
from hybrid_hil.report.record import CoreEvent
from tests.unit.hil.report_samples import CORE, case, run

LOG = """[    2.203112] remoteproc remoteproc0: 10000.r5f is available
[    9.000000] random: crng init done
[   12.893001] remoteproc remoteproc0: powering up 10000.r5f
[   12.903000] remoteproc remoteproc0: Booting fw image heartbeat.elf, size 4444
[   12.923000] remoteproc remoteproc0: remote processor 10000.r5f is now up
[   14.000000] remoteproc remoteproc0: crash detected in 10000.r5f: type fatal error
[   14.000100] remoteproc remoteproc0: handling crash #1 in 10000.r5f
[   14.084000] remoteproc remoteproc0: stopped remote processor 10000.r5f
half a line about remoteproc remoteproc0: powering up
"""


def test_lines_about_cores_are_found_among_others() -> None:
    lines = kernel_lines(LOG)
    assert len(lines) == 7
    assert (lines[1].stamp, lines[1].device, lines[1].text) == (12.893001, "remoteproc0", "powering up 10000.r5f")


def test_events_are_those_since_the_test_began() -> None:
    names: dict[str, str] = {}
    events = core_events(kernel_lines(LOG), 12.9, names)
    assert [round(event.at_s, 3) for event in events] == [0.003, 0.023, 1.1, 1.1, 1.184]
    assert {event.core for event in events} == {"10000.r5f"}
    assert names == {"remoteproc0": "10000.r5f"}


def test_a_core_nobody_has_named_is_called_by_its_device() -> None:
    (event,) = core_events(kernel_lines("[ 1.0] remoteproc remoteproc7: Boot failed: -22"), 0, {})
    assert event.core == "remoteproc7"


def test_the_clocks_are_told_apart_by_the_last_line_that_says_both() -> None:
    log = "[   14.865304] hybrid-hil: uptime 14.74\n[   20.5] x\n[   30.125000] hybrid-hil: uptime 30.00\n"
    assert clock_difference(log) == pytest.approx(0.125)
    assert clock_difference(LOG) == 0.0


def test_a_life_is_offline_starting_running_crashed_offline() -> None:
    events = core_events(kernel_lines(LOG), 12.0, {})
    assert [one.state for one in stretches(events, 3.0)["10000.r5f"]] == [
        CoreState.OFFLINE,
        CoreState.STARTING,
        CoreState.RUNNING,
        CoreState.CRASHED,
        CoreState.OFFLINE,
    ]


def test_stretches_fill_the_time_without_gaps() -> None:
    found = stretches(core_events(kernel_lines(LOG), 12.0, {}), 3.0)["10000.r5f"]
    assert found[0].begin_s == 0.0
    assert found[-1].end_s == 3.0
    assert all(one.end_s == after.begin_s for one, after in pairwise(found))


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("stopped remote processor c", CoreState.RUNNING, CoreState.OFFLINE),
        ("remote processor c is now attached", CoreState.STARTING, CoreState.RUNNING),
        ("Boot failed: -22", CoreState.STARTING, CoreState.OFFLINE),
        ("crash detected in c: type watchdog", CoreState.RUNNING, CoreState.CRASHED),
    ],
)
def test_a_first_event_tells_what_was_before(text: str, before: CoreState, after: CoreState) -> None:
    (found,) = stretches([CoreEvent(1.0, "c", text)], 2.0).values()
    assert found == [Stretch(before, 0.0, 1.0), Stretch(after, 1.0, 2.0)]


def test_words_that_change_nothing_are_no_stretch() -> None:
    assert stretches([CoreEvent(1.0, "c", "Booting fw image x, size 1")], 2.0) == {}


def test_a_history_places_tests_in_their_run() -> None:
    found = history(run(tuple(case(number) for number in range(6))))
    (row,) = found.rows.values()
    assert row[0].begin_s == pytest.approx(12, abs=0.1)
    assert row[-1].end_s == pytest.approx(25, abs=0.1)
    assert list(found.rows) == [CORE]


def test_a_grid_bounds_a_history_and_keeps_the_crash() -> None:
    many = [Stretch(CoreState.RUNNING, n / 100, (n + 1) / 100) for n in range(100_000)]
    found = slotted([*many, Stretch(CoreState.CRASHED, 500.0, 500.001)], 1000.0)
    assert [one.state for one in found] == [CoreState.RUNNING, CoreState.CRASHED, CoreState.RUNNING]
    assert found[1].begin_s <= 500.0 <= found[1].end_s
