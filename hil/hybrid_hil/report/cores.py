"""What a kernel's log says of cores, and the states that follow from it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hybrid_hil.report.record import CoreEvent

# `[   12.345678] remoteproc remoteproc0: what the kernel says`, as dmesg shows it
_LINE = re.compile(r"^\[ *(?P<stamp>\d+\.\d+)\] remoteproc (?P<device>remoteproc\d+): (?P<text>.*)$")
# drivers/remoteproc/remoteproc_core.c: the texts in which a core's own name stands
_NAMED = re.compile(r"(?:powering up|remote processor|crash detected in|recovering|attaching to|in) (?P<name>[^\s:]+)")
_AVAILABLE = re.compile(r"^(?P<name>\S+) is available$")
# printk's clock is ahead of the uptime by what the boot loader took, so one line of the log says both
CLOCK_MARK = "hybrid-hil: uptime "
_CLOCKS = re.compile(rf"^\[ *(\d+\.\d+)\] {CLOCK_MARK}(\d+\.\d+)$", re.MULTILINE)


class CoreState(StrEnum):
    OFFLINE = "offline"
    STARTING = "starting"
    RUNNING = "running"
    CRASHED = "crashed"


# Which state a text leads to, and which one it comes from when nothing was said before.
_TURNS = (
    (re.compile(r"^powering up|^attaching to"), CoreState.STARTING, CoreState.OFFLINE),
    (re.compile(r"is now (up|attached)$"), CoreState.RUNNING, CoreState.STARTING),
    (re.compile(r"^(stopped|detached) remote processor"), CoreState.OFFLINE, CoreState.RUNNING),
    (re.compile(r"^crash detected|^handling crash"), CoreState.CRASHED, CoreState.RUNNING),
    (re.compile(r"^(Boot failed|can't start rproc|request_firmware failed)"), CoreState.OFFLINE, CoreState.STARTING),
)


@dataclass(frozen=True)
class KernelLine:
    """A line of a kernel's log about a core; `stamp` is the kernel's own clock."""

    stamp: float
    device: str
    text: str


@dataclass(frozen=True)
class Stretch:
    """A core in one state, from one time to another in seconds."""

    state: CoreState
    begin_s: float
    end_s: float


def kernel_lines(log: str) -> list[KernelLine]:
    """The lines about cores in what dmesg prints."""
    found = (_LINE.match(line) for line in log.splitlines())
    return [KernelLine(float(match["stamp"]), match["device"], match["text"]) for match in found if match]


def clock_difference(log: str) -> float:
    """By how many seconds the stamps of a log are ahead of the uptime; 0 when nothing in it tells."""
    found = _CLOCKS.findall(log)
    return float(found[-1][0]) - float(found[-1][1]) if found else 0.0


def core_events(lines: Sequence[KernelLine], began: float, names: dict[str, str]) -> list[CoreEvent]:
    """The events since `began` on the kernel's clock. `names` maps devices to cores, and learns from the lines."""
    for line in lines:
        named = _AVAILABLE.search(line.text) or _NAMED.search(line.text)
        if named is not None:
            names[line.device] = named["name"]
    late = [line for line in lines if line.stamp >= began]
    return [CoreEvent(line.stamp - began, names.get(line.device, line.device), line.text) for line in late]


def stretches(events: Iterable[CoreEvent], end_s: float) -> dict[str, list[Stretch]]:
    """Each core's states from 0 to `end_s`, as far as its events tell them."""
    turns: dict[str, list[tuple[float, CoreState, CoreState]]] = {}
    for event in events:
        turn = next(((to, before) for pattern, to, before in _TURNS if pattern.search(event.text)), None)
        if turn is not None:
            turns.setdefault(event.core, []).append((event.at_s, *turn))
    return {core: _joined(found, end_s) for core, found in sorted(turns.items())}


def _joined(turns: list[tuple[float, CoreState, CoreState]], end_s: float) -> list[Stretch]:
    """The stretches between turns; two of the same state are one."""
    states = [(0.0, turns[0][2]), *((at, to) for at, to, _ in turns)]
    ends = [at for at, _ in states[1:]] + [max(end_s, states[-1][0])]
    found: list[Stretch] = []
    for (begin, state), end in zip(states, ends, strict=True):
        if found and found[-1].state is state:
            found[-1] = Stretch(state, found[-1].begin_s, end)
        elif end > begin:
            found.append(Stretch(state, begin, end))
    return found
