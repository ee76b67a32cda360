"""The states of all cores over a whole run."""

from collections.abc import Iterable
from dataclasses import dataclass

from hybrid_hil.report.cores import CoreState, Stretch, stretches
from hybrid_hil.report.record import Run

# What a reader can tell apart, and what bounds the figure of a run of a thousand tests.
SLOTS = 600
# When several states share a slot, the one a reader looks for.
_RANK = (CoreState.OFFLINE, CoreState.STARTING, CoreState.RUNNING, CoreState.CRASHED)


@dataclass(frozen=True)
class History:
    """`rows` are cores, each with its states in seconds since the run began; `failures` when tests failed."""

    rows: dict[str, list[Stretch]]
    failures: tuple[float, ...]
    duration_s: float


def history(run: Run) -> History:
    """What is known of the cores of a run. With several boards a row is called `WORKER CORE`."""
    several = len({case.worker for case in run.cases if case.observed.events}) > 1
    rows: dict[str, list[Stretch]] = {}
    for case in run.cases:
        offset = case.began - run.began
        for core, found in stretches(case.observed.events, case.duration_s).items():
            row = rows.setdefault(f"{case.worker} {core}" if several else core, [])
            row += [Stretch(one.state, offset + one.begin_s, offset + one.end_s) for one in found]
    failures = tuple(case.began + case.duration_s - run.began for case in run.cases if case.bad)
    drawn = {row: slotted(found, run.duration_s) for row, found in sorted(rows.items())}
    return History(drawn, failures[:SLOTS], run.duration_s)


def slotted(found: Iterable[Stretch], duration_s: float, slots: int = SLOTS) -> list[Stretch]:
    """The stretches on a grid of so many slots, at most one each; neighbours of the same state are one."""
    width = max(duration_s, 1e-9) / slots
    grid: dict[int, CoreState] = {}
    for one in found:
        first = max(0, min(int(one.begin_s / width), slots - 1))
        last = max(first, min(int(one.end_s / width), slots - 1))
        for slot in range(first, last + 1):
            grid[slot] = max(one.state, grid.get(slot, one.state), key=_RANK.index)
    joined: list[Stretch] = []
    for slot, state in sorted(grid.items()):
        begin, end = slot * width, (slot + 1) * width
        if joined and joined[-1].state is state and begin - joined[-1].end_s < width / 2:
            joined[-1] = Stretch(state, joined[-1].begin_s, end)
        else:
            joined.append(Stretch(state, begin, end))
    return joined
